"""OpenCart as a bench of tests/stores: one more store for the conformance suite."""

from __future__ import annotations

import html
import os
from typing import Any

from tests.opencart.conftest import Shop
from tests.stores.bench import Bench, Categories, Offers, sql_fault

THEIRS = 900001
# test_crash.py breaks every statement of OpenCart already; over five versions it would take minutes here.
FAULT_STEP = int(os.environ.get("TORGSYNC_SWEEP_STEP", "9"))


def opencart_bench(version: str, request: Any) -> Bench:
    shop: Shop = request.getfixturevalue("make_shop")(version)

    def look() -> tuple[Categories, Offers]:
        seen = shop.seen()
        categories = {
            n: (html.unescape(name), parent if parent in seen else None)
            for n, (name, parent) in seen.items()
            if n < THEIRS
        }
        offers = {}
        for good, (name, places) in shop.seen_goods().items():
            assert len(places) == 1, "one category of ours per product"
            offers[good] = (places[0], html.unescape(name))
        return categories, offers

    def plant() -> None:
        """Make an editor's category and product, as OpenCart's admin would."""
        shop.run(f"INSERT INTO oc_category SET category_id = {THEIRS}, parent_id = 0, status = 1, sort_order = 7")
        shop.run(f"INSERT INTO oc_category_description SET category_id = {THEIRS}, language_id = 2, name = 'своя'")
        shop.run(f"INSERT INTO oc_category_path SET category_id = {THEIRS}, path_id = {THEIRS}, level = 0")
        shop.run(f"INSERT INTO oc_category_to_store SET category_id = {THEIRS}, store_id = 0")
        shop.run(f"INSERT INTO oc_product SET product_id = {THEIRS}, model = 'свій', status = 1, price = 5")
        shop.run(f"INSERT INTO oc_product_to_category SET product_id = {THEIRS}, category_id = {THEIRS}")

    def foreign() -> Any:
        tables = ("category", "category_description", "category_path", "category_to_store", "product_to_category")
        rows = {name: shop.rows(f"SELECT * FROM oc_{name} WHERE category_id = {THEIRS}") for name in tables}
        return rows | {"product": shop.rows(f"SELECT * FROM oc_product WHERE product_id = {THEIRS}")}

    return Bench(
        kind="opencart",
        settings='kind = "opencart"\nurl_env = "TORGSYNC_TEST_OPENCART"\n',
        look=look,
        image=shop.image,
        fault=sql_fault,
        plant=plant,
        foreign=foreign,
        ids=lambda: dict(shop.rows("SELECT good_id, product_id FROM oc_torgsync_product")),
        gaps={"redirect", "unredirect", "retire"},
        fault_step=FAULT_STEP,
        environment={"TORGSYNC_TEST_OPENCART": shop.url},
    )
