"""Rules that no public validator of feeds checks and that its readers die of (stores.md section 3).

One-pass importers need parents first, others die on an undeclared category or recurse without end in a cycle, and
marketplaces lose a good's history when its id changes. All of it is checked before the first byte is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field

import pandas as pd

from schemas.errors import StoreError
from stores.feeds.text import clean_line

FEW = 5


@dataclass(frozen=True)
class Delivered:
    """What the reader of a feed was last given: each category's number with its path, and the goods' ids."""

    categories: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    offers: frozenset[int] = frozenset()


def check_feed(
    categories: pd.DataFrame,
    offers: pd.DataFrame,
    last: Delivered | None = None,
    retired: Set[int] | None = None,
) -> None:
    """Check CATEGORIES and OFFERS before a feed is made of them. Raises StoreError that lists what is wrong.

    With ``last``, ids are compared with the last delivery: a category that is still there keeps its number. With
    ``retired`` too (the goods that the plan hides or retires), exactly those goods may be gone from ``offers``.
    """
    faults = [*_category_faults(categories), *_offer_faults(categories, offers)]
    if last is not None:
        faults += _renumbered(categories, last.categories)
        if retired is not None:
            faults += _vanished(offers, last.offers, retired)
    if faults:
        more = f"\n  … and {len(faults) - FEW} more" if len(faults) > FEW else ""
        raise StoreError(
            "the feed was not written, its readers would not survive it:\n  " + "\n  ".join(faults[:FEW]) + more,
            "the store keeps its last feed; correct the sections, or report this with the run's folder",
        )


def refuse_empty(written: int, left_out: Mapping[str, int]) -> None:
    """Raises StoreError where no good went into a feed: a reader would take the whole shop off sale."""
    if not written:
        why = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
        raise StoreError(
            f"the feed would hold no goods ({why or 'the catalogue has none'}); the last one stays",
            "look why no good is visible, priced and in a category",
        )


def _category_faults(categories: pd.DataFrame) -> Iterator[str]:
    if categories.empty:
        yield "there are no categories"
    seen: set[int] = set()
    declared = {int(number) for number in categories["number"]}
    rows = zip(*(categories[name].tolist() for name in ("number", "name", "parent_number")), strict=True)
    for number, name, parent in rows:
        if number in seen:
            yield f"category {number} stands twice"
        if number < 1:
            yield f"category {number}: an id is greater than 0"
        if not isinstance(name, str) or not clean_line(name):
            yield f"category {number} has an empty name"
        if not pd.isna(parent):
            if parent not in declared:
                yield f"category {number}: its parent {parent} is not among the categories"
            elif parent not in seen or parent == number:
                yield f"category {number} stands before its parent {parent}, or they make a loop"
        seen.add(number)


def _offer_faults(categories: pd.DataFrame, offers: pd.DataFrame) -> Iterator[str]:
    ids, numbers = offers["good_id"], offers["category_number"]
    if ids.isna().any() or not ids.is_unique:
        twice = sorted({int(i) for i in ids[ids.duplicated()].dropna()})
        yield f"goods stand twice: {_some(twice)}" if twice else "a good has no id"
    unknown = numbers.notna() & ~numbers.isin(categories["number"])
    if unknown.any():
        where = sorted({int(number) for number in numbers[unknown]})
        yield f"goods {_some(ids[unknown].tolist())} hang in categories that are not declared: {_some(where)}"


def _renumbered(categories: pd.DataFrame, last: Mapping[int, tuple[str, ...]]) -> Iterator[str]:
    """A category's path with another number, while the number that it had is gone. Doubtful paths prove nothing."""
    now = {
        int(number): tuple(path)
        for number, path in zip(categories["number"].tolist(), categories["path"].tolist(), strict=True)
    }
    before, after = _unique_paths(last), _unique_paths(now)
    for path, number in before.items():
        other = after.get(path, number)
        if other != number and number not in now and other not in last:
            yield f"category {' > '.join(path)} was delivered with the id {number} and has {other} now"


def _unique_paths(numbers: Mapping[int, tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], list[int]] = {}
    for number, path in numbers.items():
        found.setdefault(tuple(path), []).append(number)
    return {path: held[0] for path, held in found.items() if len(held) == 1}


def _vanished(offers: pd.DataFrame, last: Set[int], retired: Set[int]) -> Iterator[str]:
    shown = {int(i) for i in offers.loc[~offers["hidden"].astype(bool), "good_id"]}
    if gone := sorted(last - shown - retired):
        yield f"goods {_some(gone)} were delivered and are gone, though nothing retired them"
    if back := sorted(retired & shown):
        yield f"goods {_some(back)} are retired and would be delivered all the same"


def _some(values: Collection[int]) -> str:
    return ", ".join(str(value) for value in list(values)[:FEW]) + (", …" if len(values) > FEW else "")
