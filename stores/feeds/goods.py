"""The goods of a feed, in pieces: which goods, at what price, in stock or not. Every kind of feed uses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables import DECIMAL, INTEGER, OFFERS
from schemas.trs import DECIMAL_SCALE, GOOD_COLUMNS
from stores.feeds import text
from stores.feeds.text import Notes

CHUNK = 2_000
"""Goods per piece: a feed of any size needs only the memory of one piece."""

KINDS = {column.field: column.kind for column in GOOD_COLUMNS if column.field in OFFERS.columns} | {
    "name": "text",
    "category_number": "integer",
}
"""The kind of each column of OFFERS but ``hidden``."""


@dataclass(frozen=True)
class Prices:
    """The price to pay, and the price before the discount, as texts; None where there is none."""

    price: list[str | None]
    old: list[str | None]


class Piece:
    """Consecutive goods, read column by column."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.ids: list[int] = frame["good_id"].tolist()

    def __len__(self) -> int:
        return len(self.ids)

    def keep(self, mask: list[bool]) -> Piece:
        """Return the piece with only the goods where the mask is true."""
        return self if all(mask) else Piece(self.frame[mask])

    def texts(self, field: str) -> list[str]:
        """Return a field as texts, decimals with a point; a missing value or field is an empty text."""
        if not field or field not in self.frame:
            return [""] * len(self)
        kind = KINDS.get(field, "text")
        if kind == "text":
            return ["" if value is None or value != value else str(value) for value in self.frame[field].tolist()]
        values = self.decimals(field) if kind == "decimal" else self.integers(field)
        return ["" if value is None else str(value) for value in values]

    def integers(self, field: str) -> list[int | None]:
        """Return a field of whole numbers; None where a value is missing."""
        if field not in self.frame:
            return [None] * len(self)
        return pa.array(self.frame[field].astype(INTEGER), pa.int64()).to_pylist()  # type: ignore[no-any-return]

    def decimals(self, field: str) -> list[str | None]:
        """Return a field of decimals as texts (``211.2``, ``200``); None where a value is missing."""
        return decimal_texts(self._arrow(field))

    def prices(self, *, discounts: bool, notes: Notes) -> Prices:
        """Return RetailPrice, or RetailPriceWithDiscount where it is lower, to the kopeck. A price of 0 is no price."""
        retail, lower = self._kopecks("retail_price", notes), self._kopecks("retail_price_with_discount", notes)
        zero = pa.scalar(0, retail.type)
        cheaper = pc.fill_null(pc.and_(pc.greater(lower, zero), pc.less(lower, retail)), False)
        if not discounts:
            cheaper = pa.array([False] * len(self))
        nothing = pa.scalar(None, retail.type)
        price = pc.if_else(cheaper, lower, retail)
        price = pc.if_else(pc.fill_null(pc.greater(price, zero), False), price, nothing)
        return Prices(decimal_texts(price), decimal_texts(pc.if_else(cheaper, retail, nothing)))

    def stock(self) -> list[int]:
        """Return whole pieces in stock, at least 0."""
        return [max(0, int((value or "0").partition(".")[0])) for value in self.decimals("warehouse_quantity")]

    def in_stock(self) -> list[bool]:
        """Tell for each good whether it is in stock; half a metre of ribbon is."""
        values = self.decimals("warehouse_quantity")
        return [value is not None and value != "0" and not value.startswith("-") for value in values]

    def hidden(self) -> list[bool]:
        """Tell for each good whether it is hidden."""
        return [bool(value) for value in self.frame["hidden"].tolist()]

    def _kopecks(self, field: str, notes: Notes) -> Any:
        exact = self._arrow(field)
        rounded = pc.round(exact, 2, "half_towards_infinity")
        finer = pc.fill_null(pc.not_equal(exact, rounded), False)
        if pc.any(finer, min_count=0).as_py():
            for position in pc.indices_nonzero(finer).to_pylist():
                notes.good(f"{field} rounded to the kopeck", self.ids[position])
        return rounded

    def _arrow(self, field: str) -> Any:
        if field not in self.frame:
            return pa.nulls(len(self), DECIMAL.pyarrow_dtype)
        values = pa.array(self.frame[field].astype(DECIMAL), DECIMAL.pyarrow_dtype)
        return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def decimal_texts(values: Any) -> list[str | None]:
    """Format decimals as ``211.2`` or ``200``. Prices repeat, so only distinct values are formatted."""
    encoded = values.dictionary_encode()
    shown = [f"{value:.{DECIMAL_SCALE}f}".rstrip("0").rstrip(".") for value in encoded.dictionary.to_pylist()]
    return [None if index is None else shown[index] for index in encoded.indices.to_pylist()]


def pieces(offers: pd.DataFrame, size: int = CHUNK) -> Iterator[Piece]:
    """Yield the goods in their order, piece by piece."""
    for first in range(0, len(offers), size):
        yield Piece(offers.iloc[first : first + size])


@dataclass(frozen=True)
class Sellable:
    """Goods for a feed with prices: each has a category, a price and a name."""

    piece: Piece
    names: list[str]
    categories: list[int]
    prices: Prices


def sellable(
    offers: pd.DataFrame, *, hidden: bool, discounts: bool, left_out: Counter[str], notes: Notes
) -> Iterator[Sellable]:
    """Return the goods for a YML or Google feed. Others are counted by reason, and named where the reason is a fault.

    ``hidden`` = False leaves out hidden goods.
    """
    for piece in pieces(offers):
        whole = len(piece)
        if not hidden:
            piece = piece.keep([not value for value in piece.hidden()])
            left_out["hidden"] += whole - len(piece)
        numbers, prices, names, why = _judged(piece, discounts, notes)
        for good_id, reason in zip(piece.ids, why, strict=True):
            if reason:
                left_out[reason] += 1
                notes.good(f"left out, {reason}", good_id)
        good = [not reason for reason in why]
        yield Sellable(
            piece.keep(good),
            [name for name, kept in zip(names, good, strict=True) if kept],
            [number for number in numbers if number is not None] if all(good) else _kept(numbers, good),
            Prices(
                [price for price, kept in zip(prices.price, good, strict=True) if kept],
                [price for price, kept in zip(prices.old, good, strict=True) if kept],
            ),
        )


def unsellable(offers: pd.DataFrame, *, discounts: bool) -> list[int]:
    """Return the ids of goods that ``sellable`` leaves out, hidden or not: the feed never has them."""
    out: list[int] = []
    for piece in pieces(offers):
        *_, why = _judged(piece, discounts, Notes())
        out += [good_id for good_id, reason in zip(piece.ids, why, strict=True) if reason]
    return out


def _kept(numbers: list[int | None], good: list[bool]) -> list[int]:
    return [number for number, kept in zip(numbers, good, strict=True) if kept and number is not None]


def _judged(piece: Piece, discounts: bool, notes: Notes) -> tuple[list[int | None], Prices, list[str], list[str]]:
    """Return category numbers, prices, names, and why each good cannot be in a feed with prices; empty if it can."""
    numbers = piece.integers("category_number")
    prices = piece.prices(discounts=discounts, notes=notes)
    names = text.lines(piece.texts("name"), "name", piece.ids, notes)
    return numbers, prices, names, [_fault(*row) for row in zip(numbers, prices.price, names, strict=True)]


def _fault(number: int | None, price: str | None, name: str) -> str:
    if number is None:
        return "without a category"
    if price is None:
        return "without a price"
    return "" if name else "without a name"


def category_paths(categories: pd.DataFrame) -> Mapping[int, list[str]]:
    """Map each number to the names from the root, each on one line."""
    rows = zip(categories["number"].tolist(), categories["path"].tolist(), strict=True)
    return {int(number): [text.clean_line(str(name)) for name in path] for number, path in rows}
