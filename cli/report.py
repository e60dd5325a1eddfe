"""``torgsync report``: what a run did, from the state, as text, JSON or a page."""

from __future__ import annotations

from pathlib import Path

from cli.console import out
from engine.shops import load_shop, refuse_shop_file


def run_report(name: str, run: str, html: Path | None, as_json: bool) -> None:
    """Print a run's report, and write it as a page where ``html`` says so."""
    from cli.console import out_json
    from engine.runs.pages import page_of, read_report
    from reports.summary import summary

    shop = load_shop(name)
    if html is not None:
        refuse_shop_file(shop, html)
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
