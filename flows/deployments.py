"""What can be started in the Prefect UI for each shop: its nightly run, a run by hand, a plan, a way back.

``torgsync deploy`` and ``torgsync serve`` register them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from engine.shops import shop_word
from flows.automations import Installed, Watched, install
from flows.chain import sync_chain
from flows.form import offering
from flows.sync import rollback_shop, sync_shop
from schemas.errors import SettingsError
from schemas.settings.shop import Shop

TAG = "torgsync"
"""Every deployment of ours bears it: what bears it and is wanted no more can be told from those of others."""


@dataclass(frozen=True)
class Deployment:
    """One entry of the UI's list of deployments. ``cron`` is empty for what only a person starts."""

    name: str
    flow: Flow[..., Any]
    description: str
    parameters: dict[str, Any]
    shops: tuple[Shop, ...]
    cron: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = field(default=())

    @property
    def entrypoint(self) -> str:
        """Where a worker finds the flow: torgsync is installed there, so that no code is fetched."""
        return f"{self.flow.fn.__module__}.{self.flow.fn.__name__}"


def shop_deployments(shop: Shop) -> list[Deployment]:
    """The four deployments of one shop."""
    word, when = shop_word(shop), shop.schedule

    def made(kind: str, flow: Flow[..., Any], text: str, **more: Any) -> Deployment:
        parameters = {"shop": word, **more.pop("parameters", {})}
        return Deployment(f"{shop.name}-{kind}", flow, text, parameters, (shop,), tags=(TAG, shop.name), **more)

    return [
        made(
            "nightly", sync_shop,
            f"The nightly run, at {when.at} by the clock of {when.timezone}: reads the Torgsoft base and brings every "
            "store of the shop up to date, or changes nothing and says why.",
            parameters={"wait_minutes": when.wait_minutes}, cron=when.cron, timezone=when.timezone,
        ),
        made("manual", sync_shop, "The same by hand: for all stores or some, with guards that you let pass."),
        made(
            "plan-only", sync_shop, "Shows what a run would change in every store, and changes nothing.",
            parameters={"dry_run": True},
        ),
        made(
            "rollback", rollback_shop,
            "Brings every store back to the catalogue of an earlier night. Look at it first (dry_run), then carry it "
            "out. The next nightly run brings the base's state again: mend the base, or pause that deployment, first.",
        ),
    ]  # fmt: skip


def chain_deployment(shops: Sequence[Shop]) -> Deployment:
    """All shops in one run, by hand: their nights are scheduled one by one."""
    return Deployment(
        "all-shops", sync_chain,
        "Runs many shops at once, several at a time, or on a Dask scheduler's workers; one shop's failure leaves the "
        "others whole.",
        {"shops": [shop_word(shop) for shop in shops]}, tuple(shops), tags=(TAG,),
    )  # fmt: skip


def make_pool(client: SyncPrefectClient, pool: str, limit: int | None = None) -> None:
    """Make a work pool of processes, where there is no pool of that name; ``limit``: so many runs at a time."""
    try:
        client.read_work_pool(pool)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        client.create_work_pool(WorkPoolCreate(name=pool, type="process", base_job_template=template))
    if limit is not None:
        client.update_work_pool(pool, WorkPoolUpdate(concurrency_limit=limit))


def register(client: SyncPrefectClient, wanted: Iterable[Deployment], pool: str, folder: Path | None) -> list[str]:
    """Register deployments for a work pool; those that are there already are brought up to date. Returns their names.

    ``folder`` is where a worker's process starts: shops are found from there. None where the pool decides that itself
    (a container's working folder). A schedule that a person paused in the UI stays paused.
    """
    names = []
    for deployment in wanted:
        with offering(*deployment.shops):
            schema = parameter_schema(deployment.flow)
        full = f"{deployment.flow.name}/{deployment.name}"
        schedules = []
        if deployment.cron:
            schedule = CronSchedule(cron=deployment.cron, timezone=deployment.timezone)
            active = _active(client, full)
            schedules = [DeploymentScheduleCreate(schedule=schedule, active=active, slug=deployment.name)]
        client.create_deployment(
            client.create_flow(deployment.flow),
            deployment.name,
            schedules=schedules,
            parameters=deployment.parameters,
            description=deployment.description,
            work_pool_name=pool,
            tags=list(deployment.tags),
            entrypoint=deployment.entrypoint,
            parameter_openapi_schema=schema.model_dump(),
            enforce_parameter_schema=True,
            job_variables={"working_dir": str(folder)} if folder else {},
        )
        names.append(full)
    return names


def _active(client: SyncPrefectClient, full: str) -> bool:
    try:
        found = client.read_deployment_by_name(full).schedules
    except ObjectNotFound:
        return True
    return all(schedule.active for schedule in found)


def forgotten(client: SyncPrefectClient, names: Collection[str]) -> dict[str, Any]:
    """Deployments of ours on the server that are not among ``names``: by name, with their ids."""
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    found: Sequence[Any] = client.read_deployments(deployment_filter=ours)
    flows = {item.flow_id: client.read_flow(item.flow_id).name for item in found}
    named = {f"{flows[item.flow_id]}/{item.name}": item.id for item in found}
    return {name: id_ for name, id_ in named.items() if name not in names}


@dataclass(frozen=True)
class Deployed:
    """Names of deployments: those ``registered`` now, ``deleted`` ones, and ``others`` of shops that were not named.

    ``automations`` by name; ``notes`` say which could not be made.
    """

    registered: list[str]
    deleted: list[str]
    others: list[str]
    automations: list[str]
    notes: list[str]


def deploy(
    shops: Sequence[Shop],
    pool: str,
    folder: Path | None,
    prune: bool = False,
    automate: bool = True,
    limit: int | None = None,
) -> Deployed:
    """Register the shops' deployments, and where ``automate`` the automations, on the server of PREFECT_API_URL.

    ``folder``: where the worker's processes start; ``prune`` deletes the deployments of other shops; ``limit``: so many
    runs of the pool at a time. Raises SettingsError where no server answers.
    """
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
    made = sorted(automations.created + automations.updated + automations.unchanged)
    return Deployed(names, told if prune else [], [] if prune else told, made, list(automations.notes))
