"""Goes on with a kept plan: applies a plan file, resumes an interrupted run, retries the stores that failed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.apply import apply_plan, check_fresh
from engine.context import Run, RunKind, RunOptions
from engine.guards import stop_at_guards, with_guards
from engine.main_path import Ask, nobody
from engine.planning import complete_plan, settings_fingerprint
from engine.runs.find import find_run, plan_of_run, run_to_retry
from engine.session import run_session
from engine.shops import shop_word
from engine.stages import Planned
from engine.steps import Steps
from engine.store_catalogues import decided_before
from schemas.command import COMMAND
from schemas.errors import SettingsError, StalePlan, TorgsyncError
from schemas.plan import Plan
from schemas.report import RunReport
from schemas.settings.shop import Shop
from state.history import read_plan


@dataclass(frozen=True)
class _Kept:
    """A plan out of the history or a file. ``only``: the stores to load; None means all."""

    plan: Plan
    kind: RunKind
    only: Collection[str] | None = None


def apply_file(shop: Shop, path: Path, options: RunOptions | None = None, steps: Steps | None = None) -> RunReport:
    """Do exactly what a plan file lists. A stale plan is refused with the reason, and nothing of it is applied."""
    kept = _Kept(read_plan(path), RunKind("apply", "", f"{COMMAND} apply {path}"))
    return _apply(shop, kept, options, steps, nobody)


def resume(
    shop: Shop,
    run: str,
    options: RunOptions | None = None,
    steps: Steps | None = None,
    ask: Ask = nobody,
) -> RunReport:
    """Go on with a run that was interrupted or failed, by its own plan: what the stores lack of it is done."""
    row = find_run(shop, run)
    kind = RunKind("resume", row["run"], _command("resume", shop, row))
    return _apply(shop, _Kept(plan_of_run(shop, row), kind), _with_allowed(row, options), steps, ask)


def retry(shop: Shop, run: str, options: RunOptions | None = None, steps: Steps | None = None) -> RunReport:
    """Try again only what failed in a run: the stores that refused. ``last`` is the last run that left one behind."""
    row, failed = run_to_retry(shop, run)
    if not failed:
        raise SettingsError(
            f"no store is behind: none failed in run {row['run']} ({row['outcome']}), or a later one loaded it"
            if run == "last"
            else f"no store failed in run {row['run']} ({row['outcome']})",
            _command("resume", shop, row) if row["outcome"] == "interrupted" else "there is nothing to retry",
        )
    kind = RunKind("retry", row["run"], _command("retry", shop, row))
    return _apply(shop, _Kept(plan_of_run(shop, row), kind, failed), _with_allowed(row, options), steps, nobody)


def _command(what: str, shop: Shop, row: Mapping[str, Any]) -> str:
    return f"{COMMAND} {what} {shop_word(shop)} {row['run']}"


def _with_allowed(row: Mapping[str, Any], options: RunOptions | None) -> RunOptions:
    """The options, with the guards that the earlier run was allowed to pass."""
    options = options or RunOptions()
    return replace(options, allow={**(row["allowed"] or {}), **options.allow})


def _apply(shop: Shop, kept: _Kept, options: RunOptions | None, steps: Steps | None, ask: Ask) -> RunReport:
    def body(run: Run) -> None:
        _check_plan(run, kept.plan)
        planned = _planned(run, kept.plan)
        if kept.kind.continues:  # a plan file is applied as it is; a run goes on with the stores that it could not read
            planned = run.steps("plan", complete_plan, run, planned)
        planned = with_guards(run, run.steps("check", check_fresh, run, planned, kept.only))
        stop_at_guards(run, planned)
        ask(run, planned)
        apply_plan(run, planned, kept.only)

    return run_session(shop, body, kept.kind, options, steps)


def _planned(run: Run, plan: Plan) -> Planned:
    """A kept plan with what was decided for it, out of the history."""
    run.findings.plan = plan
    decided = decided_before(run, plan)
    run.findings.decided, run.findings.extract = decided, decided.extract
    return Planned(plan, decided)


def _check_plan(run: Run, plan: Plan) -> None:
    """Raise StalePlan where the plan does not fit the shop, its settings or its state any more."""
    again = f"make a new plan: {COMMAND} plan {shop_word(run.shop)}"
    if plan.shop != run.shop.name:
        raise TorgsyncError(f"the plan is for shop {plan.shop}, not {run.shop.name}", "give the right shop")
    if plan.settings != settings_fingerprint(run.shop):
        raise StalePlan("shop.toml or the rules were changed since the plan was made", again)
    loaded = run.state.loaded()
    base = loaded.run if loaded else ""
    if base != plan.base and (loaded is None or loaded.plan != plan.fingerprint):
        raise StalePlan(
            f"run {base or 'none'} was loaded since the plan was made (it knew {plan.base or 'none'})", again
        )
