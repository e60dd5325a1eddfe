"""``torgsync deploy``: registers the shops' deployments on a Prefect server."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

from cli.console import note, out, out_json
from engine.shops import load_shops
from schemas.command import COMMAND
from schemas.errors import SettingsError


def run_deploy(words: list[str] | None, pool: str, folder: Path | None, prune: bool, as_json: bool) -> None:
    """Register the deployments of each shop for a work pool, and print them."""
    if not os.environ.get("PREFECT_API_URL"):
        raise SettingsError(
            "no Prefect server is named",
            f"set PREFECT_API_URL, as in http://127.0.0.1:4200/api; or run {COMMAND} serve",
        )
    shops = load_shops(words or ())
    from flows.deployments import deploy

    done = deploy(shops, pool, folder, prune)
    if as_json:
        out_json({**asdict(done), "pool": pool})
        return
    for name in done.registered:
        out(f"registered  {name}")
    for name in done.deleted:
        out(f"deleted     {name}")
    for name in done.others:
        out(f"unchanged   {name}: of a shop that was not named; --prune deletes it")
    for text in done.notes:
        note(text)
    out(f"{len(done.registered)} deployments for work pool {pool}; a worker: prefect worker start --pool {pool}")
