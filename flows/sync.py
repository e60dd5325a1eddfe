"""The Prefect flows of one shop: thin shells around ``engine.main_path`` and ``engine.runs``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# read by Prefect when it is imported: nothing phones home, and a slow machine gets time to start the temporary server
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "90")
if not os.access(Path.home(), os.W_OK):  # a service user's home is often read-only: Prefect would wait 90 s and give up
    os.environ.setdefault("PREFECT_HOME", str(Path(tempfile.gettempdir()) / f"torgsync-prefect-{os.getuid()}"))

from collections.abc import Callable
from datetime import date
from typing import Any

from prefect import flow, get_run_logger, tags
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Failed

from engine import main_path
from engine.runs.find import run_of_flow, run_of_night
from engine.runs.resume import resume
from engine.runs.rollback import rollback
from engine.shops import load_shop
from engine.steps import Progress
from flows.approval import ask
from flows.form import AllowedGuards, ShopChoice, StoreChoice, WaitMinutes
from flows.outcome import RunStopped, end_state, sentence
from flows.process import die_with_parent, run_options
from flows.tasks import TaskSteps
from schemas.errors import TorgsyncError
from schemas.report import RunReport
from schemas.settings.shop import Shop

Listen = Callable[[str, float | None], None]

# what the command line listens with: a flow's parameters are stored by Prefect and may hold data only
_listen: Listen | None = None
_progress: Progress | None = None


def _run_name() -> str:
    """``cosmetics · 2026-11-23``: the shop and the night, as the operator looks for them; the outcome joins them."""
    started = flow_run.scheduled_start_time
    return f"{Path(str(flow_run.parameters['shop'])).name} · {started:%Y-%m-%d}"


@flow(name="sync-shop", flow_run_name=_run_name, log_prints=False, validate_parameters=True)
def sync_shop(
    shop: ShopChoice,
    stores: list[StoreChoice] = [],  # noqa: B006 - a form's default, never changed
    dry_run: bool = False,
    allow: AllowedGuards = AllowedGuards(),  # noqa: B008 - frozen by use: a form's default
    wait_minutes: WaitMinutes = 0,
) -> State[Any]:
    """Read a shop's Torgsoft base, decide every good's category, and bring every store up to date.

    Args:
        shop: The shop: its name below shops/, or the folder that holds shop.toml.
        stores: Only these stores. None chosen: all of the shop.
        dry_run: Only plan: show what would change, and change nothing in any store.
        allow: Guards that may pass, each up to so many rows: for this one run, and recorded. Look at the plan first.
        wait_minutes: If another run holds the shop, wait so long for it. 0: end at once with exit code 6.
    """
    granted = allow.granted()

    def run(settings: Shop, steps: TaskSteps) -> RunReport:
        options = run_options(granted, tuple(stores) or None, wait_minutes)
        if dry_run:
            return main_path.plan(settings, options, steps)
        earlier = run_of_flow(settings, options.flow_run)
        if earlier is not None:  # retried in the UI: on from the last good step
            report = resume(settings, earlier, options, steps, ask)
            if report.outcome != "failed":  # its plan was stale: a new one is always safe
                return report
        return main_path.sync(settings, options, steps, ask=ask)

    return _run(shop, run)


@flow(name="rollback-shop", flow_run_name=_run_name, log_prints=False, validate_parameters=True)
def rollback_shop(
    shop: ShopChoice,
    night: date | None = None,
    run: str = "",
    dry_run: bool = True,
    allow: AllowedGuards = AllowedGuards(),  # noqa: B008
    wait_minutes: WaitMinutes = 0,
) -> State[Any]:
    """Bring every store of a shop back to the catalogue of an earlier night; the next sync brings the base's state.

    Args:
        shop: The shop: its name below shops/, or the folder that holds shop.toml.
        night: The night to go back to: the last run of that date that was loaded.
        run: Instead of the night, a run by its name, as torgsync runs shows it.
        dry_run: Only plan: show what would change, and change nothing in any store.
        allow: Guards that may pass, each up to so many rows: for this one run, and recorded. Look at the plan first.
        wait_minutes: If another run holds the shop, wait so long for it. 0: end at once with exit code 6.
    """
    granted = allow.granted()

    def back(settings: Shop, steps: TaskSteps) -> RunReport:
        to = run or run_of_night(settings, night)
        return rollback(settings, to, run_options(granted, None, wait_minutes), steps, dry_run)

    return _run(shop, back)


def _run(word: str, body: Callable[[Shop, TaskSteps], RunReport]) -> State[Any]:
    """One run, shown in the UI while it goes on and at its end. What keeps it from beginning is told in a sentence."""
    die_with_parent()
    try:
        shop = load_shop(word)
        with tags(f"shop:{shop.name}"):
            steps = TaskSteps(shop, _listen, _progress)
            return end_state(shop, body(shop, steps), steps)
    except TorgsyncError as error:
        get_run_logger().error("%s", error)
        return Failed(message=sentence(error.message, error.next_step), data=error)


def run_as_flow(
    shop: str,
    listen: Listen | None = None,
    allow: dict[str, int] | None = None,
    progress: Progress | None = None,
    **more: Any,
) -> RunReport:
    """Run the flow here and return its report, also when the run was stopped. Other errors pass through.

    ``listen`` hears of each step's start (seconds None) and end, ``progress`` from long steps (step, done, total);
    ``more`` are further parameters of the flow.
    """
    global _listen, _progress
    _listen, _progress = listen, progress
    try:
        state = sync_shop(shop, allow=AllowedGuards(**(allow or {})), return_state=True, **more)
        found = state.result(raise_on_failure=False)
    finally:
        _listen = _progress = None
    if isinstance(found, RunStopped):
        return found.report
    if isinstance(found, BaseException):
        raise found
    assert isinstance(found, RunReport)
    return found
