"""Counts how goods moved between categories from one night to the next.

Numbers and redirects follow from it: what a number means now, and where an old address leads. For a category without
goods the goods of the categories below it count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from schemas.catalogue import Catalogue
from transforms.matched import match_rows
from transforms.values import key_or_none


@dataclass(frozen=True)
class GoodsFlow:
    """Goods of both nights, by the category that they were in.

    ``now``: old number → new number (None: hidden) → goods, as far as the category had goods itself. ``below``: old
    number → living number → goods of the old category and all below it that are in the living one or below it now.
    ``had_below``: old number → goods of both nights in it and below it. ``depth``: of the living categories.
    """

    now: Mapping[int, Counter[int | None]]
    below: Mapping[int, Counter[int]]
    had_below: Mapping[int, int]
    depth: Mapping[int, int]

    def stayed(self, number: int) -> tuple[int, int]:
        """Return (goods of both nights that the category had, those still in it); (0, 0) means no evidence."""
        if number in self.now:
            return sum(self.now[number].values()), self.now[number][number]
        return self.had_below.get(number, 0), self.below.get(number, Counter())[number]

    def heir(self, number: int) -> int | None:
        """Return the living category with most of the goods; of several the category itself, then the smallest number.

        For a category without goods: the deepest one with most of the goods that were below it.
        """
        if number in self.now:
            shown = {target: count for target, count in self.now[number].items() if target in self.depth}
            return min(shown, key=lambda target: (-shown[target], target != number, target), default=None)
        found = self.below.get(number, Counter())
        order = sorted(found, key=lambda n: (-found[n], -self.depth[n], n != number, n))
        return order[0] if order else None


def goods_flow(before: Catalogue, after: Catalogue) -> GoodsFlow:
    """Count how many goods went from each category to each other, over whole columns."""
    both = match_rows(before.assignments, after.assignments, "good_id")
    old, new = (each.fill_null(0).to_numpy(zero_copy_only=False) for each in both.pair("category_number"))
    held = old != 0
    pairs, counts = np.unique((old[held] << 32) | new[held], return_counts=True)  # numbers have 31 bits
    now: dict[int, Counter[int | None]] = defaultdict(Counter)
    below: dict[int, Counter[int]] = defaultdict(Counter)
    had_below: Counter[int] = Counter()
    parents_then, parents_now = _parents(before), _parents(after)
    for was, is_, count in zip((pairs >> 32).tolist(), (pairs & 0xFFFFFFFF).tolist(), counts.tolist(), strict=True):
        now[was][is_ or None] += count
        above = list(_upwards(is_, parents_now)) if is_ in parents_now else []
        for ancestor in _upwards(was, parents_then):
            had_below[ancestor] += count
            for target in above:
                below[ancestor][target] += count
    depth = {int(n): int(d) for n, d in zip(after.categories["number"], after.categories["depth"], strict=True)}
    return GoodsFlow(dict(now), dict(below), had_below, depth)


def _parents(catalogue: Catalogue) -> dict[int, int | None]:
    frame = catalogue.categories
    return {int(n): key_or_none(p) for n, p in zip(frame["number"], frame["parent_number"], strict=True)}


def _upwards(number: int, parents: Mapping[int, int | None]) -> Iterable[int]:
    """Yield the category and all above it."""
    seen: set[int] = set()
    at: int | None = number
    while at is not None and at not in seen:
        seen.add(at)
        yield at
        at = parents.get(at)
