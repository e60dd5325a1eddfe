"""Brings the stores back to the catalogue of an earlier run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.apply import apply_plan
from engine.context import Run, RunKind, RunOptions
from engine.guards import stop_at_guards
from engine.planning import make_plan, refuse_incomplete
from engine.runs.find import find_loaded_run, stores_that_took
from engine.session import run_session
from engine.shops import shop_word
from engine.stages import SHOP_WIDE, Decided, StoreCatalogue
from engine.steps import Steps
from schemas.command import COMMAND
from schemas.errors import SettingsError
from schemas.plan import Plan
from schemas.report import RunReport
from schemas.settings.shop import Shop


def rollback(
    shop: Shop,
    to: str,
    options: RunOptions | None = None,
    steps: Steps | None = None,
    plan_only: bool = False,
) -> RunReport:
    """Bring every store back to the catalogue of an earlier run; numbers and bindings stay.

    Any store must have taken that run. A run for some stores brings back only these. No key is held: rows of that
    night's quarantine are in the kept catalogue as the stores had them. The next sync loads the state of the base
    again: correct the base, or pause the schedule, first.
    """
    row = find_loaded_run(shop, to)

    def body(run: Run) -> None:
        earlier = run.history.plan(row["run"])
        decided = _decided(run, row, earlier)
        run.findings.decided = decided
        run = _without_left_out(run, row, earlier)
        planned = run.steps("plan", make_plan, run, decided)
        stop_at_guards(run, planned)
        if plan_only:
            refuse_incomplete(planned)
        else:
            apply_plan(run, planned)

    command = f"{COMMAND} rollback {shop_word(shop)} --to {row['run']}"
    return run_session(shop, body, RunKind("plan" if plan_only else "rollback", row["run"], command), options, steps)


def _decided(run: Run, row: Mapping[str, Any], earlier: Plan | None) -> Decided:
    """Return the catalogues of that night from the history; no key is held."""
    shared = StoreCatalogue(run.history.catalogue(row["catalogue"]))
    separate = {
        store.store: StoreCatalogue(run.history.catalogue(store.own.catalogue))
        for store in (earlier.stores if earlier else ())
        if store.own is not None
    }
    stores = {store.name: separate.get(store.name, shared) for store in run.shop.stores}
    decided = Decided({SHOP_WIDE: shared, **stores}, frozenset(separate) & frozenset(stores))
    return run.memory.with_number_changes(decided)


def _without_left_out(run: Run, row: Mapping[str, Any], earlier: Plan | None) -> Run:
    """Return the run without the stores that the earlier run left out: a rollback does not change them.

    For a run that died, or whose old report does not name its stores, the plan decides: a missing store was left out if
    an earlier run had loaded it. If none had, it is newer than the run, and it is brought back with the others.
    """
    report = row["report"] or {}
    then = set(report.get("only") or ([store.store for store in earlier.stores] if earlier else []))
    if "only" in report:
        affected = then | ({store.name for store in run.shop.stores} if report["only"] else set())
    else:
        rows = (each for each in run.state.runs() if each["sequence"] < row["sequence"])
        affected = then | {store for each in rows for store in stores_that_took(each)}
    left = [store.name for store in run.shop.stores if then and store.name in affected - then]
    if not left:
        return run
    only = f"run {row['run']} was for {', '.join(sorted(then))} only"
    stores = tuple(store for store in run.stores if store.name not in left)
    if not stores:
        raise SettingsError(f"{only}, which the shop no longer has", f"choose another: {COMMAND} runs")
    run.warn(f"{only}: {', '.join(left)} stays as it is")
    return replace(run, stores=stores)
