"""Building the stand-in base: whole or not at all, and never a changed letter."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import SettingsError, SourceError
from schemas.tables import RAW_GOODS, RAW_SECTIONS, conform
from sources.firebird.inspect import inspect_base, propose_map, to_toml
from sources.firebird.schema_map import load_map
from sources.stand_in import tables as standin
from sources.stand_in.base import build_base
from tests.source.conftest import Place
from tests.source.frames import GOODS, SECTIONS, TYPES


def test_the_counts_of_all_tables_are_returned(place: Place) -> None:
    counts = build_base(place.dsn("counted.fdb"), TYPES, SECTIONS, GOODS, overwrite=True, **place.login)
    assert counts == {"PRODUCT_TYPES": 3, "SECTIONS": 2, "GOODS": 3}


def test_a_base_that_is_there_is_kept_unless_overwriting_is_asked_for(place: Place) -> None:
    place.build()
    with pytest.raises(SettingsError, match="exists already"):
        build_base(place.dsn("base.fdb"), TYPES[:1], SECTIONS, GOODS, **place.login)
    assert len(place.read().product_types) == 3
    place.build(types=TYPES[:1])
    assert len(place.read().product_types) == 1


def test_a_character_that_the_charset_cannot_hold_is_named_and_nothing_is_built(embedded: Place) -> None:
    frame = SECTIONS.assign(name=pd.Series(["ok", "Сердечко ♥"], dtype=SECTIONS["name"].dtype))
    with pytest.raises(SourceError, match=r'SECTIONS 90, column NAME: the character "♥" \(U\+2665\)') as caught:
        embedded.build(sections=frame)
    assert "--charset UTF8" in caught.value.next_step
    assert list(embedded.folder.iterdir()) == []
    assert embedded.read(embedded.build(sections=frame, charset="UTF8")).sections["name"][1] == "Сердечко ♥"


def test_a_text_that_is_too_long_is_named(embedded: Place) -> None:
    with pytest.raises(SourceError, match=r"GOODS 1, column ARTICUL: 31 characters do not fit VARCHAR\(30\)"):
        embedded.build(goods=GOODS.assign(articul="x" * 31))


def test_a_failed_build_leaves_the_old_base_and_no_part_file(embedded: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded.build()
    monkeypatch.setattr(standin, "ddl", lambda factor: ["CREATE TABLE ("])
    with pytest.raises(SourceError, match="building the base"):
        embedded.build()
    assert [path.name for path in embedded.folder.iterdir()] == ["base.fdb"]
    assert len(embedded.read().goods) == 3


def test_a_part_file_of_a_killed_build_is_in_nobodys_way(embedded: Place) -> None:
    (embedded.folder / "base.fdb.part").write_bytes(b"half")
    embedded.build()
    assert len(embedded.read().goods) == 3


def test_a_path_with_ukrainian_letters_and_quotes_works(tmp_path: Path) -> None:
    folder = tmp_path / "Мій магазин «Їжак» o'clock"
    folder.mkdir()
    place = Place("embedded", folder)
    assert len(place.read(place.build("база.fdb")).goods) == 3


def test_the_widest_row_fits_firebirds_limit_even_in_utf8() -> None:
    widths = [int(kind[8:-1]) for kind in standin.TABLES["GOODS"].values() if kind.startswith("VARCHAR")]
    others = [kind for kind in standin.TABLES["GOODS"].values() if not kind.startswith("VARCHAR")]
    assert sum(4 * width + 4 for width in widths) + 16 * len(others) < 64 * 1024


def test_the_base_says_that_it_is_our_invention(embedded: Place) -> None:
    embedded.build()
    connection = embedded.writer()
    cursor = connection.cursor()
    cursor.execute("SELECT CAST(RDB$DESCRIPTION AS VARCHAR(200)) FROM RDB$RELATIONS WHERE RDB$RELATION_NAME = 'GOODS'")
    assert "invented by torgsync" in cursor.fetchone()[0]
    connection.close()


CP1251 = st.text(
    st.sampled_from([bytes([b]).decode("cp1251") for b in range(1, 256) if b != 0x98]), min_size=1, max_size=30
)
TEXTS = {"WIN1251": CP1251, "NONE": CP1251, "UTF8": st.text(st.characters(exclude_categories=["Cs"]), max_size=30)}
NUMBERS = st.none() | st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.none() | st.integers(-(10**18) + 1, 10**18 - 1).map(lambda n: Decimal(n).scaleb(-8))


@pytest.mark.parametrize("charset", ["WIN1251", "UTF8", "NONE"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_frame_comes_back_as_it_was(embedded: Place, charset: str, data: st.DataObject) -> None:
    text = st.none() | TEXTS[charset].filter(lambda t: "\x00" not in t)
    rows = data.draw(st.lists(st.tuples(NUMBERS, NUMBERS, text, DECIMALS, text), max_size=6))
    columns = list(zip(*rows, strict=True)) or [()] * 5
    names = ["good_id", "type_id", "good_name", "retail_price", "material"]
    frame = conform(pd.DataFrame({n: list(c) for n, c in zip(names, columns, strict=True)}, dtype=object), RAW_GOODS)
    embedded.build(goods=frame, charset=charset)
    read = embedded.read(charset="WIN1251").goods
    key = [repr(row) for row in frame.astype(object).values.tolist()]
    assert sorted(repr(row) for row in read.astype(object).values.tolist()) == sorted(key)


def test_inspect_shows_tables_types_rows_and_proposes_the_map(place: Place) -> None:
    place.build()
    info = inspect_base(place.settings("base.fdb"), place.folder)
    assert {name: table["rows"] for name, table in info["tables"].items()} == {
        "GOODS": 3,
        "PRODUCT_TYPES": 3,
        "SECTIONS": 2,
    }
    assert info["tables"]["SECTIONS"]["columns"]["NAME"] == {
        "type": "VARCHAR(1000) WIN1251",
        "charset": "WIN1251",
        "nullable": True,
    }
    assert propose_map(info) == load_map("stand-in")
    assert "# A GUESS" in to_toml(propose_map(info))


def test_inspect_guesses_torgsofts_entities_and_uses_self_references(embedded: Place) -> None:
    embedded.build()
    embedded.run(
        "base.fdb",
        "DROP TABLE GOODS",
        "DROP TABLE PRODUCT_TYPES",
        "DROP TABLE SECTIONS",
        "CREATE TABLE SYNCHRONIZATIONSECTION (SYNCHRONIZATIONSECTIONID INTEGER NOT NULL PRIMARY KEY,"
        " UPPER_ONE INTEGER REFERENCES SYNCHRONIZATIONSECTION, NAME VARCHAR(50), NUMBER INTEGER)",
        "CREATE TABLE GOODTYPE (GOODTYPEID INTEGER NOT NULL PRIMARY KEY, MASTER INTEGER REFERENCES GOODTYPE,"
        " GOODTYPENAME VARCHAR(50), SYNCHRONIZATIONSECTIONID INTEGER REFERENCES SYNCHRONIZATIONSECTION)",
        "CREATE TABLE GOOD (GOODID INTEGER NOT NULL PRIMARY KEY, GOODTYPEID INTEGER REFERENCES GOODTYPE,"
        " GOODNAME VARCHAR(50), RETAILPRICE NUMERIC(15,2))",
    )
    info = inspect_base(embedded.settings("base.fdb"), embedded.folder)
    guess = propose_map(info)
    assert (guess.product_types.table, guess.product_types.parent) == ("GOODTYPE", "MASTER")
    assert (guess.sections.parent, guess.sections.key) == ("UPPER_ONE", "SYNCHRONIZATIONSECTIONID")
    assert guess.goods.columns == {"retail_price": "RETAILPRICE"}
    assert info["tables"]["GOOD"]["foreign_keys"] == [{"column": "GOODTYPEID", "table": "GOODTYPE"}]
    assert list(embedded.read(map=guess).sections.columns) == list(RAW_SECTIONS.columns)


def test_the_folder_of_a_new_base_is_made_and_one_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    build_base(str(tmp_path / "shops" / "new" / "base.fdb"), TYPES, SECTIONS, GOODS)
    assert (tmp_path / "shops" / "new" / "base.fdb").is_file()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match="give a target in a folder that you may write to"):
        build_base(str(tmp_path / "file" / "base.fdb"), TYPES, SECTIONS, GOODS)
