"""``torgsync serve``: server, schedules, worker and reports of one machine in one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import note, out
from engine.shops import load_shops

if TYPE_CHECKING:
    from flows.serve import Served


def run_serve(
    words: list[str] | None, host: str, port: int, reports_port: int, home: Path, limit: int, keep_days: int
) -> None:
    """Serve until a signal; print addresses and nightly times."""
    from flows.serve import Addresses, serve

    shops = load_shops(words or ())
    nights = [f"  {shop.name}: every night at {shop.schedule.at} ({shop.schedule.timezone})" for shop in shops]

    def welcome(served: Served) -> None:
        out(f"Prefect is up after {served.seconds:.0f} s: {served.url}/deployments")
        out("\n".join([f"reports: {served.reports}/SHOP", *nights]))
        out(f"{served.deployments} deployments; to run one by hand: choose it there, then Run. Ctrl-C ends all of it.")

    serve(shops, Addresses(host, port, reports_port, home, keep_days), limit, welcome, note)
