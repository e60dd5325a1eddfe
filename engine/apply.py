"""Applies a plan, store by store, and settles in the state what follows from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from functools import partial

from engine.context import Run
from engine.stages import SHOP_WIDE, Applied, Planned
from engine.stores import compare, needed_operations, open_store, taken_over, want
from schemas.command import COMMAND
from schemas.contents import Contents
from schemas.errors import StalePlan, StateError, StoreError, TorgsyncError
from schemas.plan import Operation, StorePlan, TargetState
from schemas.report import StoreResult
from schemas.settings.stores import FileStore, StoreSettings
from state.database import Confirmed, Settlement
from stores.protocol import Replan, Wanted
from transforms.absence import next_tombstones
from transforms.plan import unplanned


def apply_plan(run: Run, planned: Planned, only: Collection[str] | None = None) -> Applied:
    """Do what the plan lists, in all stores or in some, and settle the state.

    One store's failure leaves the others whole: raises StoreError at the end, when every other store is up to date.
    """
    # numbers are given before a store sees them: a crash in between gives the same ones again
    run.state.give_numbers(planned.decided.meanings)
    settings = {store.name: store for store in run.shop.stores}
    results = run.report.stores
    for store in planned.plan.stores:
        if only is None or store.store in only:
            results.append(_apply(run, planned, store, settings[store.store]))
    applied = Applied(planned, tuple(results))
    failed = [result.name for result in results if result.outcome == "failed"]
    if len(failed) < len(results) or not planned.plan.stores:
        settle(run, applied, complete=not failed and _all_took(run, planned))
    if failed:
        raise StoreError(
            f"{len(failed)} of {len(results)} stores failed: {', '.join(failed)}",
            "fix the cause and run again: the others are up to date",
        )
    return applied


def check_fresh(run: Run, planned: Planned, only: Collection[str] | None = None) -> Planned:
    """Compare the stores anew, all or some. Raises StalePlan when one needs an operation that the plan does not list.

    A store that cannot be read is left for ``apply_plan`` to report: the others are brought up to date all the same.
    """
    plan, settings = planned.plan, {store.name: store for store in run.shop.stores}
    compared, unread = dict(planned.compared), dict(planned.unread)
    for store in plan.stores:
        if store.error or store.store in compared or (only is not None and store.store not in only):
            continue
        catalogue, target = planned.decided.catalogues[store.store].catalogue, plan.target_state(store)
        try:
            found = compare(run, settings[store.store], catalogue, target)
            _check_planned(store, found.operations)
            compared[store.store] = found
        except (StalePlan, StateError):
            raise
        except TorgsyncError as error:
            unread[store.store] = error
    return replace(planned, compared=compared, unread=unread)


def _check_planned(store: StorePlan, found: tuple[Operation, ...]) -> None:
    if extra := unplanned(store.operations, found):
        first = ", ".join(f"{op.kind} {op.entity} {op.key} «{op.name}»" for op in extra[:3])
        raise StalePlan(
            f"store {store.store} is not as it was when the plan was made: {len(extra)} operations are needed that "
            f"the plan does not list ({first}{', …' if len(extra) > 3 else ''})",
            f"make a new plan: {COMMAND} plan",
        )


def _replan(store: StorePlan, wanted: Wanted, target: TargetState) -> Replan:
    """What is needed for what a store holds now. Raises StalePlan when the plan does not list it."""

    def replan(present: Contents) -> tuple[Operation, ...]:
        found = needed_operations(wanted, present, target)
        _check_planned(store, found)
        return found

    return replan


def _apply(run: Run, planned: Planned, store: StorePlan, settings: StoreSettings) -> StoreResult:
    try:
        result = run.steps(f"load {store.store}", _apply_store, run, planned, store, settings)
    except StateError:
        raise  # what is written after it would be remembered nowhere
    except TorgsyncError as error:
        return StoreResult(name=store.store, kind=store.kind, outcome="failed", message=error.sentence)
    if store.store in planned.compared:
        result.refused = [*taken_over(planned.compared[store.store]), *result.refused]
    catalogue = planned.plan.target_state(store).catalogue
    confirmed = run.state.confirmed().get(store.store)
    if confirmed is None or store.operations or confirmed.catalogue != catalogue:
        files = result.files or (confirmed.files if confirmed else {})
        run.state.confirm(store.store, Confirmed(run.name, catalogue, files))
    return result


def _apply_store(run: Run, planned: Planned, store: StorePlan, settings: StoreSettings) -> StoreResult:
    if store.error:
        raise StoreError(store.error)
    if store.store in planned.unread:
        raise planned.unread[store.store]
    if not store.operations:  # nothing to do: the store is not even opened
        published = False if isinstance(settings, FileStore) else None
        return StoreResult(name=store.store, kind=store.kind, published=published)
    adapter, target = open_store(run, settings), planned.plan.target_state(store)
    if store.store in planned.compared:
        wanted = planned.compared[store.store].wanted
    else:
        wanted = want(adapter, planned.decided.catalogues[store.store].catalogue, target)
    begun = partial(run.state.begin_writing, run.name, store.store)
    return adapter.apply(wanted, _replan(store, wanted, target), begun)


def _all_took(run: Run, planned: Planned) -> bool:
    """Whether every store of the shop holds its catalogue now: a retry completes what the run before it began."""
    plan = planned.plan
    taken = {store: confirmed.catalogue for store, confirmed in run.state.confirmed().items()}
    wanted = {store.store: plan.target_state(store).catalogue for store in plan.stores}
    return all(taken.get(store.name) == wanted.get(store.name, plan.catalogue) for store in run.shop.stores)


def settle(run: Run, applied: Applied, complete: bool) -> None:
    """Meanings, tombstones, redirects and what was loaded, in one transaction."""
    plan = applied.planned.plan
    taken = {result.name for result in applied.results if result.outcome == "ok"}
    separate = [store for store in plan.stores if store.own is not None and store.store in taken]
    run.state.settle(
        _settlement(run, applied.planned, SHOP_WIDE, plan.shop_wide, complete),
        [_settlement(run, applied.planned, store.store, plan.target_state(store), complete) for store in separate],
        left=[store.store for store in plan.stores if store.own is None and store.store in taken],
    )


def _settlement(run: Run, planned: Planned, store: str, target: TargetState, complete: bool) -> Settlement:
    """What follows for the shop, or for a store with a separate memory."""
    decided, memory = planned.decided, run.memory
    catalogue = decided.catalogues[store].catalogue
    loaded, previous = memory.last_loaded(store)
    tombstones, before = memory.tombstones(store), previous
    # what an interrupted run has shown leaves tombstones as well
    for after in (*memory.unsettled(store, decided.separate), catalogue):
        tombstones, before = next_tombstones(tombstones, before, after, target.held, memory.night), after
    redirects = memory.redirects_for(decided, store)
    return Settlement(
        run=run.name,
        catalogue=target.catalogue,
        plan=planned.plan.fingerprint,
        counts=decided.row_counts or (dict(loaded.counts) if loaded else {}),
        meanings=() if store else decided.meanings,
        tombstones=tuple({**asdict(each), "path": list(each.path) or None} for each in tombstones.values()),
        redirects=redirects.kept,
        new_redirects=redirects.new_redirects,
        # by a clock that went far back they would be too old as soon as it is right again
        new_since=max(memory.night, memory.last_night() or memory.night),
        complete=complete,
        store=store,
    )
