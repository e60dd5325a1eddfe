"""``torgsync report``: what a run did, from the state, as text, JSON or a page."""

from __future__ import annotations

from pathlib import Path

from cli.console import out
from schemas.errors import SettingsError
from schemas.report import RunReport
from schemas.shop import load_shop


def run_report(name: str, run: str, html: Path | None, as_json: bool) -> None:
    """Print a run's report, and write it as a page where ``html`` says so."""
    from cli.console import out_json
    from flows.again import find_run
    from flows.pages import report_page
    from reports.summary import summary
    from state.history import History
    from state.store import State

    shop = load_shop(name)
    row = find_run(shop, run, plans=True)
    if not row["report"]:
        raise SettingsError(
            f"run {row['run']} has left no report ({row['outcome']}{': ' + row['message'] if row['message'] else ''})",
            f"torgsync runs {shop.word}",
        )
    report = RunReport.model_validate(row["report"])
    if html is not None:
        state = State(shop.state_url, shop.name)
        try:
            history = History(shop.folder / "history")
            page = report_page(history, state, report, history.plan(report.run), state.quarantine(report.run))
        finally:
            state.close()
        html.write_text(page, encoding="utf-8")
    if as_json:
        out_json(report.model_dump(mode="json"))
        return
    out(f"run {report.run}, {report.started_at[:16].replace('T', ' ')}")
    out(summary(report))
    if html is not None:
        out(f"The page is {html}.")
