"""A plan as sentences: removals first and apart, then what comes and changes, with old → new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.contents import Key
from schemas.plan import KINDS, REMOVALS, Kind, Operation, Plan, StorePlan

Names = Mapping[int, str]
"""A category's number → its path as text, as it is after the plan."""

_Sides = tuple[Names, Names]
"""The names before a plan, and after it."""
_HIDDEN_FIELDS = ("path", "depth", "hidden", "retired")
"""They follow from a category's name and parent, or from the kind of the operation."""
_WORDS = {"category": ("category", "categories"), "offer": ("good", "goods"), "redirect": ("address", "addresses")}
MOST = 200
"""So many rows, or goods of a group, are shown; the plan file has all of them."""
_MEMBERS = 3
"""So many goods of a group are named in the terminal."""


@dataclass(frozen=True)
class Row:
    """One operation, or several goods with the same change: ``what`` it is about, what is ``told`` of it.

    Of many ``members`` only the first are held; ``more`` counts the others.
    """

    what: str
    told: str = ""
    members: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class Block:
    """All operations of one kind in one store; ``follow`` of them are not shown, as they follow from others."""

    kind: Kind
    count: int
    rows: tuple[Row, ...]
    follow: int = 0

    @property
    def meaning(self) -> str:
        """What the kind means."""
        return KINDS[self.kind]

    @property
    def removal(self) -> bool:
        """Whether it takes something out of the window."""
        return self.kind in REMOVALS


def plan_text(plan: Plan, names: Names | None = None, limit: int = 20) -> str:
    """The plan for the terminal; at most ``limit`` lines of each kind."""
    lines = [plan_title(plan)]
    lines += [f"  {each.heading} «{each.guard}»: {each.text} (limit {each.limit})" for each in plan.guards]
    for number, store in enumerate(plan.stores):
        lines += _store(store, twin(plan.stores[:number], store), {**named(plan), **(names or {})}, limit)
    return "\n".join(lines)


def plan_title(plan: Plan) -> str:
    """``household: plan of a sync, nothing to do``."""
    what = "way back to an earlier catalogue" if plan.purpose == "rollback" else "sync"
    unread = sum(bool(store.error) for store in plan.stores)
    end = ", nothing to do" if plan.empty and not unread else ""
    return f"{plan.shop}: plan of a {what}{end}"


def _store(store: StorePlan, same: StorePlan | None, names: Names, limit: int) -> list[str]:
    if store.error:
        return [f"  store {store.store}: {store.trouble.upper()}: {store.error}"]
    if not store.operations:
        return [f"  store {store.store}: nothing to do, it is up to date"]
    found = blocks(store, names)
    lines = [f"  store {store.store}: {', '.join(f'{block.kind} {block.count}' for block in found)}"]
    if same is not None:
        lines.append(f"    categories and goods: the same as in store {same.store}")
        found = [block for block in found if block.kind in ("redirect", "unredirect", "publish")]
    for block in found:
        lines.append(f"    {'REMOVED: ' if block.removal else ''}{block.kind} {block.count}: {block.meaning}")
        lines += [f"      {row_line(row)}" for row in block.rows[:limit]]
        if block.follow:
            lines.append(f"      {block.follow} follow those above them")
        if len(block.rows) > limit:
            lines.append(f"      … and {len(block.rows) - limit} more in the plan file")
    return lines


def row_line(row: Row) -> str:
    """A row for the terminal; of the goods of a group only the first are named."""
    text = f"{row.what}  {row.told}" if row.told else row.what
    if row.members:
        more = row.more + len(row.members) - _MEMBERS
        text += f": {', '.join(row.members[:_MEMBERS])}" + (f" and {more} more" if more > 0 else "")
    return text


def twin(earlier: Iterable[StorePlan], store: StorePlan) -> StorePlan | None:
    """A store whose categories and goods change in the same way: what it says need not be said twice."""
    own = _main(store)
    return next((other for other in earlier if own and _main(other) == own), None)


def _main(store: StorePlan) -> list[Operation]:
    return [operation for operation in store.operations if operation.entity in ("category", "offer")]


def blocks(store: StorePlan, names: Names) -> list[Block]:
    """The operations of a store by kind, removals first; goods with the same change are one row."""
    out = []
    sides = names_before(store, names), names
    for kind in KINDS:
        chosen = [operation for operation in store.operations if operation.kind == kind]
        if not chosen:
            continue
        shown = [operation for operation in chosen if kind != "update" or fields(operation)]
        rows = _grouped(shown, sides)
        out.append(Block(kind, len(chosen), tuple(rows), len(chosen) - len(shown)))
    return out


def names_before(store: StorePlan, names: Names) -> Names:
    """The names of categories as they were before the plan: what it renames or moves is known by its old name."""
    old: dict[int, str] = {}
    for operation in store.operations:
        if operation.entity == "category" and operation.kind != "create":
            path, name = (operation.changes.get(field, (None, None))[0] for field in ("path", "name"))
            if path or name:
                old[int(operation.key)] = (
                    " › ".join(map(str, path)) if path and isinstance(path, list | tuple) else str(name)
                )
    return {**names, **old}


def _grouped(chosen: list[Operation], sides: _Sides) -> list[Row]:
    """Goods whose category changes in the same way, or that come into the same one, are one row; largest first."""
    rows = []
    groups: dict[str, list[Operation]] = {}
    for operation in chosen:
        if operation.entity == "offer" and ("category_number" in operation.changes or operation.kind == "create"):
            groups.setdefault(_moved(operation, sides), []).append(operation)
        else:
            rows.append(Row(_what(operation), _told(operation, sides)))
    for told, found in sorted(groups.items(), key=lambda group: -len(group[1])):
        members = tuple(_member(operation) for operation in found[:MOST])
        rows.append(Row(counted(len(found), "offer"), told, members, len(found) - len(members)))
    return rows


def _moved(operation: Operation, sides: _Sides) -> str:
    before, names = sides
    old, new = operation.changes.get("category_number", (None, None))
    if operation.kind == "create":
        return f"in {category(new, names)}" if new is not None else "hidden, without a category"
    if operation.kind == "hide" and new is None:
        return f"without a category now, were in {category(old, before)}"
    return f"{category(old, before)} → {category(new, names)}"


def _member(operation: Operation) -> str:
    more = {} if operation.kind == "create" else fields(operation)
    told = "; ".join(f"{n}: {value(a)} → {value(b)}" for n, (a, b) in more.items() if n != "category_number")
    return f"{operation.key} «{value(operation.name, 40)}»" + (f" ({told})" if told else "")


def _what(operation: Operation) -> str:
    if operation.entity == "redirect":
        return f"«{operation.name}»"
    if operation.entity == "feed":
        return str(operation.key)
    return f"{_WORDS[operation.entity][0]} {operation.key} «{operation.name}»"


def _told(operation: Operation, sides: _Sides) -> str:
    changes = operation.changes
    before, names = sides
    if operation.kind == "redirect":
        return f"→ {category(changes.get('number', (None, None))[1], names)}"
    if operation.kind == "publish":
        old, new = changes["sha256"]
        return f"{str(old)[:12]}… → {str(new)[:12]}…" if old else f"new, {str(new)[:12]}…"
    if operation.kind == "create":
        parent = changes.get("parent_number", (None, None))[1]
        return f"under {category(parent, names)}" if parent else "a root"
    return "; ".join(
        f"{name.removesuffix('_number')}: {_pair(name, old, before)} → {_pair(name, new, names)}"
        for name, (old, new) in fields(operation).items()
    )


def _pair(name: str, found: Any, names: Names) -> str:
    return category(found, names) if name in ("parent_number", "category_number") else value(found)


def category(number: Any, names: Names) -> str:
    """``4 «Посуд > Сковорідки»``; a dash where there is none."""
    if number is None:
        return "–"
    return f"{number} «{names[number]}»" if number in names else str(number)


def counted(number: int, entity: str) -> str:
    """``1 good``, ``3 goods``."""
    return f"{number} {_WORDS[entity][number != 1]}"


def fields(operation: Operation) -> dict[str, tuple[Any, Any]]:
    """The changed fields that a person wants to see."""
    return {name: pair for name, pair in operation.changes.items() if name not in _HIDDEN_FIELDS}


def value(found: Any, most: int = 60) -> str:
    """A value for a line: empty as a dash, long texts cut."""
    text = "–" if found is None or found == "" else str(found)
    return text if len(text) <= most else text[: most - 1] + "…"


def named(plan: Plan) -> dict[int, str]:
    """Names of the categories that the plan itself tells of."""
    found: dict[Key, str] = {}
    for store in plan.stores:
        found |= {op.key: op.name for op in store.operations if op.entity == "category"}
    return {int(number): name for number, name in found.items()}
