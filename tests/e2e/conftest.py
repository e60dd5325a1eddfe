"""A whole shop in a folder: base (embedded or behind a real server), settings, stores; and how to run it."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from engine.context import RunOptions
from engine.main_path import sync
from engine.shops import load_shop
from schemas.report import RunReport
from tests.real_nights import real  # noqa: F401 - a fixture, found by its name
from tests.source.conftest import PASSWORD_ENV, Place, place  # noqa: F401 - a fixture, found by its name

SETTINGS = """
name = "test"
[source]
dsn = "{dsn}"
charset = "WIN1251"
{secret}
[sections]
unmapped = "{unmapped}"
first_number = 1000
{more}
[[stores]]
name = "web"
kind = "sql"
url = "sqlite:///web.db"
[[stores]]
name = "site"
kind = "trs"
target = "output"
{dialect}
"""

DIALECT = """layout = 48
header = false
encoding = "cp1251"
chain_separator = ";"
"""


@dataclass
class ShopFolder:
    """A shop that a test runs; ``place`` builds its base."""

    folder: Path
    place: Place

    def settings(self, unmapped: str = "inherit", more: str = "", dialect: str = DIALECT) -> None:
        dsn = self.place.dsn("base.fdb")
        if not self.place.server:  # by a relative path: a copy of the folder has the same settings
            dsn = Path(os.path.relpath(dsn, self.folder)).as_posix()
        secret = f'password_env = "{PASSWORD_ENV}"' if self.place.server else ""
        text = SETTINGS.format(dsn=dsn, secret=secret, unmapped=unmapped, more=more, dialect=dialect)
        (self.folder / "shop.toml").write_text(text, encoding="utf-8")

    def base(self, types: pd.DataFrame, sections: pd.DataFrame, goods: pd.DataFrame, **more: Any) -> None:
        self.place.lay("base.fdb", types, sections, goods, **more)

    def run(self, allow: dict[str, int] | None = None) -> RunReport:
        return sync(load_shop(self.folder), RunOptions(allow or {}))

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def csv(self, name: str) -> list[dict[str, str]]:
        with (self.output / name).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    @property
    def categories(self) -> dict[str, list[str]]:
        """Map numbers to paths."""
        return {row["number"]: json.loads(row["path"]) for row in self.csv("categories.csv")}

    def store(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of the SQL store."""
        path = self.folder / "web.db"
        if not path.is_file():
            return {}
        with sqlite3.connect(path) as connection:
            return {
                table: connection.execute(f"select * from {table} order by 1").fetchall()
                for table in ("categories", "offers")
            }


@pytest.fixture
def shop(tmp_path: Path, place: Place) -> ShopFolder:  # noqa: F811
    """Return an empty shop folder, once with an embedded base and once with one behind a real server."""
    folder = tmp_path / "shop"
    folder.mkdir()
    shop = ShopFolder(folder, place)
    shop.settings()
    return shop


@pytest.fixture
def local(tmp_path: Path) -> ShopFolder:
    """Return a shop folder with an embedded base, for tests that do not depend on the connection."""
    folder = tmp_path / "shop"
    folder.mkdir()
    shop = ShopFolder(folder, Place("embedded", tmp_path))
    shop.settings()
    return shop
