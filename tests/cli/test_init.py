"""``torgsync init``: a new shop in a minute."""

from __future__ import annotations

import pytest

from engine.setup.new_shop import STORES
from engine.shops import load_shop
from schemas.settings.stores import KINDS
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES
from tests.source.conftest import Place


@pytest.fixture
def place(tmp_path) -> Place:
    return Place("embedded", tmp_path)


def test_a_new_shop_of_a_base_runs_at_once(place, tmp_path, torgsync):
    place.build("base.fdb", TYPES, SECTIONS, GOODS)
    folder = tmp_path / "shops" / "new"
    made = torgsync("init", folder, "--dsn", place.dsn("base.fdb"), "--store", "sql", "--store", "trs")
    assert made.code == 0
    assert "new: shop.toml and rules.yaml written" in made.out
    assert load_shop(folder).sections.unmapped == "inherit"
    assert torgsync("doctor", folder).code == 0
    assert torgsync("sync", folder, "--quiet").code == 0


def test_a_base_without_sections_gets_them_made(place, tmp_path, torgsync):
    place.build("base.fdb", TYPES, SECTIONS.head(0), GOODS)
    assert torgsync("init", tmp_path / "new", "--dsn", place.dsn("base.fdb")).code == 0
    assert load_shop(tmp_path / "new").sections.unmapped == "create"


def test_a_base_with_names_of_its_own_gets_a_guessed_map_and_is_told_to_check_it(place, tmp_path, torgsync):
    place.build("base.fdb", TYPES, SECTIONS, GOODS)
    place.run(
        "base.fdb",
        "create table GOODTYPE (ID integer primary key, PARENTID integer, NAME varchar(50), SECTIONID integer)",
        "create table SYNCSECTION (ID integer primary key, PARENTID integer, NAME varchar(50), NUMBER integer)",
        "create table GOOD (ID integer primary key, GOODTYPEID integer, NAME varchar(50), BARCODE varchar(20))",
        *(f"drop table {table}" for table in ("GOODS", "PRODUCT_TYPES", "SECTIONS")),
    )
    made = torgsync("init", tmp_path / "new", "--dsn", place.dsn("base.fdb"), "--json")
    assert made.code == 0, made.err
    assert "a guess" in made.json["next_steps"][0]
    assert load_shop(tmp_path / "new").source.map.goods.columns == {"barcode": "BARCODE"}


def test_every_kind_of_store_has_a_beginning_that_is_valid(tmp_path, torgsync):
    assert set(STORES) == set(KINDS)
    words = [word for kind in STORES for word in ("--store", kind)]
    assert torgsync("init", tmp_path / "new", *words).code == 0
    assert [store.kind for store in load_shop(tmp_path / "new").stores] == list(STORES)


def test_nothing_is_written_where_a_shop_is_or_the_base_cannot_be_read(tmp_path, torgsync):
    failed = torgsync("init", tmp_path / "new", "--dsn", str(tmp_path / "absent.fdb"))
    assert (failed.code, (tmp_path / "new").exists()) == (1, False)
    assert "nothing was written" in failed.err
    assert torgsync("init", tmp_path / "new", "--store", "tsr").code == 2
    assert torgsync("init", tmp_path / 'a "shop"').code == 2
    assert torgsync("init", tmp_path / "new").code == 0
    before = (tmp_path / "new" / "shop.toml").read_bytes()
    again = torgsync("init", tmp_path / "new")
    assert (again.code, (tmp_path / "new" / "shop.toml").read_bytes()) == (2, before)
    assert "is there already" in again.err
