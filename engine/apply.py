"""Applies a plan, store by store, and takes over into the state what follows from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from functools import partial

from engine.memory import last_loaded, last_night, stones, unsettled, wanted_redirects
from engine.open_store import open_store
from engine.planning import all_meanings, contents_of
from engine.run import Run
from engine.steps import Steps
from schemas.contents import Contents
from schemas.errors import StalePlan, StoreError, TorgsyncError
from schemas.plan import Operation, StorePlan, TargetState
from schemas.report import StoreResult
from schemas.settings.stores import FileStore, StoreSettings
from state.database import Confirmed, Settlement
from stores.protocol import Replan, StoreAdapter, Wanted
from transforms.absence import next_tombstones
from transforms.plan import Absent, operations, unplanned


def carry_out(run: Run, do: Steps, only: Collection[str] | None = None) -> None:
    """Do what ``run.plan`` lists, in all stores or in some, and settle the state.

    One store's failure leaves the others whole: raises StoreError at the end, when every other store is up to date.
    """
    plan = run.plan
    assert plan is not None
    # numbers are given before a store sees them: a crash in between gives the same ones again
    run.state.give_numbers(all_meanings(run))
    settings = {store.name: store for store in run.shop.stores}
    todo = [store for store in plan.stores if only is None or store.store in only]
    results = run.report.stores
    for store in todo:
        results.append(_apply(run, store, settings[store.store], do))
    failed = [result.name for result in results if result.outcome == "failed"]
    if len(failed) < len(results) or not plan.stores:
        _settle(run, complete=not failed and _all_took(run))
    if failed:
        raise StoreError(
            f"{len(failed)} of {len(results)} stores failed: {', '.join(failed)}",
            "mend them and run again: the others are up to date",
        )


def _all_took(run: Run) -> bool:
    """Whether every store of the shop holds its catalogue now: a retry completes what the run before it began."""
    plan = run.plan
    assert plan is not None
    taken = {store: confirmed.catalogue for store, confirmed in run.state.confirmed().items()}
    wanted = {store.store: plan.target_state(store).catalogue for store in plan.stores}
    return all(taken.get(store.name) == wanted.get(store.name, plan.catalogue) for store in run.shop.stores)


def check_fresh(run: Run, only: Collection[str] | None = None) -> None:
    """Raise StalePlan when a store, of all or of some, needs an operation that the plan does not list.

    A store that cannot be read is left for ``carry_out`` to tell: the others are brought up to date all the same.
    """
    assert run.plan is not None
    settings = {store.name: store for store in run.shop.stores}
    for store in run.plan.stores:
        if store.error or (only is not None and store.store not in only):
            continue
        try:
            target = open_store(run, settings[store.store])
            run.wanted[store.store] = _wanted(run, store, target)
            replanner(run, store, run.wanted[store.store])(target.read())
        except StalePlan:
            raise
        except TorgsyncError as error:
            run.unread[store.store] = error


def replanner(run: Run, store: StorePlan, wanted: Wanted) -> Replan:
    """What is needed for what a store holds now; raises StalePlan when the plan does not list it."""
    plan = run.plan
    assert plan is not None
    target_state = plan.target_state(store)
    absent = Absent(target_state.held, target_state.retire)

    def replan(present: Contents) -> tuple[Operation, ...]:
        found = operations(wanted.contents, present, absent)
        extra = unplanned(store.operations, found)
        if extra:
            first = ", ".join(f"{op.kind} {op.entity} {op.key} «{op.name}»" for op in extra[:3])
            raise StalePlan(
                f"store {store.store} is not as it was when the plan was made: {len(extra)} operations are needed that "
                f"the plan does not list ({first}{', …' if len(extra) > 3 else ''})",
                "make a new plan: torgsync plan",
            )
        return found

    return replan


def _wanted(run: Run, store: StorePlan, target: StoreAdapter) -> Wanted:
    assert run.plan is not None
    catalogue = run.catalogue_of(store.store)
    return target.want(catalogue, contents_of(run.plan.target_state(store), catalogue))


def _apply(run: Run, store: StorePlan, settings: StoreSettings, do: Steps) -> StoreResult:
    try:
        result = do(f"load {store.store}", _apply_store, run, store, settings)
    except TorgsyncError as error:
        return StoreResult(name=store.store, kind=store.kind, outcome="failed", message=error.sentence)
    assert run.plan is not None
    catalogue = run.plan.target_state(store).catalogue
    confirmed = run.state.confirmed().get(store.store)
    if confirmed is None or store.operations or confirmed.catalogue != catalogue:
        files = result.files or (confirmed.files if confirmed else {})
        run.state.confirm(store.store, Confirmed(run.report.run, catalogue, files))
    return result


def _apply_store(run: Run, store: StorePlan, settings: StoreSettings) -> StoreResult:
    if store.error:
        raise StoreError(store.error)
    if store.store in run.unread:
        raise run.unread[store.store]
    if not store.operations:  # nothing to do: the store is not even opened
        published = False if isinstance(settings, FileStore) else None
        return StoreResult(name=store.store, kind=store.kind, published=published)
    target = open_store(run, settings)
    wanted = run.wanted.get(store.store) or _wanted(run, store, target)
    begun = partial(run.state.begin_writing, run.report.run, store.store)
    return target.apply(wanted, replanner(run, store, wanted), begun)


def _settle(run: Run, complete: bool) -> None:
    """Meanings, tombstones, redirects and what was loaded, in one transaction; then what is too old is forgotten."""
    plan = run.plan
    assert plan is not None
    taken = {result.name for result in run.report.stores if result.outcome == "ok"}
    own = [store for store in plan.stores if store.own is not None and store.store in taken]
    run.state.settle(
        _settlement(run, "", plan.shop_wide, complete),
        [_settlement(run, store.store, plan.target_state(store), complete) for store in own],
        left=[store.store for store in plan.stores if store.own is None and store.store in taken],
    )
    forget(run)


def _settlement(run: Run, store: str, target_state: TargetState, complete: bool) -> Settlement:
    """What follows for the shop (``""``), or for a store with a catalogue of its own."""
    assert run.plan is not None
    catalogue, night = run.catalogue_of(store), run.report.started_at[:10]
    loaded, previous = last_loaded(run, store)
    graves, before = stones(run, store), previous
    for after in (*unsettled(run, store), catalogue):  # what a run that was broken off has shown leaves graves as well
        graves, before = next_tombstones(graves, before, after, target_state.held, night), after
    redirects = wanted_redirects(run, catalogue, previous, store)
    return Settlement(
        run=run.report.run,
        catalogue=target_state.catalogue,
        plan=run.plan.fingerprint,
        counts=run.sizes or (dict(loaded.counts) if loaded else {}),
        meanings=() if store else all_meanings(run),
        tombstones=tuple({**asdict(stone), "path": list(stone.path) or None} for stone in graves.values()),
        redirects=redirects.kept,
        fresh=redirects.fresh,
        # by a clock that went far back they would be too old as soon as it is right again
        fresh_since=max(night, last_night(run) or night),
        complete=complete,
        store=store,
    )


def forget(run: Run) -> None:
    """Delete what no run, no store and no rollback needs any more."""
    run.state.forget(run.shop.history.keep_runs)
    rows = run.state.runs()
    loaded = [run.state.loaded(store) for store in ("", *(store.name for store in run.shop.stores))]
    catalogues = {row["catalogue"] for row in rows} | {item.catalogue for item in run.state.confirmed().values()}
    catalogues |= {now.catalogue for now in loaded if now is not None}
    for row in rows:  # those of stores with rules of their own: a rollback needs them
        catalogues |= {own["catalogue"] for own in (row["report"] or {}).get("own_catalogues", {}).values()}
    assert run.plan is not None
    catalogues |= {run.plan.target_state(store).catalogue for store in run.plan.stores}
    run.history.forget(
        {c for c in catalogues if c}, {row["extract"] for row in rows if row["extract"]}, {row["run"] for row in rows}
    )
