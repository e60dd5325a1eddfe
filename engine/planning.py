"""Makes the plan of one run: what every store holds against what it shall hold, and the guards that this violates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.context import Run
from engine.guards import GuardCheck
from engine.sections import rules_text
from engine.stages import SHOP_WIDE, Comparison, Decided, Planned, StoreCatalogue
from engine.stores import compare, taken_over
from schemas.contents import Contents
from schemas.errors import StateError, StoreError, TorgsyncError, Unplannable
from schemas.plan import Operation, Plan, StorePlan, TargetState, fingerprint
from schemas.settings.shop import Shop
from schemas.settings.stores import StoreSettings
from transforms.absence import by_entity


def make_plan(run: Run, decided: Decided) -> Planned:
    """Compare the catalogues with every store that the run may touch. Only the history is written.

    A store that cannot be read is in the plan with its error, and gets nothing.
    """
    shop_wide = _target_state(run, decided, SHOP_WIDE, decided.shop_wide)
    targets = {store.name: _separate_target(run, decided, store.name, shop_wide) for store in run.stores}
    decided = decided.with_separate(store for store, target in targets.items() if target is not None)
    compared: dict[str, Comparison] = {}
    stores = []
    for settings in run.stores:
        own = targets[settings.name]
        store = _plan_store(run, decided, settings, own or shop_wide, compared)
        if own is not None:
            store = store.model_copy(update={"own": _due_only(own, store.operations)})
        stores.append(store)
    needed = [op for store in stores if store.own is None for op in store.operations]
    loaded = run.state.loaded()
    plan = Plan(
        shop=run.shop.name,
        purpose="rollback" if run.report.continues else "sync",
        **dict(_due_only(shop_wide, needed)),
        extract=decided.fingerprint,
        settings=settings_fingerprint(run.shop),
        base=loaded.run if loaded else "",
        guards=GuardCheck(run, decided).all(compared),
        stores=tuple(stores),
    )
    return _noted(run, Planned(plan, decided, compared))


def complete_plan(run: Run, planned: Planned) -> Planned:
    """The same plan with the stores that could not be read when it was made: planned now, for the same catalogue."""
    settings = {store.name: store for store in run.shop.stores}
    compared: dict[str, Comparison] = {}
    stores = []
    for store in planned.plan.stores:
        if store.error:
            target = planned.plan.target_state(store)
            found = _plan_store(run, planned.decided, settings[store.store], target, compared)
            store = found.model_copy(update={"own": store.own})
        stores.append(store)
    plan = planned.plan.model_copy(update={"stores": tuple(stores)})
    return _noted(run, replace(planned, plan=plan, compared={**planned.compared, **compared}))


def refuse_incomplete(planned: Planned) -> None:
    """Raise StoreError where a store of the plan could not be read or planned: for runs that only plan."""
    stores = planned.plan.stores
    failed = [f"store {store.store} {store.trouble}: {store.error}" for store in stores if store.error]
    if failed:
        raise StoreError(f"{len(failed)} of {len(stores)} stores are not in the plan: {'; '.join(failed)}")


def _noted(run: Run, planned: Planned) -> Planned:
    run.findings.plan, run.findings.decided = planned.plan, planned.decided
    return planned


def _plan_store(
    run: Run, decided: Decided, settings: StoreSettings, target: TargetState, compared: dict[str, Comparison]
) -> StorePlan:
    """The operations of one store, which joins ``compared``; or the error of one that cannot be read."""
    name = settings.name
    try:
        found = compare(run, settings, decided.catalogues[name].catalogue, target)
    except StateError:
        raise
    except TorgsyncError as error:
        run.warn(error.message)
        unplanned = isinstance(error, Unplannable)
        return StorePlan(store=name, kind=settings.kind, error=error.sentence, unplanned=unplanned)
    compared[name] = found
    run.warn(*(f"store {name} does not hold {row}" for row in taken_over(found)))
    new = set(target.redirects) - {str(key) for key in run.state.redirects(run.memory.key(name)).rows}
    if new and (why := found.adapter.capabilities.gaps.get("redirect")):
        run.warn(f"store {name} does not redirect {len(new)} addresses that categories left: {why}")
    return StorePlan(store=name, kind=settings.kind, before=_fingerprint(found.present), operations=found.operations)


def _target_state(run: Run, decided: Decided, store: str, wanted: StoreCatalogue) -> TargetState:
    """What a store, or the whole shop, is brought to. The catalogue is kept in the history."""
    redirects = run.memory.redirects_for(decided, store).emitted
    return TargetState(
        catalogue=run.history.save_catalogue(wanted.catalogue),
        held=dict(wanted.held),
        retire={entity: sorted(keys) for entity, keys in by_entity(run.memory.due_tombstones(store)).items()},
        redirects={str(key): (row[0], list(row[1]), row[2]) for key, row in redirects.rows.items()},
    )


def _separate_target(run: Run, decided: Decided, store: str, shop_wide: TargetState) -> TargetState | None:
    """The target state of a store with a separate catalogue, or with a separate memory from the time of one.

    A store keeps a separate memory until it was loaded with the shop-wide catalogue once, and while it remembers old
    addresses of its own, or rows that only it has hidden wait to be retired. None for every other store.
    """
    if store in decided.separate:
        return _target_state(run, decided, store, decided.catalogues[store])
    loaded, of_shop = run.state.loaded(store), run.state.loaded()
    if loaded is None or of_shop is None:
        return None
    target = _target_state(run, decided, store, decided.shop_wide)
    others, nights = run.memory.tombstones(), run.shop.removals.retire_after_nights
    mine = run.memory.tombstones(store)
    waiting = any(key not in others and tombstone.nights <= nights for key, tombstone in mine.items())
    if not waiting and target.redirects == shop_wide.redirects and loaded.catalogue == of_shop.catalogue:
        return None
    return target


def _due_only(target: TargetState, needed: Iterable[Operation]) -> TargetState:
    """The target state that retires only what some operation retires."""
    retired = {(op.entity, op.key) for op in needed if op.kind == "retire"}
    retire = {entity: [key for key in keys if (entity, key) in retired] for entity, keys in target.retire.items()}
    return target.model_copy(update={"retire": retire})


def settings_fingerprint(shop: Shop) -> str:
    """Fingerprint of the shop's settings and rules: a plan that was made of others is stale.

    When a run begins, who approves it and who is alerted changes no plan.
    """
    return fingerprint([shop.model_dump_json(exclude={"schedule", "approval", "alerts"}), rules_text(shop)])


def _fingerprint(contents: Contents) -> str:
    tables = (contents.categories, contents.offers, contents.redirects)
    return fingerprint(
        [*((rows.columns, key, row) for rows in tables for key, row in rows.rows.items()), *contents.files.items()]
    )
