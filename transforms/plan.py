"""The plan's operations: the difference between what a store shall hold and what it holds (design.md section 4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.catalogue import Catalogue
from schemas.contents import Contents, Entity, Key, Rows
from schemas.plan import Kind, Operation, plain
from schemas.tables import CATEGORIES, OFFERS
from schemas.values import plain_values

CATEGORY_COLUMNS = ("name", "parent_number", "path", "depth", "hidden", "retired")
OFFER_COLUMNS = (*(name for name in OFFERS.columns if name != "good_id"), "retired")
REDIRECT_COLUMNS = ("old_number", "old_path", "number")

_IDENTIFYING: dict[Entity, tuple[str, ...]] = {
    "category": ("name", "parent_number", "hidden"),
    "offer": ("name", "category_number", "hidden"),
}


@dataclass(frozen=True)
class Absent:
    """How to treat rows that left the catalogue: ``held`` ones stay as they are (their source row is in the quarantine
    tonight), ``retire`` ones have been absent long enough to be retired; all others are hidden.
    """

    held: Mapping[Any, Collection[int]] = field(default_factory=dict)
    retire: Mapping[Any, Collection[int]] = field(default_factory=dict)


def wanted_contents(catalogue: Catalogue, redirects: Rows) -> Contents:
    """Return what every store shall hold: the categories and offers of the catalogue, and the redirects."""
    categories, offers = catalogue.categories, catalogue.offers
    return Contents(
        categories=_rows(categories, "number", [c for c in CATEGORIES.columns if c not in ("number", "goods")],
                         CATEGORY_COLUMNS, (False, False)),
        offers=_rows(offers, "good_id", [c for c in OFFERS.columns if c != "good_id"], OFFER_COLUMNS, (False,)),
        redirects=redirects,
    )  # fmt: skip


def _rows(frame: Any, key: str, names: list[str], columns: tuple[str, ...], more: tuple[Any, ...]) -> Rows:
    values = [[list(v) for v in frame[n]] if n == "path" else plain_values(frame[n]) for n in names]
    keys = [int(k) for k in frame[key]]
    return Rows(columns, {k: (*row, *more) for k, row in zip(keys, zip(*values, strict=True), strict=True)})


def operations(wanted: Contents, present: Contents, absent: Absent) -> tuple[Operation, ...]:
    """Return the smallest list of operations that turns ``present`` into ``wanted``.

    Order: new and changed categories (parents first), new and changed goods, then rows to hide (goods before their
    categories, children before parents), then redirects; within each group the order of the catalogue. A key that
    somebody else's row has in the store gets none.
    """
    hidden_later: list[Operation] = []
    coming: list[Operation] = []
    for entity in ("category", "offer"):
        for operation in _coming(entity, wanted.table(entity), present.table(entity)):
            (hidden_later if operation.kind == "hide" else coming).append(operation)
    leaving = [
        *_leaving("offer", wanted.offers, present.offers, absent.held.get("offer", ()), absent.retire),
        *_leaving(
            "category", wanted.categories, present.categories,
            _with_ancestors(present.categories, absent.held.get("category", ())), absent.retire,
        ),
    ]  # fmt: skip
    found = (
        *coming,
        *hidden_later,
        *leaving,
        *_redirects(wanted.redirects, present.redirects),
        *_files(wanted, present),
    )
    if not any(present.others.values()):
        return found
    return tuple(operation for operation in found if operation.key not in present.others.get(operation.entity, ()))


def _coming(entity: Entity, wanted: Rows, present: Rows) -> list[Operation]:
    out = []
    same = wanted.columns == present.columns
    for key, row in wanted.rows.items():
        before = present.rows.get(key)
        if before is None:
            fields = dict(zip(wanted.columns, row, strict=True))
            shown = {f: (None, plain(fields[f])) for f in _IDENTIFYING[entity] if f in fields and fields[f] is not None}
            out.append(Operation("create", entity, key, str(fields["name"]), shown))
        elif not same or before != row:
            operation = _changed(entity, key, present.row(key), dict(zip(wanted.columns, row, strict=True)))
            if operation is not None:
                out.append(operation)
    return out


def _changed(entity: Entity, key: Key, before: Mapping[str, Any], after: Mapping[str, Any]) -> Operation | None:
    """Return the operation for one row, or None; compares only the columns that the store holds."""
    changes = {f: (plain(before[f]), plain(v)) for f, v in after.items() if f in before and before[f] != v}
    if not changes:
        return None
    return Operation(_kind(entity, changes), entity, key, str(after["name"]), changes)


def _kind(entity: Entity, changes: Mapping[str, tuple[Any, Any]]) -> Kind:
    """Return the kind of the most important change."""
    if "hidden" in changes:
        return "hide" if changes["hidden"][1] else "restore"
    if "retired" in changes:
        return "retire" if changes["retired"][1] else "restore"
    if entity == "category":
        return "move" if "parent_number" in changes else "rename" if "name" in changes else "update"
    return "assign" if "category_number" in changes else "update"


def _leaving(
    entity: Entity, wanted: Rows, present: Rows, held: Collection[Key], retire: Mapping[str, Collection[int]]
) -> list[Operation]:
    """Hide unwanted rows, and retire those that are due and hidden already; deepest rows first."""
    due = retire.get(entity, ())
    out = []
    for key in _deepest_first(present):
        if key in wanted.rows or key in held:
            continue
        before = present.row(key)
        hidden, retired = before.get("hidden", False), before.get("retired", True)
        if not hidden:
            out.append(Operation("hide", entity, key, str(before["name"]), {"hidden": (False, True)}))
        elif not retired and key in due:
            out.append(Operation("retire", entity, key, str(before["name"]), {"retired": (False, True)}))
    return out


def _deepest_first(rows: Rows) -> list[Key]:
    keys = sorted(rows.rows, key=lambda key: (isinstance(key, str), key))
    if "depth" not in rows.columns:
        return keys
    position = rows.columns.index("depth")
    found = {key: row[position] for key, row in rows.rows.items()}
    depths = {key: depth if isinstance(depth, int) else 0 for key, depth in found.items()}  # a store may hold anything
    return sorted(keys, key=lambda key: -depths[key])


def _with_ancestors(categories: Rows, held: Collection[int]) -> set[Key]:
    """Return the held categories and all categories above them."""
    out: set[Key] = set()
    if not categories.rows:
        return out
    for start in held:
        key: Key | None = start
        while key is not None and key in categories.rows and key not in out:
            out.add(key)
            key = categories.value(key, "parent_number")
    return out


def _redirects(wanted: Rows, present: Rows) -> list[Operation]:
    out = []
    for key, row in wanted.rows.items():
        before = present.rows.get(key)
        if before != row:
            old = dict(zip(wanted.columns, before, strict=True)) if before is not None else {}
            new = dict(zip(wanted.columns, row, strict=True))
            changes = {f: (plain(old.get(f)), plain(v)) for f, v in new.items() if f not in old or old[f] != v}
            out.append(Operation("redirect", "redirect", key, " > ".join(new["old_path"]), changes))
    out += [
        Operation("unredirect", "redirect", key, _address(present.value(key, "old_path")))
        for key in sorted(set(present.rows) - set(wanted.rows), key=str)
    ]
    return out


def _address(path: Any) -> str:
    """Return an old address for a message; a store may hold any value there."""
    return " > ".join(map(str, path)) if isinstance(path, (list, tuple)) else str(path)


def _files(wanted: Contents, present: Contents) -> list[Operation]:
    return [
        Operation("publish", "feed", name, name, {"sha256": (present.files.get(name), sha256)})
        for name, sha256 in wanted.files.items()
        if present.files.get(name) != sha256
    ]


def unplanned(planned: Collection[Operation], found: Collection[Operation]) -> list[Operation]:
    """Return the operations that are needed now but not in the plan: any of them makes the plan stale.

    Operations in the plan that are no longer needed were done by an earlier, interrupted run of this plan.
    """
    lines = {operation.line() for operation in planned}
    return [operation for operation in found if operation.line() not in lines]
