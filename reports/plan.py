"""A plan as sentences: removals first and apart, then what comes and changes, with old → new."""

from __future__ import annotations

from collections import Counter
from typing import Any

from schemas.plan import KINDS, REMOVALS, Operation, Plan, StorePlan

_HIDDEN_FIELDS = ("path", "depth")
"""They follow from a category's name and parent, or from those above it."""


def plan_text(plan: Plan, limit: int = 20) -> str:
    """The plan for the terminal; at most ``limit`` operations of each kind."""
    lines = [f"{plan.shop}: plan" + (" back to an earlier catalogue" if plan.purpose == "rollback" else "")]
    for trip in plan.guards:
        lines.append(f"  GUARD «{trip.guard}»: {trip.message} (limit {trip.limit})")
    for store in plan.stores:
        lines += _store(store, limit)
    return "\n".join(lines)


def _store(store: StorePlan, limit: int) -> list[str]:
    if store.error:
        return [f"  store {store.store}: CANNOT BE READ: {store.error}"]
    if not store.operations:
        return [f"  store {store.store}: nothing to do, it is up to date"]
    kinds = Counter(operation.kind for operation in store.operations)
    told = ", ".join(f"{kind} {kinds[kind]}" for kind in KINDS if kinds[kind])
    lines = [f"  store {store.store}: {told}"]
    for kind in KINDS:
        chosen = [operation for operation in store.operations if operation.kind == kind]
        if not chosen:
            continue
        head = "REMOVED: " if kind in REMOVALS else ""
        lines.append(f"    {head}{kind} {len(chosen)}: {KINDS[kind]}")
        shown = [operation for operation in chosen if kind != "update" or fields(operation)]
        lines += [f"      {line(operation)}" for operation in shown[:limit]]
        if len(chosen) > len(shown):
            lines.append(f"      {len(chosen) - len(shown)} categories follow those above them")
        if len(shown) > limit:
            lines.append(f"      … and {len(shown) - limit} more in the plan file")
    return lines


def line(operation: Operation) -> str:
    """One operation: ``category 20 «Plates»  name: Dishes → Plates``."""
    told = "; ".join(f"{name}: {value(old)} → {value(new)}" for name, (old, new) in fields(operation).items())
    if operation.kind in ("create", "hide", "retire"):
        told = ", ".join(
            f"{name} {value(new)}" for name, (_, new) in operation.changes.items() if name.endswith("_number")
        )
    if operation.kind == "redirect":
        told = f"→ {operation.changes.get('number', (None, ''))[1]}"
    return f"{operation.entity} {operation.key} «{operation.name}»" + (f"  {told}" if told else "")


def fields(operation: Operation) -> dict[str, tuple[Any, Any]]:
    """The changed fields that a person wants to see."""
    return {name: pair for name, pair in operation.changes.items() if name not in _HIDDEN_FIELDS}


def value(found: Any) -> str:
    """A value for a line: empty as a dash, long texts cut."""
    text = "–" if found is None or found == "" else str(found)
    return text if len(text) <= 40 else text[:39] + "…"
