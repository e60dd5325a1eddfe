"""The plan of one run: what every store holds against what it shall hold, and the guards that it violations."""

from __future__ import annotations

from collections.abc import Iterable

from engine.memory import buried, last_loaded, past, stones, wanted_redirects
from engine.open_store import open_store
from engine.run import OwnCatalogue, Run
from schemas.catalogue import Catalogue
from schemas.contents import Contents, Entity, Rows
from schemas.errors import TorgsyncError
from schemas.plan import GuardViolation, Operation, Plan, StorePlan, TargetState, fingerprint
from schemas.registry import Meaning
from schemas.settings.shop import GuardsSettings, Shop
from state.database import Confirmed, Loaded
from transforms.absence import by_entity
from transforms.guards import (
    Limits,
    catalogue_violations,
    category_violations,
    extract_violations,
    history_violations,
    number_violations,
    store_violations,
    taken_violations,
)
from transforms.numbers import meanings_of, number_changes
from transforms.plan import REDIRECT_COLUMNS, Absent, operations, wanted_contents

_OF_A_ROLLBACK = ("moved_goods", "root_vanished")
"""A rollback reads no base: the other guards that compare catalogues look at the extract, and have nothing to say."""


def make_plan(run: Run, held: dict[Entity, list[int]]) -> Plan:
    """Compare ``run.catalogue`` and ``run.own`` with every store; nothing is written but these into the history.

    A store that cannot be read is in the plan with its error. ``held`` keys are left alone (their source rows are in
    the quarantine). Fills ``run.wanted``.
    """
    catalogue = run.catalogue
    assert catalogue is not None
    loaded, previous = last_loaded(run)
    target_state = _target_state(run, "", catalogue, held)
    contents = contents_of(target_state, catalogue)
    violations = _trips(run, catalogue, loaded, previous)
    plans = []
    for settings in run.stores:
        name, own = settings.name, _own_target_state(run, settings.name, target_state)
        try:
            target = open_store(run, settings)
            mine = run.catalogue_of(name)
            wanted = run.wanted[name] = target.want(mine, contents_of(own, mine) if own else contents)
            present = target.read()
        except TorgsyncError as error:
            unread = own and _due_only(own, ())
            plans.append(StorePlan(store=name, kind=settings.kind, error=error.sentence, own=unread))
            run.warnings.append(error.message)
            continue
        aside = own or target_state
        fresh = set(aside.redirects) - {str(key) for key in run.state.redirects(past(run, name)).rows}
        if fresh and (why := target.capabilities.gaps.get("redirect")):
            run.warnings.append(f"store {name} does not redirect {len(fresh)} addresses that categories left: {why}")
        needed = operations(wanted.contents, present, Absent(aside.held, aside.retire))
        violations += _store_guards(run, name, wanted.contents, present, needed)
        if own is not None:
            own = _due_only(own, needed)
        plans.append(
            StorePlan(store=name, kind=settings.kind, before=_fingerprint(present), own=own, operations=needed)
        )
    target_state = _due_only(target_state, [op for plan in plans if plan.own is None for op in plan.operations])
    violations = [*_history_guard(run, ["", *(plan.store for plan in plans if not plan.error)]), *violations]
    return Plan(
        shop=run.shop.name,
        purpose="rollback" if run.report.continues else "sync",
        catalogue=target_state.catalogue,
        extract=run.extract,
        settings=settings_fingerprint(run.shop),
        base=loaded.run if loaded else "",
        held=target_state.held,
        retire=target_state.retire,
        redirects=target_state.redirects,
        guards=tuple(violations),
        stores=tuple(plans),
    )


def _target_state(run: Run, store: str, catalogue: Catalogue, held: dict[Entity, list[int]]) -> TargetState:
    """What a store, or the whole shop (``""``), is brought to; the catalogue is kept."""
    _, previous = last_loaded(run, store)
    redirects = wanted_redirects(run, catalogue, previous, store).emitted
    return TargetState(
        catalogue=run.history.save_catalogue(catalogue),
        held=held,
        retire={entity: sorted(keys) for entity, keys in by_entity(buried(run, store)).items()},
        redirects={str(key): (row[0], list(row[1]), row[2]) for key, row in redirects.rows.items()},
    )


def _due_only(target_state: TargetState, needed: Iterable[Operation]) -> TargetState:
    """Return the target state with those alone to retire that some operation retires."""
    retired = {(op.entity, op.key) for op in needed if op.kind == "retire"}
    retire = {entity: [key for key in keys if (entity, key) in retired] for entity, keys in target_state.retire.items()}
    return target_state.model_copy(update={"retire": retire})


def _own_target_state(run: Run, store: str, shop_wide: TargetState) -> TargetState | None:
    """The target state of a store that rules name, or did: it goes on by itself while it has a past of its own.

    That is until it was loaded with the shop-wide catalogue once, and while old addresses of its own are remembered, or
    rows that are hidden there alone wait to be retired.
    """
    if store in run.own:
        return _target_state(run, store, run.own[store].catalogue, run.own[store].held)
    loaded, now = run.state.loaded(store), run.state.loaded()
    if loaded is None:
        return None
    assert now is not None
    assert run.catalogue is not None
    target_state = _target_state(run, store, run.catalogue, shop_wide.held)
    others, nights = stones(run), run.shop.removals.retire_after
    waiting = any(grave not in others and stone.nights <= nights for grave, stone in stones(run, store).items())
    if not waiting and target_state.redirects == shop_wide.redirects and loaded.catalogue == now.catalogue:
        return None
    run.own[store] = OwnCatalogue(run.catalogue, shop_wide.held)
    return target_state


def plan_unread(run: Run) -> Plan:
    """``run.plan`` with the stores that could not be read when it was made: planned now, for the same catalogue."""
    plan = run.plan
    assert plan is not None
    settings = {store.name: store for store in run.shop.stores}
    stores, violations = [], list(plan.guards)
    for store in plan.stores:
        if store.error:
            try:
                target = open_store(run, settings[store.store])
                target_state, mine = plan.target_state(store), run.catalogue_of(store.store)
                wanted = run.wanted[store.store] = target.want(mine, contents_of(target_state, mine))
                present = target.read()
            except TorgsyncError as error:
                stores.append(store.model_copy(update={"error": error.sentence}))
                continue
            needed = operations(wanted.contents, present, Absent(target_state.held, target_state.retire))
            violations += _history_guard(run, [store.store])
            violations += _store_guards(run, store.store, wanted.contents, present, needed)
            found = {"before": _fingerprint(present), "error": "", "operations": needed}
            store = store.model_copy(update=found)
        stores.append(store)
    return plan.model_copy(update={"guards": tuple(violations), "stores": tuple(stores)})


def contents_of(target_state: TargetState, catalogue: Catalogue) -> Contents:
    """What a store shall hold by the target state of a plan; ``catalogue`` is the one that it names."""
    return wanted_contents(catalogue, Rows(REDIRECT_COLUMNS, {key: row for key, row in target_state.redirects.items()}))


def limits(settings: GuardsSettings) -> Limits:
    """The shop's guards as the transforms take them."""
    return Limits(**settings.model_dump())


def settings_fingerprint(shop: Shop) -> str:
    """Fingerprint of the shop's settings and rules: a plan that was made of others is stale. When a run begins, who is
    asked and who is told changes no plan.
    """
    rules = shop.path(shop.sections.rules) if shop.sections.rules else None
    text = rules.read_text(encoding="utf-8") if rules is not None and rules.is_file() else ""
    return fingerprint([shop.model_dump_json(exclude={"schedule", "approval", "alerts"}), text])


def all_meanings(run: Run) -> tuple[Meaning, ...]:
    """What each number means: by the shop-wide catalogue, else by the first store that has a catalogue with it."""
    assert run.catalogue is not None
    found = {meaning.number: meaning for meaning in meanings_of(run.catalogue.sections)}
    for own in run.own.values():
        found = {meaning.number: meaning for meaning in meanings_of(own.catalogue.sections)} | found
    return tuple(found.values())


def _history_guard(run: Run, stores: Iterable[str]) -> list[GuardViolation]:
    """Whether the history holds what the run has to compare with: the last catalogue of stores, ``""`` is the shop's.

    A store that cannot be read tonight is not asked: it gets nothing, and must not keep the others from theirs.
    """
    confirmed = run.state.confirmed()
    last: dict[str, Loaded | Confirmed | None]
    last = {store: (confirmed.get(store) if store else None) or run.state.loaded(store) for store in stores}
    lost: dict[str, str] = {}
    seen: set[str] = set()
    for store, found in last.items():
        if found is not None and found.catalogue not in seen and not run.history.has_catalogue(found.catalogue):
            seen.add(found.catalogue)
            lost[store] = found.run
    assert run.catalogue is not None
    return history_violations(lost, run.sizes.get("raw_goods", len(run.catalogue.offers)))


def _store_guards(
    run: Run, store: str, wanted: Contents, present: Contents, needed: tuple[Operation, ...]
) -> list[GuardViolation]:
    """The guards on what a plan does to one store."""
    violations = store_violations(store, present, needed, limits(run.shop.guards))
    confirmed = run.state.confirmed().get(store)
    if confirmed is None:  # nothing tells what its numbers mean but the store, if it was used before
        sections, shown = run.catalogue_of(store).sections, present.categories
        origins = dict(zip(sections["number"].astype(int), sections["number_origin"], strict=True))
        known = {
            number
            for number, meaning in run.state.registry().meanings.items()
            if number in shown.rows
            and (shown.value(number, "name"), shown.value(number, "parent_number"))
            == (meaning.name, meaning.parent_number)
        }
        violations += taken_violations(store, wanted.categories, shown, origins, known)
        return violations
    return violations + _category_guards(run, store, confirmed)


def _category_guards(run: Run, store: str, confirmed: Confirmed) -> list[GuardViolation]:
    """The guards on categories by what this store took last, where that is not what the shop loaded last: it has rules
    of its own, or was left out by a run in which more was allowed, and that was not allowed here. A store that was only
    out of reach is not asked: each step that it missed passed the guards by itself.
    """
    own, loaded = store in run.own, run.state.loaded()
    if not run.history.has_catalogue(confirmed.catalogue):
        return []
    same = loaded is None or loaded.catalogue == confirmed.catalogue
    if not own and (same or not _allowed_since(run, confirmed.run)):
        return []
    before = run.history.catalogue(confirmed.catalogue)
    found = category_violations(run.catalogue_of(store), before, limits(run.shop.guards))
    if run.raw is None and not own:
        found = [violation for violation in found if violation.guard in _OF_A_ROLLBACK]
    return [violation.model_copy(update={"store": store}) for violation in found]


def _allowed_since(run: Run, confirmed: str) -> bool:
    """Whether a run after ``confirmed`` was allowed more than the guards on categories let pass."""
    for row in run.state.runs():
        if row["run"] == confirmed:
            return False
        if set(row["allowed"] or {}) & {"moved_goods", "root_vanished", "second_root", "renumbered"}:
            return True
    return True  # that run is not on record any more


def _trips(run: Run, catalogue: Catalogue, loaded: Loaded | None, previous: Catalogue | None) -> list[GuardViolation]:
    """The guards that compare with what was loaded last; without a history, the counts that the state has remain."""
    violations = number_violations(number_changes(all_meanings(run), run.state.registry()))
    by = limits(run.shop.guards)
    if loaded is not None and run.raw is not None:
        sizes = {table: run.sizes[table] for table in ("raw_product_types", "raw_goods")}
        violations += extract_violations(sizes, loaded.counts, by)
    found = catalogue_violations(catalogue, previous, by) if previous is not None else []
    return violations + [violation for violation in found if run.raw is not None or violation.guard in _OF_A_ROLLBACK]


def _fingerprint(contents: Contents) -> str:
    tables = (contents.categories, contents.offers, contents.redirects)
    return fingerprint(
        [*((rows.columns, key, row) for rows in tables for key, row in rows.rows.items()), *contents.files.items()]
    )


def held_keys(run: Run, catalogue: Catalogue) -> dict[Entity, list[int]]:
    """Keys whose source row is in the quarantine tonight: what a store holds of them stays as it is.

    Goods by their id; categories by the number of a rejected section, or by the type that a rejected product type's own
    section was made for.
    """
    rejected = run.quarantine
    assert rejected is not None
    assert run.raw is not None
    goods = rejected.loc[rejected["table"] == "raw_goods", "row_key"]
    offers = {int(key) for key in goods if str(key).lstrip("-").isdigit()}
    types = {f"type:{key}" for key in rejected.loc[rejected["table"] == "raw_product_types", "row_key"]}
    sections = rejected.loc[rejected["table"] == "raw_sections"]
    keys = {f"torgsoft:{key}" for key in sections["row_key"]}
    numbers = run.raw.sections["number"].iloc[sorted(set(sections["row_number"] - 1))].dropna()
    by_number = {int(number) for number in numbers if str(number).strip().isdecimal()}
    by_identity = {m.number for m in run.state.registry().meanings.values() if m.identity in types | keys}
    living = {int(n) for n in catalogue.categories["number"]}
    return {"category": sorted((by_number | by_identity) - living), "offer": sorted(offers)}
