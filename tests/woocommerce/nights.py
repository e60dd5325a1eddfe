"""Nights against one shop: a catalogue as dictionaries, a plan by the real planner, an apply by the real target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from schemas.catalogue import Catalogue
from schemas.contents import Contents, Rows
from schemas.plan import Operation, StorePlan
from schemas.report import StoreResult
from schemas.settings.woocommerce import WooCommerceStore
from schemas.tables import ASSIGNMENTS, CATEGORIES, CLEAN_PRODUCT_TYPES, OFFERS, SECTIONS, conform
from stores.protocol import PriorState
from stores.woocommerce import WooCommerceAdapter
from stores.woocommerce.client import Clock
from tests.pure import empty_frame
from tests.woocommerce.standin import UNCATEGORIZED, StandIn
from transforms.plan import REDIRECT_COLUMNS, Absent, operations, unplanned, wanted_contents

_MADE: dict[str, tuple[Catalogue, Contents]] = {}


@dataclass
class Night:
    """``categories`` number → (name, parent), ``goods`` id → (category, name), ``prices`` id → texts."""

    server: StandIn
    folder: Path
    categories: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    goods: dict[int, tuple[int | None, str]] = field(default_factory=dict)
    fields: dict[int, dict[str, Any]] = field(default_factory=dict)
    redirects: dict[str, tuple[int, list[str], int]] = field(default_factory=dict)
    bindings: dict[tuple[str, int], tuple[str, str | None]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    waited: list[float] = field(default_factory=list)
    begun: Callable[[], None] = lambda: None
    told: list[tuple[int, int]] = field(default_factory=list)
    held: Mapping[Any, Any] = field(default_factory=dict)

    @property
    def store(self) -> WooCommerceStore:
        own = {"name": "woo", "kind": "woocommerce", "url": self.server.url, "timeout_seconds": 120}
        keys = {"key_env": "WOO_KEY", "secret_env": "WOO_SECRET"}
        return WooCommerceStore.model_validate({**own, **keys, **self.settings})

    @property
    def target(self) -> WooCommerceAdapter:
        return WooCommerceAdapter(
            self.store,
            self.folder,
            PriorState(bindings=dict(self.bindings)),
            self.bindings.update,
            progress=lambda done, total: self.told.append((done, total)),
            clock=Clock(self.waited.append, lambda: datetime(2026, 11, 24, 2, 30, tzinfo=UTC), lambda: 0.5),
        )

    def _remembered(self) -> tuple[Catalogue, Contents]:
        """The catalogue and what every store shall hold; made once for the same rows, as frames are slow to make."""
        made = repr((self.categories, self.goods, self.fields, self.redirects))
        if made not in _MADE:
            catalogue = self._catalogue()
            _MADE[made] = catalogue, wanted_contents(catalogue, Rows(REDIRECT_COLUMNS, dict(self.redirects)))
        return _MADE[made]

    def _catalogue(self) -> Catalogue:
        paths: dict[int, list[str]] = {}
        for number, (name, parent) in self.categories.items():  # parents first, as in a real catalogue
            paths[number] = [*(paths[parent] if parent is not None else []), name]
        categories = pd.DataFrame(
            {
                "number": list(self.categories),
                "name": [name for name, _ in self.categories.values()],
                "parent_number": [parent for _, parent in self.categories.values()],
                "path": pd.Series(list(paths.values()), dtype=object),
                "depth": [len(path) for path in paths.values()],
                "goods": [0] * len(paths),
            }
        )
        offers = pd.DataFrame(
            {
                "good_id": list(self.goods),
                "category_number": [category for category, _ in self.goods.values()],
                "name": [name for _, name in self.goods.values()],
                "hidden": [
                    row[0] is None or self.fields.get(n, {}).get("hidden", False) for n, row in self.goods.items()
                ],
            }
        )
        for column, default in (("retail_price", "10.50"), ("retail_price_with_discount", None),
                                ("warehouse_quantity", "5"), ("description", None)):  # fmt: skip
            values = [self.fields.get(good, {}).get(column, default) for good in self.goods]
            if column != "description":
                values = [None if value is None else Decimal(value) for value in values]
            offers[column] = pd.Series(values, dtype=OFFERS.columns[column].dtype.type)
        empty = (empty_frame(schema) for schema in (ASSIGNMENTS, SECTIONS, CLEAN_PRODUCT_TYPES))
        assignments, sections, types = empty
        return Catalogue(conform(categories, CATEGORIES), assignments, conform(offers, OFFERS), sections, types)

    def wanted(self, target: WooCommerceAdapter) -> Any:
        return target.want(*self._remembered())

    def plan(self) -> StorePlan:
        target = self.target
        wanted = self.wanted(target)
        found = operations(wanted.contents, target.read(), Absent(self.held))
        return StorePlan(store="woo", kind="woocommerce", operations=found)

    def apply(self, plan: StorePlan) -> StoreResult:
        target = self.target

        def replan(present: Contents) -> tuple[Operation, ...]:
            found = operations(wanted.contents, present, Absent(self.held))
            assert unplanned(plan.operations, found) == []
            return found

        wanted = self.wanted(target)
        return target.apply(wanted, replan, self.begun)

    def sync(self) -> StoreResult:
        """Plan and apply; then a second plan is empty."""
        plan = self.plan()
        result = self.apply(plan) if plan.operations else StoreResult(name="woo", kind="woocommerce")
        assert self.plan().operations == ()
        return result

    def look(self) -> tuple[dict[int, tuple[str, int | None]], dict[int, tuple[Any, str]]]:
        """What a visitor sees of ours, read without our code: categories with a good in or below, and goods."""
        terms, products = self.server.shop.terms, self.server.shop.products
        numbers = {
            int(v[0]): key for (entity, key), v in self.bindings.items() if entity == "category" and v[0].isdecimal()
        }
        places = {p["id"]: tuple(numbers.get(c["id"], -c["id"]) for c in p["categories"]) for p in products.values()}
        goods = {
            int(p["sku"].removeprefix("torgsync-")): (places[p["id"]], p["name"])
            for p in products.values()
            if p["sku"].startswith("torgsync-") and p["status"] == "publish" and p["catalog_visibility"] == "visible"
        }  # fmt: skip
        tree = {n: (terms[t]["name"], numbers.get(terms[t]["parent"])) for t, n in numbers.items() if t in terms}
        return tree, goods

    def check(self) -> None:
        """The shop shows what is wanted, no more, no less and nothing twice."""
        import html

        tree, goods = self.look()
        shown = {n: (html.unescape(name), parent) for n, (name, parent) in tree.items() if n in self.categories}
        assert shown == self.categories
        wanted = {good: ((category,), name) for good, (category, name) in self.goods.items() if category is not None}
        assert {good: (c, html.unescape(name)) for good, (c, name) in goods.items()} == wanted
        skus = [p["sku"] for p in self.server.shop.products.values() if p["sku"]]
        assert len(skus) == len(set(skus))
        bound = {v[0] for (entity, _), v in self.bindings.items() if entity == "category"}
        foreign = {t for t in self.server.shop.terms if str(t) not in bound} - {UNCATEGORIZED}
        assert foreign == set(), "a category was made twice"

    def small(self) -> Night:
        """A small shop."""
        self.categories = {1: ("Дім", None), 2: ("Посуд", 1), 3: ("Чашки", 2), 4: ("Текстиль", 1)}
        self.goods = {n: (n % 4 + 1, f"Товар {n}") for n in range(1, 9)}
        return self

    def term(self, number: int) -> dict[str, Any]:
        return self.server.shop.terms[int(self.bindings["category", number][0])]

    def product(self, good: int) -> dict[str, Any]:
        return self.server.shop.products[int(self.bindings["offer", good][0])]
