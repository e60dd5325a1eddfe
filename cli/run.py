"""``torgsync sync``: one run, with the function that the flow uses."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cli.console import console_steps, note, out, out_json, step_listener, step_progress
from engine.shops import load_shop
from schemas.report import RunReport
from schemas.settings.shop import Shop


def parse_allow(texts: list[str] | None) -> dict[str, int]:
    """Parse ``GUARD=N`` into a mapping. Raises SettingsError for anything else."""
    from schemas.errors import SettingsError

    out: dict[str, int] = {}
    for text in texts or []:
        guard, _, number = text.partition("=")
        if not number.isdecimal():
            raise SettingsError(f'--allow "{text}": not GUARD=N with a whole number', "as in --allow hidden_offers=40")
        out[guard.strip()] = int(number)
    return out


def run_sync(
    shop: str,
    allow: dict[str, int],
    flow: bool | None,
    as_json: bool,
    quiet: bool,
    stores: Sequence[str] = (),
    wait: int = 0,
) -> None:
    """Run a shop's sync and exit with the run's code."""
    report = run_shop(load_shop(shop), flow, as_json or quiet, allow, stores, wait)
    show(report, as_json, quiet)
    raise SystemExit(report.exit_code)


def run_shop(
    shop: Shop,
    flow: bool | None,
    silent: bool,
    allow: dict[str, int] | None = None,
    stores: Sequence[str] = (),
    wait: int = 0,
) -> RunReport:
    """Run a shop once, with or without Prefect; ``flow`` None: as a flow where a Prefect server is set.

    ``stores``: only these, none for all. ``wait``: minutes to wait for another run of the shop.
    """
    if flow is None:
        flow = bool(os.environ.get("PREFECT_API_URL"))
    if flow:
        # we print the steps and the summary: Prefect's lines would repeat them
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "WARNING")
        if not silent:
            note(
                "running as a Prefect flow" + ("" if os.environ.get("PREFECT_API_URL") else ", on a temporary server …")
            )
        from flows.sync import run_as_flow

        more = {"stores": list(stores), "wait_minutes": wait}
        return run_as_flow(str(shop.folder), step_listener(silent), allow, step_progress(silent), **more)
    from engine.context import RunOptions
    from engine.main_path import sync

    return sync(shop, RunOptions(allow or {}, tuple(stores) or None, wait * 60.0), console_steps(silent))


def show(report: RunReport, as_json: bool, quiet: bool) -> None:
    """Print a run's report on standard output; its error on standard error, as the last output."""
    if as_json:
        out_json(report.model_dump(mode="json"))
    elif not quiet:
        from reports.summary import summary

        out(summary(report, error=False))
    complain(report)


def complain(report: RunReport) -> None:
    """Print on standard error what stopped a run and what to do."""
    if report.exit_code:
        note(f"torgsync: {report.message}" + (f"\n  next: {report.next_step}" if report.next_step else ""))
