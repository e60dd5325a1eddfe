"""The wanted contents in the form that OpenCart can hold, and the check that no wanted number belongs to others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from schemas.contents import Contents, Key, Rows
from schemas.errors import StoreError
from schemas.settings.opencart import MAP_NAMES
from stores.opencart.db import Db
from stores.opencart.layout import Layout
from stores.opencart.text import escape, fit, unescape
from stores.opencart.tree import Tree

CATEGORY_COLUMNS = ("name", "parent_number", "depth", "hidden", "complete")
OFFER_COLUMNS = (
    "name", "category_number", "retail_price", "warehouse_quantity", "articul", "barcode", "hidden", "complete",
)  # fmt: skip
CURRENT = "current"
"""Used as the fingerprint of a redirect map that agrees with the tables of the shop."""
_MOST = 2_147_483_647
_DEAREST = Decimal("99999999999.9999")


def fit_contents(db: Db, contents: Contents) -> Contents:
    """Return the columns that OpenCart has, cut to its lengths. Rows that ``read`` finds damaged are incomplete."""
    redirects = db.settings.redirects is not None
    return replace(
        contents,
        categories=_categories(db.layout, contents.categories),
        offers=_offers(db, contents.offers),
        redirects=contents.redirects if redirects else Rows(),
        files=dict.fromkeys(MAP_NAMES.values(), CURRENT) if redirects else {},
    )


def _categories(layout: Layout, rows: Rows) -> Rows:
    length, three_bytes = layout.room("category_description", "name")
    positions = [rows.columns.index(name) for name in ("name", "parent_number", "depth", "hidden")] if rows.rows else []
    out: dict[Key, tuple[Any, ...]] = {}
    for key, row in rows.rows.items():
        name, parent, depth, hidden = (row[n] for n in positions)
        out[key] = (fit(name, min(length, 255), three_bytes) or str(key), parent, depth, hidden, True)
    return Rows(CATEGORY_COLUMNS, out)


def _offers(db: Db, rows: Rows) -> Rows:
    layout = db.layout
    length, three_bytes = layout.room("product_description", "name")
    sku = layout.room("product_code", "value") if layout.product_codes else layout.room("product", "sku")
    ean = layout.room("product_code", "value") if layout.product_codes else layout.room("product", "ean")
    positions = [rows.columns.index(name) for name in OFFER_COLUMNS[:-1]] if rows.rows else []
    out: dict[Key, tuple[Any, ...]] = {}
    for key, row in rows.rows.items():
        name, category, price, quantity, articul, barcode, hidden = (row[n] for n in positions)
        price = min(max(Decimal(price or 0), Decimal(0)), _DEAREST).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        if category is None or (not price and db.settings.without_price == "hide"):
            hidden = True
        out[key] = (
            fit(name, min(length, 255), three_bytes) or str(key), category, price, _pieces(quantity),
            _code(articul, *sku), _whole_code(barcode, *ean), bool(hidden), True,
        )  # fmt: skip
    return Rows(OFFER_COLUMNS, out)


def _pieces(quantity: Decimal | None) -> int:
    """Return whole pieces in stock, at least 0: OpenCart has no fractions."""
    return min(max(int(quantity or 0), 0), _MOST)


def _code(text: str | None, length: int, three_bytes: bool) -> str | None:
    return fit(text.strip(), min(length, 255), three_bytes) or None if text else None


def _whole_code(text: str | None, length: int, three_bytes: bool) -> str | None:
    """Return a barcode that fits, else None: a cut barcode could be that of another good."""
    code = text.strip() if text else ""
    return code if code and fit(code, min(length, 255), three_bytes) == code else None


def model_of(db: Db, good_id: int, articul: str | None) -> str:
    """Return the model of a good as OpenCart stores it; every product must have one."""
    chosen = fit(articul or "", *db.layout.room("product", "model")) if db.settings.model == "articul" else ""
    return escape(chosen) or str(good_id)


def refuse_foreign(db: Db, tree: Tree, numbers: Iterable[tuple[int, str]]) -> list[int]:
    """Return the numbers of categories that are taken over (``adopt``).

    Raises StoreError where a category of one of these numbers exists, is not ours and may not be taken over.
    """
    adopted: list[int] = []
    taken: list[str] = []
    for number, name in numbers:
        category = tree.get(number)
        if category is None or not category.exists or (category.record and category.record["made"]):
            continue
        if category.record is not None:
            continue  # we began to make it: its mark shows whether it is ours
        there = unescape(category.names.get(db.languages.main, ""))
        if db.settings.adopt and there.strip().casefold() == name.casefold():
            adopted.append(number)
        else:
            taken.append(f"{number} «{there}» (Torgsoft's is «{name}»)")
    if taken:
        named = ", ".join(taken[:5]) + (", …" if len(taken) > 5 else "")
        raise StoreError(
            f"store {db.settings.name}: {len(taken)} categories of these numbers are in OpenCart already and are not "
            f"torgsync's: {named}; nothing was written",
            "set adopt = true to take over those of the same name, delete them in OpenCart's admin, "
            "or give the sections other numbers (rules: number)",
        )
    return adopted
