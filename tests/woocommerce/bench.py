"""The stand-in as a bench of tests/stores: one more store for the conformance suite."""

from __future__ import annotations

import copy
import html
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.stores.bench import Bench, Categories, Offers
from tests.woocommerce.standin import KEY, SECRET, Fault, StandIn


def woocommerce_bench(folder: Path, request: Any) -> Bench:
    server = StandIn()
    request.addfinalizer(server.close)
    theirs: list[dict[str, Any]] = []

    def bound(entity: str) -> dict[int, str]:
        with sqlite3.connect(folder / "state.db") as connection:
            rows = connection.execute("select key, store_key from bindings where entity = ?", (entity,))
            return dict(rows.fetchall())

    def look() -> tuple[Categories, Offers]:
        hidden = {number for number, flag in bound("category_hidden").items() if flag == "1"}
        numbers = {int(place): number for number, place in bound("category").items() if place.isdecimal()}
        terms = {numbers[place]: term for place, term in server.shop.terms.items() if place in numbers}
        categories = {
            number: (html.unescape(term["name"]), numbers.get(term["parent"]))
            for number, term in terms.items()
            if number not in hidden
        }
        offers = {}
        for product in server.shop.products.values():
            if product["sku"].startswith("torgsync-") and product["status"] == "publish":
                places = [numbers[c["id"]] for c in product["categories"] if c["id"] in numbers]
                assert len(places) == 1, "one category of ours per product"
                offers[int(product["sku"].removeprefix("torgsync-"))] = (places[0], html.unescape(product["name"]))
        return categories, offers

    def plant() -> None:
        theirs.append(server.shop._create_term({"name": "своя", "slug": "svoia"}))
        theirs.append(server.shop._create_product({"name": "свій", "categories": [{"id": theirs[0]["id"]}]}))

    @contextmanager
    def fault(at: int | None) -> Iterator[None]:
        server.forget()
        if at is not None:
            server.write_faults[at] = Fault(cut=True, applied=at % 2 == 0)
        try:
            yield
        finally:
            server.forget()

    return Bench(
        kind="woocommerce",
        settings=f'kind = "woocommerce"\nurl = "{server.url}"\nkey_env = "WOO_KEY"\nsecret_env = "WOO_SECRET"\n'
        "tries = 1\nbatch = 4\n",
        look=look,
        image=server.image,
        fault=fault,
        plant=plant,
        foreign=lambda: copy.deepcopy(theirs),
        ids=lambda: {number: int(place) for number, place in bound("category").items()},
        gaps={"redirect", "retire"},
        environment={"WOO_KEY": KEY, "WOO_SECRET": SECRET},
    )
