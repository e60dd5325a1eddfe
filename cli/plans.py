"""``torgsync plan``, ``apply``, ``resume``, ``retry``, ``rollback``: show, apply and continue plans."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cli.console import console_steps, out, shown
from cli.run import complain, show
from engine.shops import load_shop, refuse_shop_file
from schemas.command import COMMAND
from schemas.errors import SettingsError
from schemas.plan import Plan
from schemas.report import RunReport
from schemas.settings.shop import Shop


def run_plan(
    name: str,
    to: Path | None,
    html: Path | None,
    detailed: bool,
    allow: dict[str, int],
    as_json: bool,
    quiet: bool,
    stores: Sequence[str] = (),
) -> None:
    """Plan a shop's sync, show it, and exit: 0, 3 for a guard, 4 for a store without a plan, 10 if ``detailed``."""
    from engine.context import RunOptions
    from engine.main_path import plan
    from engine.runs.plan_file import plan_of

    shop = load_shop(name)
    for path in filter(None, (to, html)):
        refuse_shop_file(shop, path)
    report = plan(shop, RunOptions(allow, tuple(stores) or None), console_steps(as_json or quiet))
    made = plan_of(shop, report.run)
    if made is not None:
        if to is not None:
            to.write_text(made.to_json(), encoding="utf-8")
        if html is not None:
            from engine.runs.pages import names_of_plan
            from reports.html import plan_page

            html.write_text(plan_page(made, report, names_of_plan(shop, made)), encoding="utf-8")
    _show_plan(shop, report, made, to, as_json, quiet)
    changes = made is not None and not made.empty
    raise SystemExit(report.exit_code or (10 if detailed and changes else 0))


def run_apply(path: Path, name: str | None, allow: dict[str, int], as_json: bool, quiet: bool) -> None:
    """Apply a plan file and exit with the run's code."""
    from engine.context import RunOptions
    from engine.runs.plan_file import shop_of
    from engine.runs.resume import apply_file

    shop = load_shop(name) if name else shop_of(path)
    report = apply_file(shop, path, RunOptions(allow), console_steps(as_json or quiet))
    show(report, as_json, quiet)
    raise SystemExit(report.exit_code)


def run_again(what: str, name: str, run: str, allow: dict[str, int], as_json: bool, quiet: bool) -> None:
    """Resume or retry a run and exit with the new run's code."""
    from engine.context import RunOptions
    from engine.runs.resume import resume, retry

    function = {"resume": resume, "retry": retry}[what]
    report = function(load_shop(name), run, RunOptions(allow), console_steps(as_json or quiet))
    show(report, as_json, quiet)
    raise SystemExit(report.exit_code)


def run_rollback(name: str, to: str, plan_only: bool, allow: dict[str, int], as_json: bool, quiet: bool) -> None:
    """Plan a rollback to an earlier run's catalogue, show it, and apply it."""
    from engine.context import RunOptions
    from engine.runs.find import run_of_night
    from engine.runs.plan_file import plan_of
    from engine.runs.rollback import rollback

    shop = load_shop(name)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", to):
        try:
            to = run_of_night(shop, date.fromisoformat(to))
        except ValueError as error:
            raise SettingsError(f"--to {to}: no such date", "write it as in --to 2026-11-23") from error
    report = rollback(shop, to, RunOptions(allow), console_steps(as_json or quiet), plan_only)
    made = plan_of(shop, report.run)
    if plan_only:
        _show_plan(shop, report, made, None, as_json, quiet)
    else:
        if made is not None and not (as_json or quiet):
            _print(shop, made)
        show(report, as_json, quiet)
    raise SystemExit(report.exit_code)


def _show_plan(shop: Shop, report: RunReport, made: Plan | None, to: Path | None, as_json: bool, quiet: bool) -> None:
    """Print a plan, or the report of a run without one; its error goes to standard error."""
    if made is None:
        show(report, as_json, quiet)
        return
    if as_json:
        out(made.to_json().rstrip())
    elif not quiet:
        _print(shop, made)
        path = to or shop.output / "plan.json"
        if not made.empty and not report.exit_code:
            out(f"Nothing was changed. To do exactly this: {COMMAND} apply {shown(path)}")
    complain(report)


def _print(shop: Shop, plan: Plan) -> None:
    from engine.runs.pages import names_of_plan
    from reports.plan import plan_text

    out(plan_text(plan, names_of_plan(shop, plan)))
