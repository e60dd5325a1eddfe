"""A small shop whose base is a few dictionaries: a model can predict it, and the real code reads it every night."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import event
from sqlalchemy.engine import Engine

from engine.context import RunOptions
from engine.main_path import plan, sync
from engine.runs.resume import resume
from engine.runs.rollback import rollback
from engine.shops import load_shop
from engine.steps import Steps
from schemas.extract import Extract
from schemas.plan import Plan
from schemas.report import RunReport
from schemas.settings.shop import Shop
from sources.trs.file import read_trs
from state.database import State
from state.history import History
from state.url import state_url
from tests.pure import goods_frame, sections_frame, types_frame
from transforms.guards import GUARDS

ALL = dict.fromkeys(GUARDS, 1_000_000)
"""Allows every guard, for tests of later steps."""

SETTINGS = """
name = "test"
[source]
dsn = "none.fdb"
[sections]
unmapped = "{unmapped}"
rules = "rules.yaml"
first_number = 1000
[quarantine]
max_share = 1
[removals]
retire_after_nights = {retire_after}
[history]
keep_runs = {keep_runs}
{stores}
"""

STORES = """
[[stores]]
name = "web"
kind = "sql"
url = "sqlite:///web.db"
[[stores]]
name = "site"
kind = "trs"
target = "feed"
encoding = "utf-8"
header = true
"""


class Broken(BaseException):
    """The planted fault, which interrupts the run. An Exception in a store would only be a failure of that store."""


@dataclass
class World:
    """The base as dictionaries: types id → (parent, name, section), sections key → (parent, name, number), goods."""

    folder: Path
    types: dict[int, tuple[int | None, str, int | None]] = field(default_factory=dict)
    sections: dict[int, tuple[int | None, str, int]] = field(default_factory=dict)
    goods: dict[int, tuple[int, str]] = field(default_factory=dict)
    prices: dict[int, str] = field(default_factory=dict)

    def settings(
        self,
        unmapped: str = "inherit",
        retire_after: int = 3,
        keep_runs: int = 60,
        rules: str = "",
        stores: str = STORES,
    ) -> None:
        text = SETTINGS.format(unmapped=unmapped, retire_after=retire_after, keep_runs=keep_runs, stores=stores)
        self.folder.mkdir(exist_ok=True)
        (self.folder / "shop.toml").write_text(text, encoding="utf-8")
        self.rules(rules)

    def rules(self, text: str) -> None:
        (self.folder / "rules.yaml").write_text(text or "rules: []\n", encoding="utf-8")

    @property
    def shop(self) -> Shop:
        return load_shop(self.folder)

    def extract(self, *_: Any) -> Extract:
        goods = goods_frame(*((key, *row) for key, row in self.goods.items()))
        for column, value in (("retail_price", self.prices.get), ("warehouse_quantity", lambda _: "5")):
            found = [None if value(good) is None else Decimal(value(good)) for good in self.goods]
            goods[column] = pd.Series(found, index=goods.index, dtype=goods[column].dtype)
        return Extract(
            types_frame(*((key, *row) for key, row in self.types.items())),
            sections_frame(*((key, *row) for key, row in self.sections.items())),
            goods,
        )

    def sync(self, allow: dict[str, int] | None = None, steps: Steps | None = None) -> RunReport:
        return sync(self.shop, RunOptions(ALL if allow is None else allow), steps, self.extract)

    def plan(self) -> Plan:
        report = plan(self.shop, RunOptions(ALL), read=self.extract)
        found = History(self.folder / "history").plan(report.run)
        assert found is not None, report.message
        return found

    def resume(self) -> RunReport:
        return resume(self.shop, "last", RunOptions(ALL))

    def rollback(self, to: str) -> RunReport:
        return rollback(self.shop, to, RunOptions(ALL))

    def runs(self) -> list[dict[str, Any]]:
        state = State(state_url(self.shop), "test")
        try:
            return state.runs()
        finally:
            state.close()

    def rows(self, table: str, where: str = "managed") -> list[dict[str, Any]]:
        with sqlite3.connect(self.folder / "web.db") as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f"select * from {table} where {where} order by 1")]

    def execute(self, statement: str, *values: Any) -> None:
        with sqlite3.connect(self.folder / "web.db") as connection:
            connection.execute(statement, values)

    def down(self, store: str) -> bytes:
        """Make a SQL store unreadable; returns its earlier bytes."""
        path = self.folder / f"{store}.db"
        before = path.read_bytes()
        path.write_bytes(b"no database" * 500)
        return before

    def shown(self) -> tuple[dict[int, tuple[str, int | None, list[str]]], dict[int, tuple[int | None, str]]]:
        """Return what a visitor sees: categories number → (name, parent, path), goods id → (category, name)."""
        categories = {
            r["number"]: (r["name"], r["parent_number"], json.loads(r["path"]))
            for r in self.rows("categories", "managed and not hidden")
        }
        offers = {
            r["good_id"]: (r["category_number"], r["name"]) for r in self.rows("offers", "managed and not hidden")
        }
        return categories, offers

    def feed(self) -> dict[int, tuple[int, str]]:
        """Return the goods of the feed: id → (category or -1, name)."""
        frame = read_trs(self.folder / "feed" / "TSGoods.trs", encoding="utf-8", header=True).frame
        rows = zip(frame["good_id"], frame["category"], frame["good_name"], strict=True)
        found = {int(good): (int(category), str(name)) for good, category, name in rows}
        assert len(found) == len(frame), "a good stands in the feed once"
        return found


@contextmanager
def fault(at: int | None) -> Iterator[None]:
    """Raise Broken at the SQL statement of this number, of any database."""
    count = 0

    def tick(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise Broken(f"at statement {at}")

    event.listen(Engine, "before_cursor_execute", tick)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", tick)
