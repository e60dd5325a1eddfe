"""``torgsync report``: what a run did, from the state, as text, JSON or a page."""

from __future__ import annotations

from pathlib import Path

from cli.console import out
from schemas.errors import SettingsError
from schemas.report import RunReport
from schemas.shop import Shop, load_shop


def read_report(shop: Shop, run: str) -> RunReport:
    """A run's report out of the state. Raises SettingsError where there is no such run, or it left none."""
    from flows.again import find_run

    row = find_run(shop, run, plans=True)
    if not row["report"]:
        raise SettingsError(
            f"run {row['run']} has left no report ({row['outcome']}{': ' + row['message'] if row['message'] else ''})",
            f"torgsync runs {shop.word}",
        )
    return RunReport.model_validate(row["report"])


def page_of(shop: Shop, run: str) -> str:
    """A run as a page."""
    from flows.pages import report_page
    from state.history import History
    from state.store import State

    report = read_report(shop, run)
    state = State(shop.state_url, shop.name)
    try:
        history = History(shop.folder / "history")
        return report_page(history, state, report, history.plan(report.run), state.quarantine(report.run))
    finally:
        state.close()


def run_report(name: str, run: str, html: Path | None, as_json: bool) -> None:
    """Print a run's report, and write it as a page where ``html`` says so."""
    from cli.console import out_json
    from reports.summary import summary

    shop = load_shop(name)
    report = read_report(shop, run)
    if html is not None:
        html.write_text(page_of(shop, report.run), encoding="utf-8")
    if as_json:
        out_json(report.model_dump(mode="json"))
        return
    out(f"run {report.run}, {report.started_at[:16].replace('T', ' ')}")
    out(summary(report))
    if html is not None:
        out(f"The page is {html}.")
