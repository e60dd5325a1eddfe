"""Our goods as the database has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stores.opencart.db import Db

PENDING = ("sku", "ean", "name", "price", "quantity", "hidden", "touched", "before_row")


@dataclass
class Good:
    """One good of ours: ``pending`` is our record of it, the rest what OpenCart's tables hold."""

    good_id: int
    product_id: int
    made: bool
    category: int | None
    pending: Mapping[str, Any]
    exists: bool
    status: bool
    price: Decimal
    quantity: int
    model: str
    sku: str
    ean: str
    name: str
    linked: bool
    complete: bool


def load_goods(db: Db) -> dict[int, Good]:
    """Goods by GoodID."""
    incomplete = _incomplete(db)
    codes = _codes(db)
    own = not db.layout.product_codes
    sku, ean = ("p.sku", "p.ean") if own else ("''", "''")
    rows = db.rows(
        f"SELECT r.good_id, r.product_id, r.made, r.category_id, {', '.join(f'r.{name}' for name in PENDING)},"
        f" p.product_id IS NOT NULL, p.status, p.price, p.quantity, p.model, {sku}, {ean}, d.name,"
        " l.product_id IS NOT NULL"
        " FROM {torgsync_product} r LEFT JOIN {product} p ON p.product_id = r.product_id"
        " LEFT JOIN {product_description} d ON d.product_id = r.product_id AND d.language_id = :language"
        " LEFT JOIN {product_to_category} l ON l.product_id = r.product_id AND l.category_id = r.category_id"
        " ORDER BY r.good_id",
        language=db.languages.main,
    )
    goods: dict[int, Good] = {}
    for row in rows:
        good, product, made, category = row[:4]
        pending = dict(zip(PENDING, row[4:12], strict=True))
        exists, status, price, quantity, model, product_sku, product_ean, name, linked = row[12:]
        if not own:
            product_sku, product_ean = codes.get((product, "SKU"), ""), codes.get((product, "EAN"), "")
        goods[good] = Good(
            good, product, bool(made), category, pending, bool(exists), bool(status), Decimal(price or 0),
            int(quantity or 0), model or "", product_sku or "", product_ean or "", name or "", bool(linked),
            product not in incomplete,
        )  # fmt: skip
    return goods


def _codes(db: Db) -> dict[tuple[int, str], str]:
    """4.1: (product_id, code) → value of our products' SKU and EAN."""
    if not db.layout.product_codes:
        return {}
    found = db.rows(
        "SELECT c.product_id, c.code, c.value FROM {product_code} c"
        " JOIN {torgsync_product} r ON r.product_id = c.product_id WHERE c.code IN ('SKU', 'EAN')"
        " ORDER BY c.product_id, c.code"
    )
    return {(product, str(code)): value for product, code, value in found}


def _incomplete(db: Db) -> set[int]:
    """Products of ours that lack a row of some language or store, or whose main category is not one."""
    out: set[int] = set()

    def add(statement: str, **values: Any) -> None:
        out.update(product for (product,) in db.rows(statement, **values))

    record = "SELECT r.product_id FROM {torgsync_product} r"
    for language in db.languages.enabled:
        add(
            f"{record} LEFT JOIN {{product_description}} d ON d.product_id = r.product_id AND d.language_id = :language"
            " WHERE d.product_id IS NULL",
            language=language,
        )
    for store in db.settings.store_ids:
        add(
            f"{record} LEFT JOIN {{product_to_store}} s ON s.product_id = r.product_id AND s.store_id = :store"
            " WHERE s.product_id IS NULL",
            store=store,
        )
    if not db.settings.editors("name"):
        for language in db.languages.strict[1:]:
            add(
                f"{record} JOIN {{product_description}} d ON d.product_id = r.product_id AND d.language_id = :language"
                " JOIN {product_description} m ON m.product_id = r.product_id AND m.language_id = :main"
                " WHERE BINARY d.name <> BINARY m.name",
                language=language, main=db.languages.main,
            )  # fmt: skip
    if db.layout.main_category:
        add(
            "SELECT x.product_id FROM (SELECT l.product_id, MAX(l.category_id = r.category_id) AS linked,"
            " MAX(IF(l.category_id = r.category_id, l.main_category, 0)) AS our_main,"
            " MAX(IF(l.category_id = r.category_id, 0, l.main_category)) AS other_main"
            " FROM {torgsync_product} r JOIN {product_to_category} l ON l.product_id = r.product_id"
            " GROUP BY l.product_id) x WHERE x.linked = 1 AND (x.our_main = 1) = (x.other_main = 1)"
        )
    return out
