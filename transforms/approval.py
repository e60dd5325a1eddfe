"""Which plans need a person's approval: those that remove or move more rows than a shop's soft limits."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.plan import REMOVALS, Operation, Plan
from schemas.settings.schedule import ApprovalSettings


def to_approve(plan: Plan, soft: ApprovalSettings) -> list[str]:
    """Return one sentence per store and count of rows above its soft limit; empty where no approval is needed.

    The limits are those of ``[approval]`` in shop.toml (docs/operations.md): rows that one store would lose or move.
    """
    sentences = []
    for store in plan.stores:
        counts = store.counts()
        removed = {entity: sum(counts[entity, kind] for kind in REMOVALS) for entity in ("category", "offer")}
        for number, limit, what in (
            (removed["category"], soft.removed_categories, "categories would disappear from"),
            (removed["offer"], soft.removed_goods, "goods would disappear from"),
            (counts["offer", "assign"], soft.moved_goods, "goods would come into another category of"),
        ):
            if limit is not None and number > limit:
                sentences.append(f"{number} {what} store {store.store} (asked above {limit})")
    return sentences


def not_approved(plan: Plan, approved: Iterable[Plan]) -> list[Operation]:
    """The operations of a plan that none of the ``approved`` plans lists for the same store, in the plan's order."""
    known = {(store.store, op.line()) for each in approved for store in each.stores for op in store.operations}
    return [op for store in plan.stores for op in store.operations if (store.store, op.line()) not in known]
