"""What the guards measure between two catalogues: counts of rows, each over the rows it can happen to.

The same measures serve the guards of one night and guard ``drift``. All are joins over columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schemas.catalogue import Catalogue
from schemas.guards import DISCOUNT_FIELD, PRICE_FIELDS
from transforms.guards.broken_text import broken_names
from transforms.matched import Matched, mask, match_rows, take


@dataclass(frozen=True)
class Measure:
    """``measured`` of ``size`` rows, as guard ``guard`` counts them; ``what`` and ``examples`` are for the message.

    ``case`` is the message's. ``sparse``: few of the shop's rows can be counted at all. ``nightly`` is false for what
    another guard counts on a single night (rows of the extract, rows that a store shows).
    """

    guard: str
    what: str
    measured: int
    size: int
    case: str = ""
    examples: tuple[str, ...] = ()
    sparse: bool = False
    nightly: bool = True


@dataclass(frozen=True)
class Compared:
    """The tables of two catalogues, matched once for all measures."""

    before: Catalogue
    after: Catalogue
    types: Matched
    sections: Matched
    categories: Matched
    goods: Matched

    @property
    def named(self) -> tuple[tuple[str, Matched], ...]:
        """The tables that hold names, with the word for their rows."""
        return ("product types", self.types), ("sections", self.sections), ("goods", self.goods)


def compare(before: Catalogue, after: Catalogue) -> Compared:
    """Match the tables of two catalogues by their keys."""
    return Compared(
        before, after,
        match_rows(before.product_types, after.product_types, "type_id"),
        match_rows(before.sections, after.sections, "number"),
        match_rows(before.categories, after.categories, "number"),
        match_rows(before.offers, after.offers, "good_id"),
    )  # fmt: skip


def renamed(what: str, rows: Matched) -> Measure:
    """Rows of both nights with another name."""
    return Measure("mass_rename", what, int(rows.changed("name").sum()), len(rows))


def moved_goods(both: Compared) -> Measure:
    """Goods of both nights in another category; one without a category, before or now, has not moved."""
    return Measure("moved_goods", "goods", int(both.goods.changed("category_number").sum()), len(both.goods))


def moved_categories(both: Compared) -> Measure:
    """Categories of both nights under another parent, also those that became, or were, roots.

    They are counted of those that stand below another on either night: a root has no parent to lose.
    """
    old, new = (pc.fill_null(each, 0) for each in both.categories.pair("parent_number"))
    below = int(mask(pc.greater(pc.max_element_wise(old, new), 0)).sum())
    return Measure("moved_categories", "categories", int(mask(pc.not_equal(old, new)).sum()), below)


def measures(both: Compared) -> Iterator[Measure]:
    """The measures that all guards with a share have; those of names and moves stand above, too."""
    for what, rows in both.named:
        yield Measure("short_extract", what, rows.gone, len(rows.before), nightly=False)
        yield renamed(what, rows)
        yield newly_broken(what, rows)
    yield moved_goods(both)
    yield moved_categories(both)
    yield Measure("hidden_categories", "categories", both.categories.gone, len(both.categories.before), nightly=False)
    yield _hidden(both.goods)
    yield from prices(both.goods)
    yield sold_out(both.goods)
    yield from growth(both.goods)


def _hidden(goods: Matched) -> Measure:
    """Goods that were shown and are hidden or gone."""
    old = goods.before["hidden"].to_numpy(bool)[goods.at_before]
    new = goods.after["hidden"].to_numpy(bool)[goods.at_after]
    shown = int((~goods.before["hidden"].to_numpy(bool)).sum())
    return Measure("hidden_offers", "goods", shown - int((~old & ~new).sum()), shown, nightly=False)


def newly_broken(what: str, rows: Matched) -> Measure:
    """Names that cannot be read and could last night, with those of new rows; only other names are looked at."""
    changed = np.flatnonzero(rows.changed("name"))
    old, new = take(rows.before, "name", rows.at_before[changed]), take(rows.after, "name", rows.at_after[changed])
    fresh = take(rows.after, "name", rows.new)
    broken = new.filter(pa.array(broken_names(new) & ~broken_names(old))).to_pylist()
    broken += fresh.filter(pa.array(broken_names(fresh))).to_pylist()
    return Measure("broken_text", what, len(broken), len(rows.after), examples=tuple(broken[:3]))


def broken(what: str, frame: pd.DataFrame) -> Measure:
    """All names that cannot be read: of a first night."""
    names = take(frame, "name")
    found = names.filter(pa.array(broken_names(names)))
    return Measure("broken_text", what, len(found), len(frame), examples=tuple(found[:3].to_pylist()))


def prices(goods: Matched) -> Iterator[Measure]:
    """For each price column that anything had: goods that lost the price, or whose price is at least twice, or at most
    half as high.

    Such a column is sparse where fewer than half of the goods had it, but for the first one, which every store shows. A
    discount that is lost from a sparse column is the end of a sale.
    """
    first = next(iter(PRICE_FIELDS))
    for field, what in PRICE_FIELDS.items():
        old, new = (_numbers(each) for each in goods.pair(field))
        had = old > 0
        size = int(had.sum())
        if not size:
            continue
        sparse = field != first and size * 2 < len(goods)
        has = new > 0
        lost = had & ~has
        jumped = had & has & ((new >= 2 * old) | (2 * new <= old))
        counted = jumped if sparse and field == DISCOUNT_FIELD else lost | jumped
        yield Measure("prices", what, int(counted.sum()), size, sparse=sparse)


def sold_out(goods: Matched) -> Measure:
    """Goods that were in stock and have none, or a negative or missing stock, now."""
    old, new = (_numbers(each) for each in goods.pair("warehouse_quantity"))
    had = old > 0
    size = int(had.sum())
    return Measure("sold_out", "goods", int((had & ~(new > 0)).sum()), size, sparse=size * 2 < len(goods))


def growth(goods: Matched) -> Iterator[Measure]:
    """Goods with a new id, and those of them that have a name of the last run: the same goods under new ids."""
    size = len(goods.before)
    if not size:
        return
    yield Measure("growth", "new", len(goods.new), size)
    fresh = take(goods.after, "name", goods.new)
    same = int(mask(pc.is_in(fresh, value_set=take(goods.before, "name"))).sum()) if len(fresh) else 0
    yield Measure("growth", "same", same, size, case="same")


def sellable(offers: pd.DataFrame) -> int:
    """How many offers a feed of priced goods could show: not hidden, with a category, a name and a retail price.

    A price is one that is not 0 once it is rounded to the kopeck.
    """
    shown = ~offers["hidden"].to_numpy(bool) & mask(pc.is_valid(take(offers, "category_number")))
    named = mask(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(take(offers, "name"))), 0))
    return int((shown & named & (_numbers(take(offers, "retail_price")) >= 0.005)).sum())


def priced(offers: pd.DataFrame) -> int:
    """How many offers have a retail price above 0."""
    return int((_numbers(take(offers, "retail_price")) > 0).sum())


def stocked(offers: pd.DataFrame) -> int:
    """How many offers are in stock."""
    return int((_numbers(take(offers, "warehouse_quantity")) > 0).sum())


def _numbers(values: Any) -> np.ndarray[Any, Any]:
    """Decimals as floats, missing as NaN: exact enough here, as doubling a float is exact."""
    return np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=float)
