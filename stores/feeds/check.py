"""Rules for feeds that public validators do not check although readers fail on them (stores-facts.md section 3).

One-pass importers need parents first. Others fail on an undeclared category, or never end in a cycle. Marketplaces lose
the history of a good when its id changes. All rules are checked before the first byte is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import pandas as pd

from schemas.errors import StoreError
from stores.feeds.text import clean_line

FEW = 5


def check_feed(categories: pd.DataFrame, offers: pd.DataFrame) -> None:
    """Check CATEGORIES and OFFERS before a feed is written. Raises StoreError that lists what is wrong.

    Changed ids are not checked here: the guards «renumbered» and «another_base» stop such a plan.
    """
    faults = [*_category_faults(categories), *_offer_faults(categories, offers)]
    if faults:
        more = f"\n  … and {len(faults) - FEW} more" if len(faults) > FEW else ""
        raise StoreError(
            "the feed was not written, as its readers would fail on it:\n  " + "\n  ".join(faults[:FEW]) + more,
            "the store keeps its last feed; correct the sections, or report this with the run's folder",
        )


def refuse_empty(written: int, left_out: Mapping[str, int]) -> None:
    """Raise StoreError when a feed has no goods: its reader would take the whole shop off sale."""
    if not written:
        why = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
        raise StoreError(
            f"the feed would have no goods ({why or 'the catalogue has none'}); the last one stays",
            "check why no good is visible, priced and in a category",
        )


def _category_faults(categories: pd.DataFrame) -> Iterator[str]:
    if categories.empty:
        yield "there are no categories"
    seen: set[int] = set()
    declared = {int(number) for number in categories["number"]}
    rows = zip(*(categories[name].tolist() for name in ("number", "name", "parent_number")), strict=True)
    for number, name, parent in rows:
        if number in seen:
            yield f"category {number} is there twice"
        if number < 1:
            yield f"category {number}: an id is greater than 0"
        if not isinstance(name, str) or not clean_line(name):
            yield f"category {number} has an empty name"
        if not pd.isna(parent):
            if parent not in declared:
                yield f"category {number}: its parent {parent} is not among the categories"
            elif parent not in seen or parent == number:
                yield f"category {number} comes before its parent {parent}, or they make a loop"
        seen.add(number)


def _offer_faults(categories: pd.DataFrame, offers: pd.DataFrame) -> Iterator[str]:
    ids, numbers = offers["good_id"], offers["category_number"]
    if ids.isna().any() or not ids.is_unique:
        twice = sorted({int(i) for i in ids[ids.duplicated()].dropna()})
        yield f"goods are there twice: {_some(twice)}" if twice else "a good has no id"
    unknown = numbers.notna() & ~numbers.isin(categories["number"])
    if unknown.any():
        where = sorted({int(number) for number in numbers[unknown]})
        yield f"goods {_some(ids[unknown].tolist())} are in categories that are not declared: {_some(where)}"


def _some(values: Collection[int]) -> str:
    return ", ".join(str(value) for value in list(values)[:FEW]) + (", …" if len(values) > FEW else "")
