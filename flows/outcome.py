"""How a run ends in the Prefect UI: its artifacts, its name, and a state with the sentence of what to do."""

from __future__ import annotations

import os
from typing import Any

from prefect import get_run_logger
from prefect.artifacts import create_image_artifact, create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Crashed, Failed

from engine.runs.pages import category_names
from flows.tasks import TaskSteps
from reports.keys import artifact_key
from reports.markdown import Table, plan_table, quarantine_table, summary_text, unmapped_table
from reports.picture import as_url, tree_picture
from reports.plan import Names
from reports.summary import phrase, summary, title
from schemas.plan import Plan
from schemas.report import Outcome, RunReport
from schemas.settings.shop import Shop
from state.history import History
from state.open import open_state

STATE_NAMES: dict[Outcome, str] = {
    "failed": "Failed",
    "guard stop": "Guard stop",
    "refused": "Refused",
    "quarantine over its limit": "Quarantine over limit",
    "some stores failed": "Some stores failed",
}
"""The flow run's state by the run's outcome: Prefect's automations listen to these names."""


DEGRADED = "Degraded"
"""The state of a run that ended ok, and of which somebody should look at something."""


class RunStopped(Exception):
    """A run that did not end ok; ``report`` says what stopped it and what to do next."""

    def __init__(self, report: RunReport) -> None:
        super().__init__(_told(report))
        self.report = report


def sentence(message: str, next_step: str) -> str:
    """What happened and what to do, in one line."""
    return f"{message} — next: {next_step}" if next_step else message


def _told(report: RunReport) -> str:
    return f"{report.outcome}: {sentence(report.message, report.next_step)}"


def end_state(shop: Shop, report: RunReport, steps: TaskSteps) -> State[Any]:
    """Publish what the run has to show, and say how it ended."""
    logger = get_run_logger()
    try:
        steps.finish(title(report))
        _publish(shop, report)
        _rename(report)
    except Exception as error:  # the stores are as the run left them, whatever the UI can show of it
        logger.warning("the run's artifacts could not be made: %s", error)
    for line in summary(report).splitlines():
        logger.info(line)
    if report.outcome == "ok":
        looks = f"; look at: {'; '.join(report.degraded)}" if report.degraded else ""
        return Completed(name=DEGRADED if report.degraded else None, message=phrase(report) + looks, data=report)
    if report.outcome == "interrupted":
        return Crashed(message=_told(report), data=RunStopped(report))
    return Failed(name=STATE_NAMES[report.outcome], message=_told(report), data=RunStopped(report))


def report_address(report: RunReport) -> str:
    """Where the run's page can be read: below TORGSYNC_REPORTS_URL (``torgsync serve`` sets it); empty without it."""
    base = os.environ.get("TORGSYNC_REPORTS_URL", "").rstrip("/")
    return f"{base}/{report.shop}/{report.run}" if base else ""


def _publish(shop: Shop, report: RunReport) -> None:
    history = History(shop.folder / "history")
    plan = history.plan(report.run)
    with open_state(shop) as state:
        names = category_names(history, state, plan) if plan else {}
        rejected = state.quarantine(report.run)
    head = f"{title(report)}, run {report.run}"
    page = report_address(report)
    create_markdown_artifact(summary_text(report, page), key=artifact_key(shop.name, "summary"), description=head)
    if plan is not None:
        publish_plan(plan, names, head)
    _table(shop.name, "quarantine", quarantine_table(rejected), head)
    _table(shop.name, "rescued-types", unmapped_table(report.unmapped_types), head)
    if plan is not None and history.has_catalogue(plan.catalogue):
        picture = as_url(tree_picture(history.categories(plan.catalogue), head))
        create_image_artifact(picture, key=artifact_key(shop.name, "tree"), description=head)


def publish_plan(plan: Plan, names: Names, head: str) -> None:
    """The plan as a table, removals first."""
    _table(plan.shop, "plan", plan_table(plan, names), head)


def _table(shop: str, what: str, rows: Table, head: str) -> None:
    if rows:
        create_table_artifact(rows, key=artifact_key(shop, what), description=head)


def _rename(report: RunReport) -> None:
    """``cosmetics · 2026-11-23 · ok``: what an operator reads in the list of runs."""
    night = report.started_at[:10]
    what = "" if report.purpose in ("sync", "resume") else f" · {report.purpose}"
    with get_client(sync_client=True) as client:
        client.update_flow_run(flow_run.id, name=f"{report.shop} · {night}{what} · {report.outcome}")
