"""``torgsync demo``: a sample shop with a real Firebird base, run once."""

from __future__ import annotations

from pathlib import Path

from cli.console import note, out
from cli.run import run_shop, show
from engine.shops import load_shop
from schemas.command import COMMAND


def run_demo(name: str, folder: Path, flow: bool | None, as_json: bool, quiet: bool) -> None:
    """Set up the sample below ``folder`` and run its sync; a second demo runs on the same store and state."""
    from engine.setup.samples import sample, set_up

    source = sample(name)
    target = folder / name
    if not (as_json or quiet):
        note(f"building the sample shop «{name}» in {target} (Firebird embedded)")
    set_up(source, target)
    report = run_shop(load_shop(target), flow, as_json or quiet)
    show(report, as_json, quiet)
    if not (as_json or quiet):
        out(f"\nThe catalogue is in {target / 'output'}:")
        for path in sorted((target / "output").iterdir()):
            out(f"  {path}")
        out(f"The store is {target / 'web.db'} (SQLite, tables categories and offers).")
        out(f"Next: {COMMAND} explain {target} <part of a good's name>, or {COMMAND} demo trade-equipment | hostile")
    raise SystemExit(report.exit_code)
