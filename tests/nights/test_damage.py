"""A bad extract of any kind changes nothing: the store's file and the feed are byte for byte what they were."""

from __future__ import annotations

from collections import Counter

import fdb
import pandas as pd
import pytest

import sources.firebird.extract
from engine.shops import load_shop
from schemas.extract import Extract
from sources.firebird.extract import read_base
from tests.e2e.conftest import ShopFolder, local  # noqa: F401 - a fixture, found by its name
from tests.pure import goods_frame, sections_frame, types_frame

BRANCHES = ("Косметика", "Парфуми", "Догляд", "Волосся", "Нігті")
TYPES = types_frame(
    (1, None, "Магазин", 1),
    *((10 + n, 1, name, 10 + n) for n, name in enumerate(BRANCHES)),
    *((100 + n, 10 + n % 5, f"Вид товару №{n}", 100 + n if n % 3 else None) for n in range(25)),
)
SECTIONS = sections_frame(
    (1, None, "Магазин", 1),
    *((10 + n, 1, name, 10 + n) for n, name in enumerate(BRANCHES)),
    *((100 + n, 10 + n % 5, f"Розділ №{n}", 100 + n) for n in range(25)),
)
GOODS = goods_frame(*((n, 100 + n % 25, f"Крем «Ґанок» №{n} — їжак’") for n in range(1, 251)))


@pytest.fixture
def shop(local: ShopFolder) -> ShopFolder:  # noqa: F811
    """A shop that was loaded last night."""
    local.base(TYPES, SECTIONS, GOODS, charset="NONE")
    report = local.run()
    assert report.outcome == "ok", report.message
    return local


def image(shop: ShopFolder) -> tuple[bytes, bytes]:
    """Every byte that a store's reader can see."""
    return (shop.folder / "web.db").read_bytes(), (shop.output / "TSGoods.trs").read_bytes()


def without_parent(types: pd.DataFrame, *ids: int) -> pd.DataFrame:
    out = types.copy()
    out.loc[out["type_id"].isin(ids), "parent_id"] = pd.NA
    return out


def renamed(frame: pd.DataFrame, column: str, name: object) -> pd.DataFrame:
    out = frame.copy()
    out[column] = pd.Series([name] * len(out), index=out.index, dtype=out[column].dtype)
    return out


def another(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The same rows under other ids: what another shop's base would give."""
    out = frame.copy()
    for column in columns:
        out[column] = out[column] + 5000
    return out


SQL = {
    "no goods": ("DELETE FROM GOODS", 3, "empty_extract"),
    "no product types": ("DELETE FROM PRODUCT_TYPES", 3, "empty_extract"),
    "no sections": ("DELETE FROM SECTIONS", 3, "hidden_categories"),
    "half the goods": ("DELETE FROM GOODS WHERE MOD(GOOD_ID, 2) = 0", 3, "short_extract"),
    "a tenth of the goods and one more": ("DELETE FROM GOODS WHERE GOOD_ID BETWEEN 20 AND 45", 3, "short_extract"),
    "half the product types": ("DELETE FROM PRODUCT_TYPES WHERE TYPE_ID > 110", 5, "quarantine"),
    "half the sections": ("DELETE FROM SECTIONS WHERE MOD(SECTION_KEY, 2) = 0", 5, "quarantine"),
    "a table is missing": ("DROP TABLE SECTIONS", 1, "SECTIONS"),
    "a column is missing": ("ALTER TABLE GOODS DROP RETAIL_PRICE", 1, "RETAIL_PRICE"),
    "all goods' names are NULL": ("UPDATE GOODS SET GOOD_NAME = NULL", 5, "quarantine"),
    "all types' names are NULL": ("UPDATE PRODUCT_TYPES SET NAME = NULL", 5, "quarantine"),
    "all sections' names are NULL": ("UPDATE SECTIONS SET NAME = NULL", 5, "quarantine"),
    "all links are NULL": ("UPDATE PRODUCT_TYPES SET SECTION_KEY = NULL", 3, "hidden_offers"),
    "a second root of the sections": ("UPDATE SECTIONS SET PARENT_KEY = NULL WHERE SECTION_KEY = 12", 3, "second_root"),
    "a cycle of two sections": ("UPDATE SECTIONS SET PARENT_KEY = 100 WHERE SECTION_KEY = 10", 5, "quarantine"),
    "a second root": ("UPDATE PRODUCT_TYPES SET PARENT_ID = NULL WHERE TYPE_ID = 12", 3, "second_root"),
    "a cycle of two types": ("UPDATE PRODUCT_TYPES SET PARENT_ID = 100 WHERE TYPE_ID = 10", 5, "quarantine"),
    "the root is its own parent": ("UPDATE PRODUCT_TYPES SET PARENT_ID = 1 WHERE TYPE_ID = 1", 5, "quarantine"),
}


@pytest.mark.parametrize("damage", SQL)
def test_a_damaged_base_changes_no_byte_of_any_store(shop, damage):
    statement, exit_code, told = SQL[damage]
    before = image(shop)
    shop.place.run("base.fdb", statement)
    report = shop.run()
    assert (report.exit_code, report.outcome != "ok") == (exit_code, True), report.message
    assert told in report.message
    assert report.next_step
    assert image(shop) == before
    assert not any(store.written or store.published for store in report.stores)


@pytest.mark.parametrize(
    ("damage", "frames", "told"),
    [
        (
            "a week-old backup: the newest goods are gone and none is newer",
            (TYPES, SECTIONS, GOODS[GOODS["good_id"] <= 246].reset_index(drop=True)),
            "older_base",
        ),
        (
            "another shop's base with its own ids",
            (
                another(TYPES, "type_id", "parent_id", "section_key"),
                another(SECTIONS, "section_key", "parent_key"),
                another(GOODS, "good_id", "type_id"),
            ),
            "another_base",
        ),
        (
            "another shop's base with the same ids and other names",
            (
                TYPES.assign(name="інше " + TYPES["name"]),
                SECTIONS,
                GOODS.assign(good_name="інше " + GOODS["good_name"]),
            ),
            "another_base",
        ),
        ("all types lost their parent", (without_parent(TYPES, *TYPES["type_id"]), SECTIONS, GOODS), "second_root"),
        ("every good hangs on one type", (TYPES, SECTIONS, renamed(GOODS, "type_id", 101)), "moved_goods"),
        ("no type has a section any more", (renamed(TYPES, "section_key", pd.NA), SECTIONS, GOODS), "hidden_offers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_base_that_is_not_last_nights_changes_no_byte_of_any_store(shop, damage, frames, told):
    before = image(shop)
    shop.base(*frames, charset="NONE")
    report = shop.run()
    assert report.exit_code == 3, report.message
    assert f"guard «{told}»" in report.message
    assert image(shop) == before


def test_a_wrong_charset_changes_no_byte_of_any_store(shop):
    before = image(shop)
    settings = (shop.folder / "shop.toml").read_text(encoding="utf-8")
    (shop.folder / "shop.toml").write_text(settings.replace("WIN1251", "ISO8859_5"), encoding="utf-8")
    report = shop.run()
    assert report.exit_code in (1, 3), report.message
    assert report.outcome in ("guard stop", "failed")
    assert image(shop) == before


@pytest.mark.parametrize(("table", "block"), [("PRODUCT_TYPES", 2), ("SECTIONS", 3), ("GOODS", 20)])
def test_a_connection_cut_in_the_middle_of_a_table_changes_no_byte_of_any_store(shop, table, block, monkeypatch):
    before = image(shop)
    real, blocks = fdb.Cursor.fetchmany, Counter[str]()

    def cut(cursor, size):
        if f'FROM "{table}"' in cursor._ps.sql:
            blocks[table] += 1
            if blocks[table] % block == 0:  # in each of the tries
                raise fdb.DatabaseError("Error writing data to the connection.", -902, 335544721)
        return real(cursor, size)

    monkeypatch.setattr(sources.firebird.extract, "BLOCK", 10)
    monkeypatch.setattr(sources.firebird.extract, "PAUSE", 0.01)
    monkeypatch.setattr(fdb.Cursor, "fetchmany", cut)
    report = shop.run()
    assert (report.exit_code, report.outcome) == (1, "failed")
    assert report.next_step
    assert blocks[table] == block * 3, "it is tried three times"
    assert image(shop) == before


def test_the_same_base_again_passes_every_guard(shop):
    before = image(shop)
    report = shop.run()
    assert (report.outcome, report.allowed) == ("ok", {})
    assert image(shop) == before


def test_a_part_of_the_goods_read_twice_is_quarantined_and_changes_no_byte(shop):
    """Rows that came twice are no proof of anything: both are rejected, and what the stores hold of them stays."""
    before = image(shop)
    settings = load_shop(shop.folder)
    whole = read_base(settings.source, settings.folder)
    double = Extract(whole.product_types, whole.sections, pd.concat([whole.goods, whole.goods[:5]], ignore_index=True))
    from engine.main_path import sync

    report = sync(settings, read=lambda source, folder: double)
    assert report.quarantine == {"id_duplicate": 10}
    assert report.outcome == "ok"
    assert image(shop) == before
