"""The Prefect flow of one shop's nightly sync: a thin shell around ``flows.main_path.sync``."""

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
from typing import Annotated

from prefect import flow, get_run_logger, tags
from prefect.runtime import flow_run
from pydantic import Field

from flows.main_path import sync
from flows.steps import PlainSteps, Progress, as_tasks
from reports.summary import summary
from schemas.report import RunReport
from schemas.shop import load_shop

# what the command line listens with: a flow's parameters are stored by Prefect and may hold data only
_listen: Callable[[str, float | None], None] | None = None
_progress: Progress | None = None


class RunStopped(Exception):
    """A run that did not end ok; ``report`` says what stopped it and what to do next."""

    def __init__(self, report: RunReport) -> None:
        super().__init__(f"{report.outcome}: {report.message} — next: {report.next_step}")
        self.report = report


def _run_name() -> str:
    """``cosmetics · 2026-11-23``: the shop and the night, as the operator looks for them."""
    started = flow_run.scheduled_start_time
    return f"{Path(str(flow_run.parameters['shop'])).name} · {started:%Y-%m-%d}"


@flow(name="sync-shop", flow_run_name=_run_name, log_prints=False, validate_parameters=True)
def sync_shop(shop: Annotated[str, Field(min_length=1)], allow: dict[str, int] | None = None) -> RunReport:
    """Read a shop's Torgsoft base, decide every good's category, and bring every store up to date.

    Args:
        shop: The folder that holds shop.toml, or the shop's name below shops/.
        allow: Guards that may pass, each with the greatest number of rows: for this one run, and recorded.
    """
    logger = get_run_logger()
    settings = load_shop(shop)

    def listen(name: str, seconds: float | None) -> None:
        if _listen is not None:
            _listen(name, seconds)
        if seconds is not None:
            logger.info("%s: %.2f s", name, seconds)

    steps = PlainSteps(listen, _progress)
    with tags(f"shop:{settings.name}"):
        report = sync(settings, steps, as_tasks(steps), allow)
    for line in summary(report).splitlines():
        logger.info(line)
    if report.exit_code:
        raise RunStopped(report)
    return report


def run_as_flow(
    shop: str,
    listen: Callable[[str, float | None], None] | None = None,
    allow: dict[str, int] | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Run the flow here and return its report, also when the run was stopped. Other errors pass through.

    ``listen`` hears of each step's start (seconds None) and end, ``progress`` from long steps (step, done, total).
    """
    global _listen, _progress
    _listen, _progress = listen, progress
    try:
        return sync_shop(shop, allow)
    except RunStopped as stopped:
        return stopped.report
    finally:
        _listen = _progress = None
