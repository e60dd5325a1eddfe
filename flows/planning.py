"""The plan of one run: what every store holds against what it shall hold, and the guards that it trips."""

from __future__ import annotations

from typing import Any

from flows.run import Run
from flows.targets import open_store
from schemas.catalogue import Catalogue
from schemas.contents import Contents, Entity, Rows
from schemas.errors import TorgsyncError
from schemas.plan import Plan, StorePlan, Trip, fingerprint
from schemas.shop import GuardsSettings, Shop
from state.store import Loaded
from transforms.absence import Tombstone, by_entity, due
from transforms.guards import Limits, Previous, catalogue_trips, extract_trips, number_trips, store_trips
from transforms.numbers import meanings_of, number_changes
from transforms.plan import REDIRECT_COLUMNS, Absent, operations, wanted_contents
from transforms.redirects import Buried, Redirects, next_redirects


def make_plan(run: Run, held: dict[Entity, list[int]]) -> Plan:
    """Compare ``run.catalogue`` with every store; nothing is written but the catalogue into the history.

    A store that cannot be read is in the plan with its error. ``held`` keys are left alone (their source rows are in
    the quarantine). Fills ``run.wanted``.
    """
    catalogue = run.catalogue
    assert catalogue is not None
    loaded, previous = last_loaded(run)
    redirects = wanted_redirects(run, catalogue, previous)
    retire = by_entity(buried(run))
    absent = Absent(held, retire)
    contents = wanted_contents(catalogue, redirects.emitted)
    trips = _trips(run, catalogue, loaded, previous)
    plans = []
    for settings in run.stores:
        try:
            target = open_store(run, settings)
            wanted = run.wanted[settings.name] = target.want(catalogue, contents)
            present = target.read()
        except TorgsyncError as error:
            plans.append(StorePlan(store=settings.name, kind=settings.kind, error=error.message))
            run.warnings.append(error.message)
            continue
        needed = operations(wanted.contents, present, absent)
        trips += store_trips(settings.name, present, needed, limits(run.shop.guards))
        plans.append(
            StorePlan(store=settings.name, kind=settings.kind, before=_fingerprint(present), operations=needed)
        )
    retired = {(op.entity, op.key) for plan in plans for op in plan.operations if op.kind == "retire"}
    return Plan(
        shop=run.shop.name,
        purpose="rollback" if run.report.continues else "sync",
        catalogue=run.history.save_catalogue(catalogue),
        extract=run.extract,
        settings=settings_fingerprint(run.shop),
        base=loaded.run if loaded else "",
        held=held,
        retire={entity: sorted(k for k in keys if (entity, k) in retired) for entity, keys in retire.items()},
        redirects={str(key): (row[0], list(row[1]), row[2]) for key, row in redirects.emitted.rows.items()},
        guards=tuple(trips),
        stores=tuple(plans),
    )


def plan_unread(run: Run) -> Plan:
    """``run.plan`` with the stores that could not be read when it was made: planned now, for the same catalogue."""
    plan, catalogue = run.plan, run.catalogue
    assert plan is not None
    assert catalogue is not None
    settings = {store.name: store for store in run.shop.stores}
    stores, trips = [], list(plan.guards)
    for store in plan.stores:
        if store.error:
            try:
                target = open_store(run, settings[store.store])
                wanted = run.wanted[store.store] = target.want(catalogue, contents_of(plan, catalogue))
                present = target.read()
            except TorgsyncError as error:
                stores.append(store.model_copy(update={"error": error.message}))
                continue
            needed = operations(wanted.contents, present, Absent(plan.held, plan.retire))
            trips += store_trips(store.store, present, needed, limits(run.shop.guards))
            store = StorePlan(store=store.store, kind=store.kind, before=_fingerprint(present), operations=needed)
        stores.append(store)
    return plan.model_copy(update={"guards": tuple(trips), "stores": tuple(stores)})


def contents_of(plan: Plan, catalogue: Catalogue) -> Contents:
    """What the stores shall hold by a plan that was kept."""
    return wanted_contents(catalogue, Rows(REDIRECT_COLUMNS, {key: row for key, row in plan.redirects.items()}))


def last_loaded(run: Run) -> tuple[Loaded | None, Catalogue | None]:
    """What was loaded last, and its catalogue where it is still kept."""
    loaded = run.state.loaded()
    kept = loaded is not None and run.history.has_catalogue(loaded.catalogue)
    return loaded, run.history.catalogue(loaded.catalogue) if loaded and kept else None


def stones(run: Run) -> dict[Any, Tombstone]:
    """The tombstones that the state holds."""
    found = (Tombstone(**{**row, "path": tuple(row["path"] or ())}) for row in run.state.tombstones())
    return {(stone.entity, stone.key): stone for stone in found}


def wanted_redirects(run: Run, catalogue: Catalogue, previous: Catalogue | None) -> Redirects:
    """The redirects once ``catalogue`` is loaded."""
    graves = [Buried(s.key, s.path, s.parent_number) for s in buried(run) if s.entity == "category"]
    return next_redirects(run.state.redirects(), previous, catalogue, graves)


def buried(run: Run) -> list[Tombstone]:
    """What has been absent for long enough to be retired tonight."""
    return due(stones(run).values(), run.shop.removals.retire_after, run.report.started_at[:10])


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


def _trips(run: Run, catalogue: Catalogue, loaded: Loaded | None, previous: Catalogue | None) -> list[Trip]:
    changes = number_changes(meanings_of(catalogue.sections), run.state.registry())
    trips = number_trips(changes)
    if loaded is None or previous is None:
        return trips
    before = Previous(previous, loaded.counts)
    found = catalogue_trips(catalogue, before, limits(run.shop.guards))
    if run.raw is None:  # a rollback reads no base: what looks at the extract has nothing to say
        found = [trip for trip in found if trip.guard in ("moved_goods", "root_vanished")]
    else:
        sizes = {table: run.sizes[table] for table in ("raw_product_types", "raw_goods")}
        found = extract_trips(sizes, before, limits(run.shop.guards)) + found
    return trips + found


def _fingerprint(contents: Contents) -> str:
    tables = (contents.categories, contents.offers, contents.redirects)
    return fingerprint(
        [*((rows.columns, key, row) for rows in tables for key, row in rows.rows.items()), *contents.files.items()]
    )


def held_keys(run: Run) -> dict[Entity, list[int]]:
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
    assert run.catalogue is not None
    living = {int(n) for n in run.catalogue.categories["number"]}
    return {"category": sorted((by_number | by_identity) - living), "offer": sorted(offers)}
