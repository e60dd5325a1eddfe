"""Applies a plan, store by store, and takes over into the state what follows from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import date, timedelta

from flows.planning import contents_of, last_loaded, stones, wanted_redirects
from flows.run import Run
from flows.steps import Steps
from flows.targets import open_store
from schemas.contents import Contents
from schemas.errors import StalePlan, StoreError, TorgsyncError
from schemas.plan import Operation, StorePlan
from schemas.report import StoreResult
from schemas.stores import FileStore, Store
from state.journal import StateJournal
from state.store import Confirmed, Settlement
from stores.protocol import Replan, Wanted
from transforms.absence import next_tombstones
from transforms.numbers import meanings_of
from transforms.plan import Absent, operations, unplanned


def carry_out(run: Run, do: Steps, only: Collection[str] | None = None) -> None:
    """Do what ``run.plan`` lists, in all stores or in some, and settle the state.

    One store's failure leaves the others whole: raises StoreError at the end, when every other store is up to date.
    """
    plan, catalogue = run.plan, run.catalogue
    assert plan is not None
    assert catalogue is not None
    # numbers are given before a store sees them: a crash in between gives the same ones again
    run.state.give_numbers(meanings_of(catalogue.sections), run.report.run)
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
    """Whether every store of the shop holds the catalogue now: a retry completes what the run before it began."""
    assert run.plan is not None
    taken = {store: confirmed.catalogue for store, confirmed in run.state.confirmed().items()}
    return all(taken.get(store.name) == run.plan.catalogue for store in run.shop.stores)


def check_fresh(run: Run) -> None:
    """Raise StalePlan when a store needs an operation that the plan does not list."""
    assert run.plan is not None
    settings = {store.name: store for store in run.shop.stores}
    for store in run.plan.stores:
        if not store.error:
            target = open_store(run, settings[store.store])
            run.wanted[store.store] = _wanted(run, target)
            replanner(run, store, run.wanted[store.store])(target.read())


def replanner(run: Run, store: StorePlan, wanted: Wanted) -> Replan:
    """What is needed for what a store holds now; raises StalePlan when the plan does not list it."""
    plan = run.plan
    assert plan is not None
    absent = Absent(plan.held, plan.retire)

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


def _wanted(run: Run, target: object) -> Wanted:
    assert run.plan is not None
    assert run.catalogue is not None
    return target.want(run.catalogue, contents_of(run.plan, run.catalogue))  # type: ignore[attr-defined, no-any-return]


def _apply(run: Run, store: StorePlan, settings: Store, do: Steps) -> StoreResult:
    try:
        result = do(f"load {store.store}", _apply_store, run, store, settings)
    except TorgsyncError as error:
        message = f"{error.message}; next: {error.next_step}" if error.next_step else error.message
        return StoreResult(name=store.store, kind=store.kind, outcome="failed", message=message)
    assert run.plan is not None
    confirmed = run.state.confirmed().get(store.store)
    if confirmed is None or store.operations or confirmed.catalogue != run.plan.catalogue:
        files = result.files or (confirmed.files if confirmed else {})
        run.state.confirm(store.store, Confirmed(run.report.run, run.plan.catalogue, files))
    return result


def _apply_store(run: Run, store: StorePlan, settings: Store) -> StoreResult:
    if store.error:
        raise StoreError(store.error)
    if not store.operations:  # nothing to do: the store is not even opened
        published = False if isinstance(settings, FileStore) else None
        return StoreResult(name=store.store, kind=store.kind, published=published)
    target = open_store(run, settings)
    wanted = run.wanted.get(store.store) or _wanted(run, target)
    journal = StateJournal(run.state, run.report.run, store.store)
    return target.apply(store, wanted, replanner(run, store, wanted), journal)


def _settle(run: Run, complete: bool) -> None:
    """Meanings, tombstones, redirects and what was loaded, in one transaction; then what is too old is forgotten."""
    plan, catalogue = run.plan, run.catalogue
    assert plan is not None
    assert catalogue is not None
    loaded, previous = last_loaded(run)
    night = run.report.started_at[:10]
    buried = next_tombstones(stones(run), previous, catalogue, plan.held, night)
    oldest = date.fromisoformat(night) - timedelta(days=30 * run.shop.redirects.keep_months)
    counts = run.sizes or (dict(loaded.counts) if loaded else {})
    run.state.settle(
        Settlement(
            run=run.report.run,
            night=night,
            catalogue=plan.catalogue,
            plan=plan.fingerprint,
            counts=counts,
            meanings=meanings_of(catalogue.sections),
            tombstones=tuple({**asdict(stone), "path": list(stone.path) or None} for stone in buried.values()),
            redirects=wanted_redirects(run, catalogue, previous).kept,
            redirects_before=oldest.isoformat(),
            complete=complete,
        )
    )
    forget(run)


def forget(run: Run) -> None:
    """Delete what no run, no store and no rollback needs any more."""
    run.state.forget(run.shop.history.keep_runs)
    rows = run.state.runs()
    now, confirmed = run.state.loaded(), run.state.confirmed().values()
    catalogues = {row["catalogue"] for row in rows} | {item.catalogue for item in confirmed} | {now and now.catalogue}
    run.history.forget(
        {c for c in catalogues if c}, {row["extract"] for row in rows if row["extract"]}, {row["run"] for row in rows}
    )
