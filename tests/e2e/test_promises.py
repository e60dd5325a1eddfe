"""A bad night changes nothing; one store's failure stays its own; what is absent is hidden, never deleted."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from decimal import Decimal

import pandas as pd
import pytest

from database.scrubbing import own_words
from database.url import database_url
from engine.lock import hold
from engine.shops import load_shop
from schemas.errors import SettingsError, ShopBusy
from schemas.tables import DECIMAL
from sources.stand_in.base import build_base
from stores.sql import SqlAdapter
from tests.e2e.conftest import DIALECT, ShopFolder
from tests.pure import goods_frame, sections_frame, types_frame
from tests.source.conftest import PASSWORD_ENV, Place

TYPES = types_frame((1, None, "Посуд", 10), (2, 1, "Тарілки", 20), (3, 2, "Глибокі"), (4, None, "Ґудзики’"))
SECTIONS = sections_frame((10, None, "Посуд", 10), (20, 10, "Тарілки", 20))
GOODS = goods_frame(*((n, n % 4 + 1, f"Товар №{n} ґ є і ї") for n in range(1, 41)))


@pytest.mark.parametrize("table", ["PRODUCT_TYPES", "GOODS"])
def test_an_empty_table_stops_the_run_with_exit_code_3_and_the_store_stays_byte_for_byte(shop, table):
    shop.base(TYPES, SECTIONS, GOODS)
    assert shop.run().outcome == "ok"
    before, feed = shop.store(), (shop.output / "TSGoods.trs").read_bytes()
    shop.place.run("base.fdb", f"DELETE FROM {table}")
    report = shop.run()
    assert (report.exit_code, report.outcome) == (3, "guard stop")
    assert "nothing was changed in any store" in report.message
    assert (shop.store(), (shop.output / "TSGoods.trs").read_bytes()) == (before, feed)


def test_half_the_goods_stop_the_run_at_the_guard_before_any_store_is_written(shop):
    shop.base(TYPES, SECTIONS, GOODS)
    shop.run()
    before, feed = shop.store(), (shop.output / "TSGoods.trs").read_bytes()
    shop.place.run("base.fdb", "DELETE FROM GOODS WHERE GOOD_ID > 20")
    report = shop.run()
    assert report.exit_code == 3
    assert "the base gave 20 rows of goods, 40 in the last run" in report.message
    assert "20 of 30 goods would disappear" not in report.message, "ten of them were never shown"
    assert "15 of 30 goods would disappear from store web" in report.message
    assert "--allow short_extract=20" in report.next_step
    assert (shop.store(), (shop.output / "TSGoods.trs").read_bytes()) == (before, feed)


def test_a_missing_column_is_one_clear_error_and_the_store_stays(shop):
    shop.base(TYPES, SECTIONS, GOODS)
    shop.run()
    before = shop.store()
    shop.place.run("base.fdb", "ALTER TABLE GOODS DROP RETAIL_PRICE")
    report = shop.run()
    assert (report.exit_code, report.outcome) == (1, "failed")
    assert "RETAIL_PRICE" in report.message
    assert report.next_step
    assert shop.store() == before


def test_a_good_that_is_gone_is_hidden_in_the_store_and_comes_back_as_it_was(shop):
    shop.base(TYPES, SECTIONS, GOODS)
    shop.run()
    full = shop.store()
    shop.base(TYPES, SECTIONS, GOODS[GOODS["good_id"] != 2])
    report = shop.run()
    assert report.stores[0].operations["offer hide"] == 1
    hidden = [row[0] for row in shop.store()["offers"] if row[-4]]
    assert len(shop.store()["offers"]) == len(full["offers"])
    assert 2 in hidden
    shop.base(TYPES, SECTIONS, GOODS)
    shop.run()
    assert shop.store() == full


def test_a_good_in_the_quarantine_stays_in_the_store_as_it_was(local):
    local.base(TYPES, SECTIONS, GOODS)
    local.settings(more="[quarantine]\nmax_share = 0.5")
    local.run()
    before = {row[0]: row for row in local.store()["offers"]}
    broken = GOODS.copy()
    broken.loc[broken["good_id"] == 2, "good_name"] = "  "
    local.base(TYPES, SECTIONS, broken)
    report = local.run()
    assert report.quarantine == {"name_empty": 1}
    assert {row[0]: row for row in local.store()["offers"]} == before


def test_foreign_rows_in_the_store_are_only_ever_hidden_by_us_when_we_made_them(local):
    """The store's tables are ours alone: a table of that name that we did not make is an error, not overwritten."""
    with sqlite3.connect(local.folder / "web.db") as connection:
        connection.execute("create table categories (id integer)")
        connection.execute("insert into categories values (1)")
    local.base(TYPES, SECTIONS, GOODS)
    report = local.run()
    assert report.exit_code in (1, 4)
    with sqlite3.connect(local.folder / "web.db") as connection:
        assert connection.execute("select * from categories").fetchall() == [(1,)]


def test_one_stores_failure_leaves_the_other_up_to_date_and_ends_with_exit_code_4(local):
    local.base(TYPES, SECTIONS, GOODS)
    text = (local.folder / "shop.toml").read_text()
    (local.folder / "shop.toml").write_text(text.replace("sqlite:///web.db", "sqlite:///no/such/folder/web.db"))
    report = local.run()
    assert (report.exit_code, report.outcome) == (4, "some stores failed")
    assert [store.outcome for store in report.stores] == ["failed", "ok"]
    assert (local.output / "TSGoods.trs").is_file()


@pytest.mark.parametrize(
    "written",
    [
        "update offers set retail_price = '12,5' where good_id = 2",
        "update offers set retail_price = '' where good_id = 2",
        "update offers set retail_price = 'sNaN' where good_id = 2",
        "update offers set name = x'00ff' where good_id = 2",
        "update categories set path = 'x' where number = 20",
        "update categories set path = '5', depth = 'deep' where number = 20",
    ],
)
def test_a_value_in_a_store_that_cannot_be_read_is_a_difference_that_the_run_mends(local, written):
    local.base(TYPES, SECTIONS, GOODS.assign(retail_price=pd.Series([Decimal("12.5")] * len(GOODS), dtype=DECIMAL)))
    local.run()
    before = local.store()
    with sqlite3.connect(local.folder / "web.db") as connection:
        connection.execute(written)
    assert local.store() != before
    report = local.run()
    assert report.outcome == "ok", report.message
    assert local.store() == before
    assert local.run().plan["web"] == {}


def test_a_redirect_and_a_key_that_somebody_spoilt_are_the_stores_own_matter(local):
    local.base(TYPES, SECTIONS, GOODS)
    local.run()
    with sqlite3.connect(local.folder / "web.db") as connection:
        connection.execute("insert into redirects values ('x', 1, '[7', 20, 1, 'test')")
    assert local.run().plan["web"] == {"redirect unredirect": 1}
    with sqlite3.connect(local.folder / "web.db") as connection:
        connection.execute("update offers set good_id = 'abc' where good_id = 3")
    report = local.run()
    assert [store.outcome for store in report.stores] == ["failed", "ok"]
    assert report.stores[0].message == "table offers has a row whose good_id is 'abc'; next: delete that row"


@pytest.mark.parametrize("step", ["read", "want", "apply"])
def test_an_unexpected_error_in_one_store_is_its_failure_alone_and_in_the_log_whole(local, step, monkeypatch, caplog):
    def broken(*_):
        raise AssertionError(f"cannot be, says {os.environ['TORGSYNC_TEST_URL']}")

    monkeypatch.setenv("TORGSYNC_TEST_URL", f"sqlite:///{local.folder}/web.db?password=hunter77")
    path = local.folder / "shop.toml"
    path.write_text(path.read_text().replace('url = "sqlite:///web.db"', 'url_env = "TORGSYNC_TEST_URL"'))
    local.base(TYPES, SECTIONS, GOODS)
    monkeypatch.setattr(SqlAdapter, step, broken)
    report = local.run()
    assert (report.exit_code, report.outcome) == (4, "some stores failed")
    assert [store.outcome for store in report.stores] == ["failed", "ok"]
    message = report.stores[0].message
    assert message == "store web: AssertionError: cannot be, says …; next: run again; report it with the log"
    assert (local.output / "TSGoods.trs").is_file()
    assert "in broken" in caplog.text
    assert "hunter77" not in caplog.text
    monkeypatch.undo()
    monkeypatch.setenv("TORGSYNC_TEST_URL", f"sqlite:///{local.folder}/web.db")
    assert local.run().outcome == "ok"


def test_a_second_run_of_a_held_shop_is_refused_and_says_who_holds_it(local):
    settings = load_shop(local.folder)
    with hold(settings), pytest.raises(ShopBusy, match=f"process {os.getpid()}") as caught:
        local.run()
    assert caught.value.exit_code == 6
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok", "the lock is free again"


def test_the_lock_dies_with_its_process(local):
    code = (
        "import os, sys; from engine.lock import hold; from engine.shops import load_shop\n"
        "hold(load_shop(sys.argv[1])).__enter__(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(local.folder)], check=False).returncode == 9
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"


@pytest.mark.server
def test_the_password_reaches_neither_report_nor_state(tmp_path, monkeypatch, firebird_server):
    monkeypatch.setenv(PASSWORD_ENV, firebird_server.password)
    shop = ShopFolder(tmp_path, Place("tcp", tmp_path, firebird_server))
    shop.settings()
    shop.base(TYPES, SECTIONS, GOODS)
    shop.run()
    secret = firebird_server.password
    for path in shop.folder.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mysql+pymysql"])
@pytest.mark.parametrize(
    "password", ["hunter@Secret77", "hunter@Sec:ret77", "hunter/x@Secret77", "hunter:Secret77@ret77"]
)
@pytest.mark.parametrize("key", ["sql", "opencart", "state"])
def test_a_password_with_an_at_sign_is_refused_and_no_part_of_it_is_told(local, driver, password, key, monkeypatch):
    monkeypatch.setenv("TORGSYNC_TEST_URL", f"{driver}://torg:{password}@127.0.0.1:1/shop")
    local.base(TYPES, SECTIONS, GOODS)
    path = local.folder / "shop.toml"
    if key != "state":
        text = path.read_text().replace('url = "sqlite:///web.db"', 'url_env = "TORGSYNC_TEST_URL"')
        path.write_text(text.replace('kind = "sql"', f'kind = "{key}"'))
        report = local.run()
        assert [store.outcome for store in report.stores] == ["failed", "ok"]
        told = report.stores[0].message
    else:
        local.settings(more='[state]\nurl_env = "TORGSYNC_TEST_URL"')
        with pytest.raises(SettingsError) as caught:
            local.run()
        told = str(caught.value)
    assert "environment variable TORGSYNC_TEST_URL: the URL holds more than one @" in told
    assert "write @ as %40" in told
    for part in ("hunter", "Secret77", "ret77"):
        assert part not in told
        for file in local.folder.rglob("*"):
            assert not file.is_file() or part.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://torg:hunter77@127.0.0.1:hunter77/shop",
        "postgresql+psycopg://torg:hunter77@127.0.0.1:port/shop",
        "torg:hunter77@127.0.0.1/shop",
        "hunter77",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_its_words(url):
    with pytest.raises(SettingsError, match="variable URL: not a URL of a database") as caught:
        database_url(url, "variable URL")
    assert caught.value.__suppress_context__
    assert "hunter77" not in str(caught.value)


def test_what_a_driver_says_is_told_without_the_password_however_it_is_written():
    url = database_url("postgresql+psycopg://torg:h%40unter:77@db/shop?sslpassword=letmein", "url")
    said = Exception("no host h@unter:77, or h%40unter%3A77, or unter; letmein\nDETAIL: h@unter:77")
    assert own_words(said, url) == "no host …, or …, or …; …"
    assert str(database_url("sqlite:////srv/a@b/c@d.db", "url").database) == "/srv/a@b/c@d.db"


@pytest.mark.parametrize("charset", ["WIN1251", "UTF8", "NONE"])
def test_ukrainian_text_arrives_whole_from_every_charset(shop, charset):
    shop.base(TYPES, SECTIONS, GOODS, charset=charset)
    assert shop.run().outcome == "ok"
    names = {row["name"] for row in shop.csv("offers.csv")}
    assert "Товар №1 ґ є і ї" in names


def test_the_state_remembers_each_run_with_its_quarantine(local):
    build_base(local.folder / "base.fdb", TYPES, SECTIONS, GOODS)
    local.base(TYPES, SECTIONS, GOODS)
    report = local.run()
    with sqlite3.connect(local.folder / "state.db") as connection:
        assert connection.execute("select run, outcome from runs").fetchall() == [(report.run, "ok")]
        numbers = connection.execute("select number, origin from section_numbers order by 1").fetchall()
    assert numbers == [(10, "torgsoft"), (20, "torgsoft")]


def test_a_run_whose_files_cannot_be_written_says_so_and_is_recorded(local):
    local.base(TYPES, SECTIONS, GOODS)
    local.settings(dialect=DIALECT + 'filename = "site.trs"\n')
    text = (local.folder / "shop.toml").read_text(encoding="utf-8").replace('target = "output"', 'target = "site"')
    (local.folder / "shop.toml").write_text(text, encoding="utf-8")
    local.output.write_text("a file where the folder should be")
    report = local.run()
    assert (report.outcome, report.exit_code) == ("failed", 1)
    assert "the stores are up to date, but" in report.message
    assert local.store()["offers"]
    with sqlite3.connect(local.folder / "state.db") as connection:
        assert connection.execute("select outcome from runs").fetchall() == [("failed",)]
