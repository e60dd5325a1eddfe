"""Writes goods: first our record, then a hidden product with all its rows, last its status.

The shop gives each product its id, as editors make products too; our record maps it to the GoodID. ``torgsync_link``
lists the links that we made; other links are an editor's and stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from schemas.contents import Rows
from schemas.errors import StoreError
from stores.opencart.db import Db
from stores.opencart.goods_rows import Good
from stores.opencart.ownership_tables import MARK, leave_alone, packed
from stores.opencart.text import description_html, escape
from stores.opencart.wanted import model_of

_RECORDS = """
    INSERT INTO {torgsync_product} (product_id, good_id, name, category_id, price, quantity, sku, ean, hidden, model,
    description, before_row, touched) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON DUPLICATE KEY UPDATE name_before = IF(touched > 0, name_before, name), name = VALUES(name),
    category_id = VALUES(category_id), price = VALUES(price), quantity = VALUES(quantity), sku = VALUES(sku),
    ean = VALUES(ean), hidden = VALUES(hidden), model = VALUES(model), description = VALUES(description),
    before_row = IF(touched > 0, before_row, VALUES(before_row)), touched = 1"""
_HIDDEN = """
    INSERT INTO {torgsync_product} (product_id, good_id, before_row) VALUES (%s, %s, %s) ON DUPLICATE KEY UPDATE
    hidden = 1, before_row = IF(touched > 0, before_row, VALUES(before_row)), touched = 2"""
_MARKED = f"BINARY p.model = BINARY CONCAT('{MARK}', r.good_id)"
_JOINED = "{product} p JOIN {torgsync_product} r ON p.product_id = r.product_id"


WORK = 10
"""Units of work of one good, as measured (benchmarks/opencart.py): claim 4, make 5, show 1."""


class GoodsWriter:
    """``full``: GoodIDs of which all rows are written; ``hide``: GoodIDs that are only hidden.

    ``report_work`` is called with the units of work that are done (see WORK).
    """

    def __init__(
        self,
        db: Db,
        goods: Mapping[int, Good],
        present: Rows,
        wanted: Rows,
        full: Sequence[int],
        hide: Sequence[int],
        texts: Mapping[int, str | None],
        report_work: Callable[[int], None],
    ) -> None:
        self.db, self.goods, self.present, self.wanted = db, goods, present, wanted
        self.full, self.hide, self.texts, self.report_work = full, hide, texts, report_work

    def claim(self) -> None:
        """Note in our tables what this run will write, with ids for new products."""
        leave_alone(self.db, "torgsync_product")
        if self.db.settings.editors("status"):
            self.db.run(f"UPDATE {_JOINED} SET r.shown = p.status WHERE r.hidden = 0 AND r.touched = 0 AND r.made = 1")
        free = self._first_free_id()
        ids: dict[int, int] = {}
        for good in self.full:
            product = self.goods.get(good)
            ids[good] = product.product_id if product is not None else free
            free += product is None
        self.db.many(
            _RECORDS, (self._record(good, ids[good]) for good in self.full), lambda rows: self.report_work(4 * rows)
        )
        leaving = ((self.goods[good].product_id, good, self._before(good)) for good in self.hide)
        self.db.many(_HIDDEN, leaving, lambda rows: self.report_work((WORK - 1) * rows))

    def _record(self, good: int, product: int) -> tuple[object, ...]:
        name, category, price, quantity, articul, barcode, hidden, _ = self.wanted.rows[good]
        text = self.texts.get(good)
        return (
            product, good, escape(name), category, price, quantity, escape(articul or ""), escape(barcode or ""),
            int(hidden), model_of(self.db, good, articul),
            description_html(text, *self.db.layout.room("product_description", "description")) if text else None,
            self._before(good), 1,
        )  # fmt: skip

    def _before(self, good: int) -> str | None:
        return None if self.db.layout.atomic else packed(self.present.rows.get(good))

    def _first_free_id(self) -> int:
        """Return an id that no product ever had, as old orders still name the ids of deleted products."""
        found = self.db.rows(
            "SELECT auto_increment FROM information_schema.tables WHERE table_schema = DATABASE()"
            " AND table_name = :name",
            name=f"{self.db.settings.prefix}product",
        )
        highest = [int(found[0][0] or 1) - 1 if found else 0]
        tables = ["product", "torgsync_product"] + ["order_product"] * self.db.layout.has("order_product", "product_id")
        for table in tables:
            highest.append(int(self.db.rows(f"SELECT COALESCE(MAX(product_id), 0) FROM {{{table}}}")[0][0]))
        return max(highest) + 1

    def make(self) -> None:
        """Write new products hidden, with texts, stores, codes and links; then the fields of existing products."""
        self._products()
        self.report_work(len(self.full))
        self._names()
        self.report_work(2 * len(self.full))
        for store in self.db.settings.store_ids:
            self.db.insert_select(
                "product_to_store", {"product_id": "r.product_id", "store_id": ":store"},
                "FROM {torgsync_product} r LEFT JOIN {product_to_store} s ON s.product_id = r.product_id"
                " AND s.store_id = :store WHERE r.touched = 1 AND s.product_id IS NULL", store=store,
            )  # fmt: skip
        self._links()
        self.report_work(len(self.full))
        if self.db.layout.product_codes:
            self._codes()
        self._fields()
        self.report_work(len(self.full))

    def _products(self) -> None:
        db = self.db
        classes = {name: int(db.setting(f"config_{name}") or 0) for name in ("weight_class_id", "length_class_id")}
        stock = db.settings.stock_status or int(db.setting("config_stock_status_id") or 0) or 5
        db.insert_select(
            "product",
            {
                "product_id": "r.product_id", "model": f"CONCAT('{MARK}', r.good_id)", "sku": "r.sku", "ean": "r.ean",
                "price": "r.price", "quantity": "r.quantity", "stock_status_id": ":stock", "image": "''",
                "manufacturer_id": "0", "shipping": "1", "points": "0", "tax_class_id": "0", "weight": "0",
                # a day ago: the clocks of PHP and of the database may be hours apart
                "date_available": "CURDATE() - INTERVAL 1 DAY", "weight_class_id": ":weight_class_id",
                "length_class_id": ":length_class_id", "subtract": "1", "minimum": "1", "sort_order": "0",
                "rating": "0", "location": "''", "upc": "''", "jan": "''", "isbn": "''", "mpn": "''",
                "variant": "''", "override": "''", "status": "0", "noindex": "1", "date_added": "NOW()",
                "date_modified": "NOW()",
            },
            "FROM {torgsync_product} r LEFT JOIN {product} p ON p.product_id = r.product_id"
            " WHERE r.touched = 1 AND p.product_id IS NULL", stock=stock, **classes,
        )  # fmt: skip
        db.run(f"UPDATE {_JOINED} SET r.made = 1 WHERE r.made = 0 AND r.touched = 1 AND {_MARKED}")
        others = db.rows(f"SELECT r.product_id FROM {_JOINED} WHERE r.made = 0 AND r.touched = 1")
        if others:
            db.run("DELETE FROM {torgsync_product} WHERE product_id IN :ids", ids=[number for (number,) in others])
            raise StoreError(
                f"store {db.settings.name}: an editor made product {others[0][0]} at the same moment",
                "run again: the good gets another id",
            )

    def _names(self) -> None:
        languages, follow = self.db.languages, not self.db.settings.editors("name")
        for language in languages.enabled:
            self.db.insert_select(
                "product_description",
                {"product_id": "r.product_id", "language_id": ":language", "name": "r.name", "meta_title": "r.name",
                 "description": "COALESCE(r.description, '')", "tag": "''", "meta_description": "''",
                 "meta_keyword": "''"},
                "FROM {torgsync_product} r LEFT JOIN {product_description} d ON d.product_id = r.product_id"
                " AND d.language_id = :language WHERE r.touched = 1 AND d.product_id IS NULL", language=language,
            )  # fmt: skip
            if follow and language in (*languages.strict, *languages.loose):
                untouched = " AND BINARY d.name = BINARY r.name_before" if language in languages.loose else ""
                self.db.run(
                    "UPDATE {product_description} d JOIN {torgsync_product} r ON d.product_id = r.product_id"
                    " SET d.name = r.name WHERE r.touched = 1 AND d.language_id = :language"
                    f" AND BINARY d.name <> BINARY r.name{untouched}",
                    language=language,
                )

    def _links(self) -> None:
        """Add the new link beside the old one; one statement changes the main link."""
        missing = (
            " LEFT JOIN {product_to_category} l ON l.product_id = r.product_id AND l.category_id = r.category_id"
            " WHERE r.touched = 1 AND r.category_id IS NOT NULL AND l.product_id IS NULL"
        )
        self.db.run(
            "INSERT IGNORE INTO {torgsync_link} (product_id, category_id)"
            f" SELECT r.product_id, r.category_id FROM {{torgsync_product}} r{missing}"
        )
        main = {"main_category": "0"} if self.db.layout.main_category else {}
        self.db.insert_select(
            "product_to_category", {"product_id": "r.product_id", "category_id": "r.category_id", **main},
            f"FROM {{torgsync_product}} r{missing}",
        )  # fmt: skip
        if main:
            self.db.run(
                "UPDATE {product_to_category} l"
                " JOIN {torgsync_product} r ON r.product_id = l.product_id AND r.touched = 1"
                " AND r.category_id IS NOT NULL"
                " LEFT JOIN {torgsync_link} k ON k.product_id = l.product_id AND k.category_id = l.category_id"
                " LEFT JOIN (SELECT x.product_id, MAX(x.main_category) AS main FROM {product_to_category} x"
                " JOIN {torgsync_product} y ON y.product_id = x.product_id AND y.touched = 1"
                " LEFT JOIN {torgsync_link} z ON z.product_id = x.product_id AND z.category_id = x.category_id"
                " WHERE x.category_id <> y.category_id AND z.product_id IS NULL GROUP BY x.product_id"
                ") o ON o.product_id = l.product_id"
                " SET l.main_category = IF(l.category_id = r.category_id AND COALESCE(o.main, 0) = 0, 1, 0)"
                " WHERE l.category_id = r.category_id OR k.product_id IS NOT NULL"
            )

    def _codes(self) -> None:
        """Write SKU and EAN into their own table (4.1)."""
        for code, field, editors in (("SKU", "sku", "articul"), ("EAN", "ean", "barcode")):
            there = f"c.product_id = r.product_id AND c.code = '{code}'"
            self.db.insert_select(
                "product_code", {"product_id": "r.product_id", "code": f"'{code}'", "value": f"r.{field}"},
                f"FROM {{torgsync_product}} r LEFT JOIN {{product_code}} c ON {there}"
                f" WHERE r.touched = 1 AND r.{field} <> '' AND c.product_id IS NULL",
            )  # fmt: skip
            if self.db.settings.editors(editors):  # type: ignore[arg-type]
                continue
            both = f"{{product_code}} c JOIN {{torgsync_product}} r ON {there}"
            self.db.run(f"UPDATE {both} SET c.value = r.{field} WHERE r.touched = 1 AND r.{field} <> ''")
            self.db.run(f"DELETE c FROM {both} WHERE r.touched = 1 AND r.{field} = ''")

    def _fields(self) -> None:
        editors, layout = self.db.settings.editors, self.db.layout
        follow = [] if editors("price") else ["p.price = r.price"]
        follow += [] if editors("quantity") else ["p.quantity = r.quantity"]
        if layout.has("product", "sku"):
            follow += [] if editors("articul") else ["p.sku = r.sku"]
            follow += [] if editors("barcode") else ["p.ean = r.ean"]
        # until here the model of a new product is our mark
        kept = "p.model" if editors("articul") else "r.model"
        follow.append(f"p.model = IF({_MARKED}, r.model, {kept})")
        follow += ["p.date_modified = NOW()"] if layout.has("product", "date_modified") else []
        self.db.run(f"UPDATE {_JOINED} SET {', '.join(follow)} WHERE r.touched = 1")

    def show(self) -> None:
        """Show and hide products; then delete the links that we made and that are out of date."""
        status = "r.shown" if self.db.settings.editors("status") else "1"
        self.db.run(
            f"UPDATE {_JOINED} SET p.status = {status} WHERE r.touched = 1 AND r.hidden = 0 AND p.status <> {status}"
        )
        self.db.run(f"UPDATE {_JOINED} SET p.status = 0 WHERE r.touched IN (1, 2) AND r.hidden = 1 AND p.status <> 0")
        stale = "r.touched = 1 AND (r.category_id IS NULL OR k.category_id <> r.category_id)"
        self.db.run(
            "DELETE l FROM {product_to_category} l"
            " JOIN {torgsync_link} k ON k.product_id = l.product_id AND k.category_id = l.category_id"
            f" JOIN {{torgsync_product}} r ON r.product_id = l.product_id WHERE {stale}"
        )
        self.db.run(
            "DELETE k FROM {torgsync_link} k JOIN {torgsync_product} r ON r.product_id = k.product_id"
            f" WHERE {stale}"
        )
        self.report_work(len(self.full) + len(self.hide))
