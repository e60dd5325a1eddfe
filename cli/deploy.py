"""``torgsync deploy``: registers the shops' deployments on a Prefect server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cli.console import note, out, out_json
from engine.setup.shops import load_shop
from schemas.errors import SettingsError
from schemas.settings.shop import Shop


def shops_of(words: list[str] | None) -> list[Shop]:
    """The shops that were named; all below shops/ where none was. Raises SettingsError where there is none."""
    from engine.chain.chain import find_shops

    found = [load_shop(folder) for folder in find_shops(words or ())]
    names = [shop.name for shop in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f"two shops have the same name: {', '.join(sorted(twice))}", "rename one in its shop.toml")
    return found


def run_deploy(words: list[str] | None, pool: str, folder: Path | None, prune: bool, as_json: bool) -> None:
    """Register what can be started of each shop, for a work pool."""
    if not os.environ.get("PREFECT_API_URL"):
        raise SettingsError(
            "no Prefect server is named", "set PREFECT_API_URL, as in http://127.0.0.1:4200/api; or run torgsync serve"
        )
    told = deploy(shops_of(words), pool, folder, prune)
    if as_json:
        out_json(told)
        return
    for name in told["registered"]:
        out(f"registered  {name}")
    for name in told["deleted"]:
        out(f"deleted     {name}")
    for name in told["others"]:
        out(f"left alone  {name}: of a shop that was not named; --prune deletes it")
    for note_ in told["notes"]:
        note(note_)
    out(f"{len(told['registered'])} deployments for work pool {pool}; a worker: prefect worker start --pool {pool}")


def deploy(
    shops: list[Shop],
    pool: str,
    folder: Path | None,
    prune: bool = False,
    automate: bool = True,
    limit: int | None = None,
) -> dict[str, Any]:
    """Register the shops' deployments, and where ``automate`` the automations, on the server of PREFECT_API_URL.

    ``limit``: so many runs of the pool at a time. Returns what was done, by name.
    """
    import httpx
    from prefect.client.orchestration import get_client

    from flows.automations import Installed, Watched, install
    from flows.deployments import chain_deployment, forgotten, make_pool, register, shop_deployments

    wanted = [deployment for shop in shops for deployment in shop_deployments(shop)]
    if len(shops) > 1:
        wanted.append(chain_deployment(shops))
    try:
        with get_client(sync_client=True) as client:
            make_pool(client, pool, limit)
            names = register(client, wanted, pool, folder)
            others = forgotten(client, names)
            for id_ in others.values() if prune else ():
                client.delete_deployment(id_)
    except httpx.ConnectError as error:
        url = os.environ.get("PREFECT_API_URL")
        raise SettingsError(f"no Prefect server answers at {url}", "start it, or correct PREFECT_API_URL") from error
    told = sorted(others)
    nightly = [name.split("/")[1] for name in [*names, *([] if prune else told)] if name.endswith("-nightly")]
    watched = Watched(flows=("sync-shop", "rollback-shop", "sync-chain"), nightly=tuple(nightly))
    automations = install(watched=watched) if automate else Installed()
    return {
        "registered": names, "deleted": told if prune else [], "others": [] if prune else told, "pool": pool,
        "automations": sorted(automations.created + automations.updated + automations.unchanged),
        "notes": automations.notes,
    }  # fmt: skip
