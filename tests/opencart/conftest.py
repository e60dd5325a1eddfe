"""A shop: one OpenCart database of any version, and a catalogue that is loaded into it every night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine, make_url

from schemas.catalogue import Catalogue
from schemas.contents import Contents, Rows
from schemas.plan import Operation, StorePlan
from schemas.report import StoreResult
from schemas.settings.opencart import OpenCartStore
from schemas.tables import DECIMAL, RAW_GOODS, conform
from stores.opencart.adapter import OpenCartAdapter
from stores.opencart.check import check
from stores.protocol import Wanted
from tests.opencart.tables import VERSIONS, create, populate
from tests.pure import decide, goods_frame, sections_frame, types_frame
from transforms.plan import REDIRECT_COLUMNS, Absent, operations, unplanned, wanted_contents
from transforms.redirects import next_redirects

NOWHERE = 0x7FFF0000
"""A product type without a section."""


class Broken(Exception):
    """A statement that the test made fail."""


@lru_cache(128)
def catalogue_of(sections: tuple[Any, ...], goods: tuple[Any, ...], more: tuple[Any, ...]) -> Catalogue:
    """Return the catalogue that our transforms make of such a base."""
    fields = {good: dict(values) for good, *values in more}
    types = [(n, parent, name, n) for n, (parent, name) in sections]
    unmapped = [(NOWHERE, None, "без розділу")] if any(number is None for _, (number, _) in goods) else []
    frame = goods_frame(*((good, number or NOWHERE, name) for good, (number, name) in goods))
    for name in ("articul", "barcode", "description"):
        frame[name] = pd.Series([fields.get(g, {}).get(name) for g in frame["good_id"]], dtype=object)
    for name, default in (("retail_price", "10.50"), ("warehouse_quantity", "3")):
        values = [fields.get(g, {}).get(name, default) for g in frame["good_id"]]
        exact = pyarrow.array([None if v is None else Decimal(v) for v in values], DECIMAL.pyarrow_dtype)
        frame[name] = pd.Series(exact, dtype=DECIMAL)
    numbered = sections_frame(*((n, parent, name, n) for n, (parent, name) in sections))
    found = decide(types_frame(*types, *unmapped), numbered, conform(frame, RAW_GOODS), unmapped="hide").catalogue
    # the names policy is not under test: forbidden characters must reach the shop
    names = [dict(sections)[int(n)][1] for n in found.categories["number"]]
    titles = [dict(goods)[int(g)][1] for g in found.offers["good_id"]]
    return replace(
        found,
        categories=found.categories.assign(name=pd.array(names, dtype=found.categories["name"].dtype)),
        offers=found.offers.assign(name=pd.array(titles, dtype=found.offers["name"].dtype)),
    )


@dataclass
class Shop:
    """``sections``: number → (parent, name). ``goods``: id → (number or None, name). ``sync`` is one night."""

    version: str
    url: str
    folder: Path
    sections: dict[int, tuple[int | None, str]] = field(default_factory=dict)
    goods: dict[int, tuple[int | None, str]] = field(default_factory=dict)
    fields: dict[int, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    loaded: Catalogue | None = None
    redirects: Rows = field(default_factory=lambda: Rows(REDIRECT_COLUMNS))
    give_back: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.engine = create_engine(self.url)

    @property
    def store(self) -> OpenCartStore:
        return OpenCartStore.model_validate({"name": "site", "kind": "opencart", "url": self.url, **self.settings})

    def target(self) -> OpenCartAdapter:
        return OpenCartAdapter(self.store, self.folder, shop="test")

    def catalogue(self) -> Catalogue:
        fields = tuple((good, *sorted(values.items())) for good, values in self.fields.items())
        return catalogue_of(tuple(self.sections.items()), tuple(self.goods.items()), fields)

    def wanted(self, catalogue: Catalogue | None = None) -> tuple[Catalogue, Contents, Rows]:
        catalogue = catalogue or self.catalogue()
        found = next_redirects(self.redirects, self.loaded, catalogue)
        return catalogue, wanted_contents(catalogue, found.emitted), found.kept

    def plan(self) -> tuple[OpenCartAdapter, Wanted, StorePlan, Rows]:
        target = self.target()
        catalogue, contents, kept = self.wanted()
        wanted = target.want(catalogue, contents)
        found = operations(wanted.contents, target.read(), Absent())
        return target, wanted, StorePlan(store="site", kind="opencart", operations=found), kept

    def apply(self, wanted: Wanted, plan: StorePlan) -> StoreResult | None:
        """Apply a plan with a new adapter, as ``apply PLAN`` or ``resume RUN`` do."""
        if not plan.operations:
            return None

        def replan(present: Contents) -> tuple[Operation, ...]:
            found = operations(wanted.contents, present, Absent())
            assert unplanned(plan.operations, found) == []
            return found

        begun: list[int] = []
        with count_writes() as writes:
            try:
                return self.target().apply(wanted, replan, lambda: begun.append(len(writes)))
            finally:
                assert begun == [0], "once, before the first write"

    def sync(self) -> dict[str, int]:
        """Plan and apply; returns the operations by entity and kind, as ``category move``."""
        _, wanted, plan, kept = self.plan()
        self.apply(wanted, plan)
        self.loaded, self.redirects = wanted.catalogue, kept
        return {f"{entity} {kind}": n for (entity, kind), n in plan.counts().items()}

    def settle(self) -> None:
        """Check that a second night writes nothing, and that the tables have no faults."""
        with count_writes() as writes:
            assert self.sync() == {}
        assert writes == []
        self.check_sound()

    def check_sound(self) -> None:
        assert [str(finding) for finding in check(self.store)] == []

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def run(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("SET SESSION sql_mode = ''"))
            connection.execute(text(statement), values)

    def seen(self) -> dict[int, tuple[str, int]]:
        """Return category → (name as stored, parent) of those with status 1, in the main language."""
        return {
            n: (name, parent)
            for n, name, parent in self.rows(
                "SELECT c.category_id, d.name, c.parent_id FROM oc_category c JOIN oc_category_description d"
                " ON d.category_id = c.category_id AND d.language_id = 2 WHERE c.status = 1"
            )
        }

    def seen_goods(self) -> dict[int, tuple[str, tuple[int, ...]]]:
        """Return GoodID → (name as stored, categories) of goods with status 1."""
        found: dict[int, tuple[str, tuple[int, ...]]] = {}
        for good, name, category in self.rows(
            "SELECT r.good_id, d.name, l.category_id FROM oc_torgsync_product r"
            " JOIN oc_product p ON p.product_id = r.product_id JOIN oc_product_description d"
            " ON d.product_id = p.product_id AND d.language_id = 2"
            " LEFT JOIN oc_product_to_category l ON l.product_id = p.product_id WHERE p.status = 1 ORDER BY 1, 3"
        ):
            known = found.get(good, (name, ()))
            found[good] = (name, (*known[1], *(() if category is None else (category,))))
        return found

    def become(self, other: Shop) -> Shop:
        """Copy the state of another shop table by table, which is quicker than a load."""
        source, own = (make_url(shop.url).database for shop in (other, self))
        with self.engine.begin() as connection:
            there = set(connection.execute(text("SHOW TABLES")).scalars())
            for name in connection.execute(text(f"SHOW TABLES FROM {source}")).scalars().all():
                if name not in there:
                    connection.execute(text(f"CREATE TABLE {own}.`{name}` LIKE {source}.`{name}`"))
                connection.execute(text(f"DELETE FROM {own}.`{name}`"))
                connection.execute(text(f"INSERT INTO {own}.`{name}` SELECT * FROM {source}.`{name}`"))
        self.sections, self.goods, self.fields = dict(other.sections), dict(other.goods), dict(other.fields)
        self.loaded, self.redirects = other.loaded, other.redirects
        return self

    def image(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all rows of OpenCart's tables, without dates."""
        out = {}
        with self.engine.connect() as connection:
            names = connection.execute(text("SHOW TABLES")).scalars().all()
            for name in sorted(name for name in names if "torgsync" not in name):
                result = connection.execute(text(f"SELECT * FROM `{name}`"))
                keep = [
                    n
                    for n, key in enumerate(result.keys())
                    if not key.startswith(("date_", "seo_url_id", "setting_id"))
                ]
                out[name] = sorted((tuple(row[n] for n in keep) for row in result), key=repr)
        return out


@contextmanager
def count_writes(fail_at: int | str | None = None) -> Iterator[list[str]]:
    """Collect statements that write to a shop; the N-th, or the first with this beginning, fails before it is sent."""
    seen: list[str] = []

    def tick(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        word = statement.lstrip().split(" ", 1)[0].upper()
        if word in ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE") and "_" in statement:
            seen.append(" ".join(statement.split())[:120])
            if fail_at in (len(seen), seen[-1][: len(str(fail_at))]):
                raise Broken(seen[-1])

    event.listen(Engine, "before_cursor_execute", tick)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", tick)


class Pool:
    """Emptied databases by version and prefix: creating their tables takes longer than a test."""

    def __init__(self, new: Callable[[], str]) -> None:
        self.new = new
        self.free: dict[tuple[str, str], list[str]] = {}

    def take_back(self, key: tuple[str, str], shop: Shop) -> None:
        """Empty a shop's database for the next one."""
        if shop.url in self.free[key]:
            return
        with shop.engine.begin() as connection:
            for name in connection.execute(text("SHOW TABLES")).scalars().all():
                connection.execute(text(f"DELETE FROM `{name}`"))
            connection.execute(text(f"ALTER TABLE `{key[1]}product` AUTO_INCREMENT = 1"))
        shop.engine.dispose()
        self.free[key].append(shop.url)


@pytest.fixture(scope="session")
def databases(mariadb_server: Any) -> Iterator[Pool]:
    """Return the databases of the session, which are dropped at its end."""
    with ExitStack() as stack:
        yield Pool(lambda: stack.enter_context(mariadb_server.database("CHARACTER SET utf8mb4")))


@pytest.fixture
def make_shop(databases: Pool, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Return a function that makes shops, each with a separate database."""
    opened: list[tuple[tuple[str, str], Shop]] = []

    def make(version: str, *, fresh: bool = False, **settings: Any) -> Shop:
        key = (version, settings.get("prefix", "oc_"))
        free = databases.free.setdefault(key, [])
        known = bool(free) and not fresh
        shop = Shop(
            version, free.pop() if known else f"{databases.new()}?ssl_disabled=true", tmp_path, settings=settings
        )
        opened.append((key, shop))
        shop.give_back = lambda: databases.take_back(key, shop)
        with shop.engine.connect() as connection:
            if not known:
                create(connection, *key)
            populate(connection, *key)
        return shop

    yield make
    for key, shop in opened:
        databases.take_back(key, shop)


@pytest.fixture(params=[version for version in VERSIONS if version != "3.0-innodb"])
def shop(request: pytest.FixtureRequest, make_shop: Callable[..., Shop]) -> Shop:
    """Return a small shop of each version, without a load."""
    return fill(make_shop(request.param))


def fill(shop: Shop) -> Shop:
    """Fill a shop: Дім > Посуд > Чашки, Дім > Текстиль; twelve goods."""
    shop.sections = {1: (None, "Дім"), 2: (1, "Посуд"), 3: (2, "Чашки"), 4: (1, "Текстиль")}
    shop.goods = {100 + n: (n % 4 + 1, f"Товар {n}") for n in range(12)}
    return shop
