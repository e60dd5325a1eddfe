"""The guards on what the base gave, on what a store shows, and on what is remembered of earlier runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from schemas.catalogue import Catalogue
from schemas.contents import Contents, Rows
from schemas.plan import GuardViolation, Operation
from schemas.registry import NumberChange, Origin
from transforms.guards.build import some, violation
from transforms.guards.limits import Limits, rows_allowed
from transforms.guards.measures import sellable
from transforms.names import plain_name


def history_violations(lost: Mapping[str, str], goods: int) -> list[GuardViolation]:
    """``no_history``: the guards that compare would let everything pass, so all ``goods`` are at stake.

    ``lost`` maps a store (``""``: the whole shop) to the run that loaded what the history does not hold.
    """
    if not lost:
        return []
    runs = ", ".join(f"store {store}: run {run}" if store else f"run {run}" for store, run in lost.items())
    return [violation("no_history", goods, 0, runs=runs)]


def state_violations(evidence: Sequence[str], goods: int) -> list[GuardViolation]:
    """``lost_state``: the state remembers no run, and ``evidence`` (one clause each) proves that there were some.

    Numbers would be given a second time, so all ``goods`` are at stake. Ask only where the state is empty.
    """
    return [violation("lost_state", goods, 0, evidence=some(evidence, "; "))] if evidence else []


def feed_violations(after: Catalogue, before: Catalogue | None, stores: Sequence[str]) -> list[GuardViolation]:
    """``empty_feed``: a feed of priced goods had offers last night and would have none, in these ``stores``.

    It stops the whole shop, so the message names the stores and the violation none. Ask it for stores of kind yml and
    google that load this catalogue.
    """
    size = sellable(before.offers) if before is not None and stores else 0
    if not size or sellable(after.offers):
        return []
    return [violation("empty_feed", size, size - 1, size=size, stores=", ".join(stores))]


def first_feed_violations(after: Catalogue, stores: Sequence[str]) -> list[GuardViolation]:
    """``empty_feed`` on the first night of these ``stores``: a feed could show none of the goods.

    Its store would refuse an empty file, and the other stores would be loaded from columns that are mapped wrongly.
    """
    size = len(after.offers)
    if not stores or not size or sellable(after.offers):
        return []
    return [violation("empty_feed", size, size - 1, "first", size=size, stores=", ".join(stores))]


def extract_violations(sizes: Mapping[str, int], counts: Mapping[str, int], limits: Limits) -> list[GuardViolation]:
    """``short_extract``: fewer rows of a raw table (``raw_goods``) than the last run read (``counts``).

    The counts stand in the state, so this holds without a history too.
    """
    violations = []
    for table, size in sizes.items():
        before = counts.get(table, 0)
        limit = rows_allowed(limits.share("max_short_share"), before)
        if before - size > limit:
            what = table.removeprefix("raw_")
            violations.append(violation("short_extract", before - size, limit, after=size, what=what, before=before))
    return violations


def store_violations(
    store: str, present: Contents, operations: Sequence[Operation], limits: Limits
) -> list[GuardViolation]:
    """``hidden_categories`` and ``hidden_offers`` of one store: rows that are shown now and would no longer be."""
    violations = []
    for entity, guard in (("category", "hidden_categories"), ("offer", "hidden_offers")):
        rows = present.table(entity)  # type: ignore[arg-type]
        place = rows.columns.index("hidden") if "hidden" in rows.columns else None
        shown = sum(place is None or not row[place] for row in rows.rows.values())
        hidden = sum(operation.kind == "hide" and operation.entity == entity for operation in operations)
        limit = rows_allowed(limits.share("max_removed_share"), shown)
        most = limits.count("max_removed")
        limit = limit if most is None else min(limit, most)
        if hidden > limit:
            violations.append(violation(guard, hidden, limit, store=store, size=shown))
    return violations


def number_violations(changes: Iterable[NumberChange]) -> list[GuardViolation]:
    """``number_reused``: numbers that mean another section than in the last run (domain.md section 2.5)."""
    reused = [change for change in changes if change.kind == "number_reused"]
    if not reused:
        return []
    told = some((f"{c.number} was «{c.before.name}» and is «{c.after.name}»" for c in reused), "; ")
    return [violation("number_reused", len(reused), 0, names=told)]


def taken_violations(
    store: str, wanted: Rows, present: Rows, origins: Mapping[int, Origin], known: Collection[int]
) -> list[GuardViolation]:
    """``number_reused`` where the state is new and the store is not: numbers that the store shows as something else.

    A number that Torgsoft or a rule gave may have been renamed or moved meanwhile, so both must differ. One of the
    registry's, which had to begin anew, is only the same section where nothing differs. Numbers that the registry has
    ``known`` before tonight are left to ``number_violations``.
    """
    fields = [name for name in ("name", "parent_number") if name in wanted.columns and name in present.columns]
    reused = []
    for number in wanted:
        if number not in present.rows or number in known:
            continue
        differs = [_plain(wanted.value(number, name)) != _plain(present.value(number, name)) for name in fields]
        if any(differs) if origins.get(int(number)) == "registry" else len(differs) == 2 and all(differs):
            reused.append(f"{number} was «{present.value(number, 'name')}» and is «{wanted.value(number, 'name')}»")
    if not reused:
        return []
    return [violation("number_reused", len(reused), 0, "store", store=store, names=some(reused, "; "))]


def _plain(value: object) -> object:
    """A name without regard to upper and lower case and to blanks; a number as it is."""
    return plain_name(value) if isinstance(value, str) else value
