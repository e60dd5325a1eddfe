"""The wanted contents in the form that WooCommerce can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from schemas.contents import Contents, Key, Rows
from schemas.settings.woocommerce import EditorsField, WooCommerceStore
from stores.protocol import Wanted
from stores.woocommerce.snapshot import CATEGORY_COLUMNS, offer_columns
from stores.woocommerce.text import category_name, clean

KOPECK = Decimal("0.01")
EDITORS_COLUMNS: dict[EditorsField, tuple[str, ...]] = {
    "name": ("name",),
    "price": ("regular_price", "sale_price"),
    "stock": ("stock",),
}
"""The columns of an offer that an editor may own."""


@dataclass(frozen=True)
class WooWanted(Wanted):
    """``redirects`` are not operations of this store: they become a file that a plugin reads."""

    redirects: Rows = field(default_factory=Rows)


def wanted_of(contents: Contents, settings: WooCommerceStore) -> Contents:
    """Return the contents in the columns of WooCommerce, without hidden goods: they are never made."""
    return Contents(_categories(contents.categories), _offers(contents.offers, settings))


def keep_editors_fields(wanted: Contents, present: Contents, settings: WooCommerceStore) -> Contents:
    """Return ``wanted`` with the editor's fields as the shop has them, for rows that it has."""
    columns = [column for item in settings.only_on_create for column in EDITORS_COLUMNS.get(item, ())]
    names = ["name"] if "category_name" in settings.only_on_create else []
    return Contents(_kept(wanted.categories, present.categories, names), _kept(wanted.offers, present.offers, columns))


def _kept(wanted: Rows, present: Rows, columns: Sequence[str]) -> Rows:
    places = [position for position, column in enumerate(wanted.columns) if column in columns]
    rows: dict[Key, tuple[Any, ...]] = {}
    for key, row in wanted.rows.items():
        held = present.rows.get(key)
        rows[key] = row if held is None else tuple(held[n] if n in places else v for n, v in enumerate(row))
    return Rows(wanted.columns, rows) if places else wanted


def _categories(rows: Rows) -> Rows:
    found = ((key, rows.row(key)) for key in rows)
    return Rows(CATEGORY_COLUMNS, {key: (category_name(r["name"]), r["parent_number"], False) for key, r in found})


def _offers(rows: Rows, settings: WooCommerceStore) -> Rows:
    columns = offer_columns(settings)
    out: dict[Key, tuple[Any, ...]] = {}
    for key in rows:
        row = rows.row(key)
        if row["hidden"] or row["category_number"] is None:
            continue
        regular, sale = _prices(row, settings)
        cells = {
            "name": clean(row["name"]),
            "category_number": row["category_number"],
            "regular_price": regular,
            "sale_price": sale,
            "stock": _stock(row.get("warehouse_quantity"), settings),
            "hidden": False,
        }
        out[key] = tuple(cells[column] for column in columns)
    return Rows(columns, out)


def _prices(row: Mapping[str, Any], settings: WooCommerceStore) -> tuple[Decimal | None, Decimal | None]:
    """Return the price and the sale price, to the kopeck; a price of 0 is no price."""
    regular, lower = (_kopecks(row.get(field)) for field in ("retail_price", "retail_price_with_discount"))
    on_sale = settings.discounts and regular is not None and lower is not None and lower < regular
    return regular, lower if on_sale else None


def _kopecks(value: Decimal | None) -> Decimal | None:
    rounded = None if value is None else value.quantize(KOPECK, ROUND_HALF_UP)
    return rounded if rounded is not None and rounded > 0 else None


def _stock(quantity: Decimal | None, settings: WooCommerceStore) -> int | bool:
    """Return whole pieces, at least 0; or whether there is stock."""
    pieces = max(int((quantity or Decimal(0)).to_integral_value(ROUND_FLOOR)), 0)
    return pieces > 0 if settings.stock == "status" else pieces
