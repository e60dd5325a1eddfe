"""What is in the base is what is read: letters, digits, NULLs, order."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from schemas.errors import SourceError
from schemas.settings.names import NamesSettings
from schemas.settings.shop import SchemaMap
from schemas.tables import RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, conform
from schemas.trs import GOOD_COLUMNS
from sources.firebird.schema_map import load_map
from tests.source.conftest import Place
from tests.source.frames import GOODS, SECTIONS, TYPES, UKRAINIAN, goods
from transforms.clean import clean

same = pd.testing.assert_frame_equal


@pytest.mark.parametrize("charset", ["WIN1251", "UTF8", "NONE"])
def test_every_column_comes_back_as_it_was_written(place: Place, charset: str) -> None:
    extract = place.read(place.build(charset=charset))
    same(extract.product_types, TYPES)
    same(extract.sections, SECTIONS)
    same(extract.goods, GOODS)
    assert extract.source["charset"] == charset
    assert extract.source["ods"] == ("13.1" if place.kind == "embedded" else "12.0")


@pytest.mark.parametrize("column", [c for c in GOOD_COLUMNS if c.field != "good_id"], ids=lambda c: c.field)
def test_the_stand_in_map_names_every_column(column) -> None:
    mapped = load_map("stand-in").goods
    assert column.field == "good_name" or mapped.columns[column.field] == column.field.upper()


def test_ukrainian_letters_are_right_in_bytes_of_a_none_base(place: Place) -> None:
    place.build(charset="NONE", text_encoding="WIN1251")
    assert place.read().product_types["name"][0] == UKRAINIAN


def test_a_none_base_in_utf8_is_read_with_charset_utf8(place: Place) -> None:
    place.build(charset="NONE", text_encoding="UTF8")
    same(place.read(charset="UTF8").goods, GOODS)


def test_a_none_base_in_utf8_read_as_win1251_is_refused_and_not_mangled(place: Place) -> None:
    place.build(charset="NONE", text_encoding="UTF8")
    with pytest.raises(SourceError, match="look like UTF-8") as caught:
        place.read(charset="WIN1251")
    assert 'charset = "UTF8"' in caught.value.next_step


def test_bytes_that_the_charset_does_not_know_cost_their_row_and_not_the_night(place: Place) -> None:
    place.build(charset="NONE")
    place.run("base.fdb", ("UPDATE SECTIONS SET NAME = ? WHERE SECTION_KEY = 90", (b"A\x98B",)), charset="NONE")
    cleaned = clean(place.read(), NamesSettings())
    assert 90 not in cleaned.sections
    rejected = cleaned.quarantine[cleaned.quarantine["reason"] == "text_unreadable"]
    found = rejected[["table", "row_key", "detail"]].values.tolist()
    assert found == [["raw_sections", "90", "name = A<98>B"]]
    assert "A<98>B" in rejected["row"].iloc[0]
    assert len(cleaned.goods) == len(GOODS)


def test_a_character_that_a_win1251_column_lost_is_reported(place: Place) -> None:
    place.build(charset="WIN1251")
    lost = "UPDATE SECTIONS SET NAME = CAST(? AS VARCHAR(20) CHARACTER SET OCTETS) WHERE SECTION_KEY = 90"
    place.run("base.fdb", (lost, (b"A\x98B",)), charset="NONE")
    place.run("base.fdb", "UPDATE GOODS SET GOOD_NAME = 'Об?єм 50 мл' WHERE GOOD_ID = 2")
    place.run("base.fdb", "UPDATE GOODS SET GOOD_NAME = 'Що це? Сумка' WHERE GOOD_ID = 3")
    assert place.read().notes == (
        "table GOODS, column GOOD_NAME: 1 text lost a character (a ? between two letters), key 2; "
        "mend the text in Torgsoft",
        "table SECTIONS, column NAME: 1 text lost a character that the column's charset does not know, key 90; "
        "mend the text in Torgsoft",
    )


def test_win1251_bytes_read_as_utf8_are_refused(place: Place) -> None:
    place.build(charset="NONE")
    with pytest.raises(SourceError, match="bytes that are not UTF8") as caught:
        place.read(charset="UTF8")
    assert "WIN1251" in caught.value.next_step


def test_null_stays_null_and_does_not_become_zero_or_text(place: Place) -> None:
    empty = conform(pd.DataFrame({"good_id": [7, None], "type_id": [None, None]}), RAW_GOODS)
    place.build(goods=empty)
    read = place.read().goods
    assert read.drop(columns=["good_id"]).isna().all().all()
    assert read["good_id"].tolist()[0] == 7
    assert read["good_id"].isna().tolist() == [False, True]


def test_broken_data_is_read_as_it_is(place: Place) -> None:
    broken = conform(
        pd.DataFrame(
            {
                "type_id": [5, 0, 5, None, 2, 3],
                "parent_id": [5, None, 9, 1, 3, 2],
                "name": ["self", "zero", "twin", "", "loop a", None],
                "section_key": [1, 1, None, None, 999, 0],
            }
        ),
        RAW_PRODUCT_TYPES,
    )
    place.build(types=broken)
    read = place.read().product_types
    assert read["type_id"].tolist()[:5] == [0, 2, 3, 5, 5]
    assert sorted(read["name"].fillna("<NULL>")) == sorted(broken["name"].fillna("<NULL>"))


def test_duplicates_come_in_the_same_order_whatever_order_the_base_has(place: Place) -> None:
    rows = {"type_id": [5, 5, None, None], "parent_id": [1, 2, 3, None], "name": ["b", "a", "d", "c"]}
    frame = conform(pd.DataFrame(rows), RAW_PRODUCT_TYPES)
    one = place.read(place.build(types=frame)).product_types
    two = place.read(place.build(types=frame.iloc[::-1].reset_index(drop=True))).product_types
    same(one, two)


def test_goods_come_by_position_and_then_by_id(place: Place) -> None:
    shuffled = GOODS.assign(position=pd.array([2, 1, 1], dtype="Int64"))
    place.build(goods=shuffled)
    assert place.read().goods["good_id"].tolist() == [2, 3, 1]


@pytest.mark.parametrize("text", ["0.00000001", "9999999999.99999999", "-0.1", "0", "211.20", "123456789.12345678"])
def test_decimals_are_exact(place: Place, text: str) -> None:
    place.build(goods=GOODS.assign(retail_price=pd.array([Decimal(text)] * 3, dtype=GOODS["retail_price"].dtype)))
    assert place.read().goods["retail_price"].tolist() == [Decimal(text)] * 3


def test_every_block_reports_its_progress(embedded: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.firebird.extract.BLOCK", 4)
    embedded.build(goods=goods(10))
    seen: list[tuple[str, int, int]] = []
    embedded.read(progress=lambda *step: seen.append(step))
    assert [step for step in seen if step[0] == "GOODS"] == [("GOODS", 4, 10), ("GOODS", 8, 10), ("GOODS", 10, 10)]


def test_an_empty_base_gives_empty_frames_with_all_columns(place: Place) -> None:
    place.build(types=TYPES[:0], sections=SECTIONS[:0], goods=GOODS[:0])
    extract = place.read()
    same(extract.goods, GOODS[:0])
    same(extract.sections, SECTIONS[:0])


def other_base(place: Place, *extra: str) -> SchemaMap:
    """A base with other names and types than ours, and its map."""
    place.build()
    place.run(
        "base.fdb",
        'CREATE TABLE "GoodType" (ID INTEGER, UP INTEGER, TITLE CHAR(40), SEC INTEGER)',
        "CREATE TABLE SYNC (ID INTEGER, UP INTEGER, TITLE VARCHAR(50), NUM NUMERIC(9,2))",
        "CREATE TABLE GOOD (ID INTEGER, TYP INTEGER, TITLE VARCHAR(80), PRICE DOUBLE PRECISION, SMALL FLOAT,"
        " QTY INTEGER, NOTE BLOB SUB_TYPE TEXT, SHOWN BOOLEAN, MADE DATE, BYTES VARCHAR(20) CHARACTER SET NONE)",
        *extra,
    )
    return SchemaMap.model_validate(
        {
            "product_types": {
                "table": "GoodType",
                "id": "id",
                "parent": "UP",
                "name": "TITLE",
                "section": "SEC",
                "roots": [0, -1],
            },
            "sections": {"table": "sync", "key": "ID", "parent": "UP", "name": "TITLE", "number": "NUM"},
            "goods": {
                "table": "GOOD",
                "id": "ID",
                "type": "TYP",
                "name": "TITLE",
                "columns": {
                    "retail_price": "PRICE",
                    "measure": "SMALL",
                    "warehouse_quantity": "QTY",
                    "description": "NOTE",
                    "display": "SHOWN",
                    "season": "MADE",
                    "color": "BYTES",
                },
            },
        }
    )


def test_other_column_types_and_names_are_understood(place: Place) -> None:
    long_text = UKRAINIAN * 4000
    mapped = other_base(
        place,
        """INSERT INTO "GoodType" VALUES (1, 0, ' Сумка ', 7)""",
        """INSERT INTO "GoodType" VALUES (2, -1, 'б', NULL)""",
        """INSERT INTO "GoodType" VALUES (3, 1, 'в', NULL)""",
        "INSERT INTO SYNC VALUES (7, NULL, 'Сумки', 12.00)",
        "INSERT INTO SYNC VALUES (8, NULL, 'Сумки', 12.50)",
        ("INSERT INTO GOOD VALUES (9, 1, 'Сумка', 0.1, 0.1, 3, ?, TRUE, '2026-11-23', NULL)", (long_text,)),
        ("INSERT INTO GOOD VALUES (4, 1, 'Сумка', 211.2, 2.5, NULL, ?, FALSE, NULL, NULL)", ("і",)),
    )
    place.run("base.fdb", ("UPDATE GOOD SET BYTES = ? WHERE ID = 4", ("їжа".encode("cp1251"),)), charset="NONE")
    extract = place.read(map=mapped)
    assert extract.product_types["parent_id"].isna().tolist() == [True, True, False]
    assert extract.product_types["name"].tolist() == [" Сумка", "б", "в"]  # only what CHAR itself pads is taken off
    assert extract.sections["number"].tolist() == ["12", "12.5"]
    read = extract.goods
    assert read["good_id"].tolist() == [4, 9]
    assert read["position"].tolist() == [4, 9]
    assert read["retail_price"].tolist() == [Decimal("211.2"), Decimal("0.1")]
    assert read["measure"].tolist() == [Decimal("2.5"), Decimal("0.1")]
    assert read["warehouse_quantity"].tolist() == [pd.NA, Decimal(3)]
    assert read["description"].tolist() == ["і", long_text]
    assert read["display"].tolist() == [0, 1]
    assert read["season"].tolist()[1] == "2026-11-23"
    assert read["color"].tolist()[0] == "їжа"
    assert read["country"].isna().all()
    assert list(read.columns) == list(RAW_GOODS.columns)
    assert list(extract.sections.columns) == list(RAW_SECTIONS.columns)


def test_a_value_that_is_no_number_is_named_with_its_place(embedded: Place) -> None:
    mapped = other_base(embedded, "INSERT INTO GOOD (ID, TYP, TITLE) VALUES (9, 1, 'x')")
    mapped = mapped.model_copy(update={"goods": mapped.goods.model_copy(update={"columns": {"retail_price": "TITLE"}})})
    with pytest.raises(SourceError, match="table GOOD, key 9, column TITLE: 'x' is not a decimal"):
        embedded.read(map=mapped)


def test_a_view_is_read_like_a_table(place: Place) -> None:
    place.build()
    place.run("base.fdb", "CREATE VIEW LIVE_TYPES AS SELECT * FROM PRODUCT_TYPES WHERE TYPE_ID < 3")
    mapped = load_map("stand-in")
    types = mapped.product_types.model_copy(update={"table": "LIVE_TYPES"})
    assert place.read(map=mapped.model_copy(update={"product_types": types})).product_types["type_id"].tolist() == [
        1,
        2,
    ]


@pytest.mark.parametrize("name", ['A"; DROP TABLE GOODS; --', "таблиця", "select"])
def test_hostile_identifiers_are_only_names(place: Place, name: str) -> None:
    place.build(charset="UTF8")
    stored = name.replace('"', '""')
    place.run("base.fdb", f'CREATE TABLE "{stored}" (TYPE_ID INTEGER, "{stored}" INTEGER, NAME CHAR(3), S INTEGER)')
    mapped = load_map("stand-in")
    types = mapped.product_types.model_copy(update={"table": name, "parent": name, "section": "S"})
    assert len(place.read(map=mapped.model_copy(update={"product_types": types})).product_types) == 0
    assert len(place.read().goods) == 3
