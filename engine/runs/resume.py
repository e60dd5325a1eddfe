"""Continues a kept plan: applies a plan file, resumes an interrupted run, retries failed stores."""

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
    """A plan from the history or a file. ``only``: the stores to load; None means all."""

    plan: Plan
    kind: RunKind
    only: Collection[str] | None = None


def apply_file(shop: Shop, path: Path, options: RunOptions | None = None, steps: Steps | None = None) -> RunReport:
    """Apply exactly the operations of a plan file. Raises StalePlan, before any write, for a stale plan."""
    kept = _Kept(read_plan(path), RunKind("apply", "", f"{COMMAND} apply {path}"))
    return _apply(shop, kept, options, steps, nobody)


def resume(
    shop: Shop,
    run: str,
    options: RunOptions | None = None,
    steps: Steps | None = None,
    ask: Ask = nobody,
) -> RunReport:
    """Resume an interrupted or failed run: apply those operations of its plan that the stores still lack."""
    row = find_run(shop, run)
    kind = RunKind("resume", row["run"], _command("resume", shop, row))
    return _apply(shop, _Kept(plan_of_run(shop, row), kind), _with_allowed(row, options), steps, ask)


def retry(shop: Shop, run: str, options: RunOptions | None = None, steps: Steps | None = None) -> RunReport:
    """Load again only the stores that failed in a run. ``last`` is the last run that left a store behind."""
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
    """Return the options with the allowed guards of the earlier run."""
    options = options or RunOptions()
    return replace(options, allow={**(row["allowed"] or {}), **options.allow})


def _apply(shop: Shop, kept: _Kept, options: RunOptions | None, steps: Steps | None, ask: Ask) -> RunReport:
    def body(run: Run) -> None:
        _check_plan(run, kept.plan)
        planned = _planned(run, kept.plan)
        if kept.kind.continues:  # a plan file is applied as it is; a run also loads the stores that it could not read
            planned = run.steps("plan", complete_plan, run, planned)
        planned = with_guards(run, run.steps("check", check_fresh, run, planned, kept.only))
        stop_at_guards(run, planned)
        ask(run, planned)
        apply_plan(run, planned, kept.only)

    return run_session(shop, body, kept.kind, options, steps)


def _planned(run: Run, plan: Plan) -> Planned:
    """Return a kept plan with its catalogues from the history."""
    run.findings.plan = plan
    decided = decided_before(run, plan)
    run.findings.decided, run.findings.extract = decided, decided.extract
    return Planned(plan, decided)


def _check_plan(run: Run, plan: Plan) -> None:
    """Raise StalePlan where the plan no longer fits the shop, its settings or its state."""
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
