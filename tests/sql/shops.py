"""A small shop with an SQL store and a file beside it, and what its tests look at in the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text

from schemas.extract import Extract
from schemas.report import RunReport, StoreResult
from tests.nights.world import World

STORES = """
[[stores]]
name = "web"
kind = "sql"
{settings}
[[stores]]
name = "site"
kind = "trs"
target = "feed"
encoding = "utf-8"
header = true
"""


@dataclass
class Described(World):
    """A world in which some goods have a description."""

    texts: dict[int, str] | None = None

    def extract(self, *_: Any) -> Extract:
        found = super().extract()
        goods = found.goods
        for row, good in enumerate(self.goods):
            if good in (self.texts or {}):
                goods.loc[row, "description"] = (self.texts or {})[good]
        return found


@dataclass
class SqlShop:
    """The shop; ``url`` is its database with the password."""

    world: Described
    url: str

    def sync(self, outcome: str = "ok") -> RunReport:
        report = self.world.sync()
        assert report.outcome == outcome, f"{report.outcome}: {report.message} {report.stores}"
        return report

    def web(self, report: RunReport) -> StoreResult:
        """What happened to the SQL store."""
        return next(store for store in report.stores if store.name == "web")

    def others_loaded(self, report: RunReport) -> bool:
        """Whether the file beside it was brought up to date."""
        wanted = {good for good, row in self.world.goods.items() if self.world.types[row[0]][2]}
        found = {good for good, (category, _) in self.world.feed().items() if category != -1}
        return found == wanted and any(s.name == "site" and s.outcome == "ok" for s in report.stores)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection of somebody else, in a transaction that is committed at the end."""
        engine = create_engine(self.url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def execute(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def image(self) -> list[list[tuple[Any, ...]]]:
        """Every row of the store."""
        return [self.rows(f"select * from {t} order by 1") for t in ("categories", "offers", "redirects")]

    def names(self) -> dict[int, str]:
        return {int(key): name for key, name in self.rows("select good_id, name from offers order by 1")}


def sql_shop(folder: Path, url: str, settings: str = "") -> SqlShop:
    """A shop of four categories and twelve goods."""
    world = Described(folder)
    sqlite = url.startswith("sqlite")
    place = f'url = "{url}"' if sqlite else 'url_env = "TORGSYNC_TEST_SQL"'
    world.settings(stores=STORES.format(settings=f"{place}\n{settings}"))
    world.sections = {1: (None, "Дім", 1), 2: (1, "Посуд", 2), 3: (2, "Чашки", 3), 4: (1, "Текстиль", 4)}
    world.types = {n: (None if n == 1 else 1, name, n) for n, (_, name, _) in world.sections.items()}
    world.goods = {n: (n % 4 + 1, f"Товар {n}") for n in range(1, 13)}
    world.prices = dict.fromkeys(range(1, 100), "10.50")
    return SqlShop(world, f"sqlite:///{folder / url.removeprefix('sqlite:///')}" if sqlite else url)
