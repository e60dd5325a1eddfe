"""Two shops on one SQL store are noticed: the second would hide every row of the first."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.main_path import plan, sync
from engine.shops import load_shop
from tests.cli.conftest import torgsync  # noqa: F401 - a fixture, found by its name
from tests.e2e.conftest import ShopFolder, local  # noqa: F401 - a fixture, found by its name
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES

TABLES = ("categories", "offers", "redirects")


@pytest.fixture
def second(local: ShopFolder, tmp_path) -> Path:  # noqa: F811
    """A second shop with the first one's base and, after its first night, its SQL store."""
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    folder = tmp_path / "second"
    folder.mkdir()
    text = (local.folder / "shop.toml").read_text(encoding="utf-8")
    text = text.replace('name = "test"', 'name = "second"').replace("web.db", f"{local.folder}/web.db")
    (folder / "shop.toml").write_text(text, encoding="utf-8")
    for base in local.folder.glob("*.fdb"):
        shutil.copy(base, folder)
    return folder


def rows(shop: ShopFolder, table: str = "offers") -> list[tuple]:
    with closing(sqlite3.connect(shop.folder / "web.db")) as connection:
        return connection.execute(f"select * from {table} order by 1").fetchall()


def execute(shop: ShopFolder, statement: str) -> None:
    with closing(sqlite3.connect(shop.folder / "web.db")) as connection, connection:
        connection.execute(statement)


def test_a_second_shop_is_refused_by_plan_sync_and_doctor_and_touches_no_row(local, second, torgsync):  # noqa: F811
    before = [rows(local, table) for table in TABLES]
    told = "store web: its table categories holds rows of shop test, not of second"
    assert any(told in (store.error or "") for store in plan_of(second))
    report = sync(load_shop(second))
    assert (report.exit_code, [s.outcome for s in report.stores if s.name == "web"]) == (4, ["failed"])
    assert any(told in store.message for store in report.stores)
    found = {f["check"]: f for f in torgsync("doctor", second, "--json").json}
    assert found["store web"]["status"] == "failed"
    assert told in found["store web"]["told"]
    assert "of its own" in found["store web"]["next_step"]
    assert [rows(local, table) for table in TABLES] == before
    assert local.run().outcome == "ok"


def plan_of(folder: Path) -> tuple:
    from engine.runs.plan_file import plan_of as made

    shop = load_shop(folder)
    return made(shop, plan(shop).run).stores


def test_every_row_says_its_shop_and_those_of_an_older_torgsync_become_the_shops(local):  # noqa: F811
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    for table in TABLES[:2]:
        with closing(sqlite3.connect(local.folder / "web.db")) as connection:
            assert connection.execute(f"select distinct shop from {table}").fetchall() == [("test",)]
    for table in TABLES:  # as 0001 made them
        execute(local, f"alter table {table} drop column shop")
    execute(local, "update torgsync_store_version set version_num = '0001'")
    execute(local, "update offers set name = 'x' where good_id = 1")
    assert local.run().outcome == "ok"
    with closing(sqlite3.connect(local.folder / "web.db")) as connection:
        assert connection.execute("select distinct shop from offers").fetchall() == [("test",)]
        assert connection.execute("select version_num from torgsync_store_version").fetchall() == [("0003",)]


def test_a_row_of_somebody_else_gets_no_shop_and_is_no_hindrance(local):  # noqa: F811
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    execute(local, "insert into offers (good_id, name, hidden, retired, managed) values (900001, 'own', 0, 0, 0)")
    execute(local, "update offers set name = 'x' where good_id = 1")
    assert local.run().outcome == "ok"
    with closing(sqlite3.connect(local.folder / "web.db")) as connection:
        assert connection.execute("select shop from offers where good_id = 900001").fetchall() == [(None,)]
