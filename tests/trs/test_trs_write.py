"""The writer: exactly Torgsoft's form, and nothing gets out that a reader would stumble over."""

from __future__ import annotations

import hashlib
import io
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from schemas.errors import StoreError
from schemas.settings.stores import TRS_PROFILES, TrsDialect
from sources.trs.file import read_trs
from stores.feeds.trs import TrsWritten, write_trs
from stores.feeds.trs_text import SUBSTITUTES, to_cp1251


def written(goods: pd.DataFrame, dialect: TrsDialect) -> tuple[bytes, TrsWritten]:
    stream = io.BytesIO()
    return (result := write_trs(stream, goods, dialect), stream.getvalue())[1], result


def lines(goods: pd.DataFrame, layout: list[str], encoding: str = "utf-8") -> list[str]:
    data, _ = written(goods, TrsDialect(layout=layout, encoding=encoding))  # type: ignore[arg-type]
    assert data.endswith(b"\r\n")
    return data.decode(encoding).split("\r\n")[:-1]


def test_numbers_are_written_as_torgsoft_writes_them() -> None:
    values = ["200", "211.2", "0.00000001", "-0.5", "31.03448276", "0", None, "1000000", "-10", "0.10"]
    goods = pd.DataFrame({"good_id": range(len(values)), "retail_price": values})
    goods["retail_price"] = goods["retail_price"].map(lambda v: None if v is None else Decimal(v))
    shown = [line.split(";")[1] for line in lines(goods, ["GoodID", "RetailPrice"])]
    assert shown == ["200", "211,2", "0,00000001", "-0,5", "31,03448276", "0", "", "1000000", "-10", "0,1"]


def test_texts_are_always_quoted_and_quotes_doubled() -> None:
    goods = pd.DataFrame({"good_id": [1, 2], "good_name": ['Крем "Люкс"; 5%', None]})
    assert lines(goods, ["GoodID", "GoodName", "Country"]) == ['1;"Крем ""Люкс""; 5%";""', '2;"";""']


def test_a_good_without_a_category_gets_minus_one_and_its_chain_stays_empty() -> None:
    chains = [[(1, "Обличчя"), (15, "Сироватка")], None, float("nan")]
    goods = pd.DataFrame({"good_id": [1, 2, 3], "category": pd.array([15, None, None], "Int64")})
    goods["section_chain"] = chains
    layout = ["GoodID", "Category", "SynchronizationSectionFull"]
    assert lines(goods, layout) == ['1;15;"1=Обличчя|15=Сироватка"', '2;-1;""', '3;-1;""']


def test_the_partners_quantity_is_a_text_and_stays_as_it_is() -> None:
    goods = pd.DataFrame({"good_id": [1], "warehouse_quantity_for_partner": ["38=1,000|3=1,000"]})
    assert lines(goods, ["GoodID", "WarehouseQuantityForPartner"]) == ['1;"38=1,000|3=1,000"']


@pytest.mark.parametrize("profile", TRS_PROFILES)
def test_every_profile_writes_a_file_that_is_read_back_in_the_same_dialect(tmp_path: Path, profile: str) -> None:
    dialect = TRS_PROFILES[profile]
    goods = pd.DataFrame({"good_id": [1], "good_name": ["Міцелярна вода"], "category": [2]})
    goods["synchronization_section"] = "Очищення"
    goods["section_chain"] = [[(1, "Обличчя"), (2, "Очищення")]]
    write_trs(tmp_path / "x.trs", goods, dialect)
    found = read_trs(tmp_path / "x.trs").dialect
    # The 40 columns hold no chain that could tell the separator.
    assert found == (dialect if dialect.layout != 40 else dialect.model_copy(update={"chain_separator": "|"}))


def test_line_breaks_and_control_characters_become_one_blank_and_are_counted() -> None:
    goods = pd.DataFrame({"good_id": [1, 2], "good_name": ["а\r\nб\tв", "г\x85д\u2028е\x00"], "country": ["У", "К"]})
    data, result = written(goods, TrsDialect(layout=["GoodID", "GoodName", "Country"], encoding="utf-8"))
    assert data.decode() == '1;"а б в";"У"\r\n2;"г д е ";"К"\r\n'
    assert result.notes == ("GoodName: 5 line breaks or control characters became one blank each",)


def test_a_character_that_cp1251_lacks_is_replaced_and_every_case_reported() -> None:
    goods = pd.DataFrame({"good_id": [7, 8, 9], "good_name": ["100 ₴ ʼ 日", "Café №5 ’", "и\u0306 ґєії"]})
    data, result = written(goods, TrsDialect(layout=["GoodID", "GoodName"]))
    assert data.decode("cp1251") == '7;"100 грн ’ ?"\r\n8;"Cafe №5 ’"\r\n9;"й ґєії"\r\n'
    assert [tuple(entry) for entry in result.unencodable] == [
        (7, "good_name", "₴", "грн"),
        (7, "good_name", "ʼ", "’"),
        (7, "good_name", "日", "?"),
        (8, "good_name", "é", "e"),
    ]


def test_a_replacement_that_is_a_quote_is_doubled_like_any_other() -> None:
    goods = pd.DataFrame({"good_id": [1], "good_name": ["21″"]})
    assert lines(goods, ["GoodID", "GoodName"], "cp1251") == ['1;"21"""']


def test_every_substitute_can_itself_be_written_in_cp1251() -> None:
    for character, written_as in SUBSTITUTES.items():
        assert written_as.encode("cp1251") is not None
        assert to_cp1251(character)[0] == written_as


def test_utf8_keeps_every_character() -> None:
    goods = pd.DataFrame({"good_id": [1], "good_name": ["₴ 日 😀"]})
    _, result = written(goods, TrsDialect(layout=["GoodID", "GoodName"], encoding="utf-8"))
    assert result.unencodable == ()


def test_a_text_longer_than_its_column_is_written_whole_and_noted() -> None:
    goods = pd.DataFrame({"good_id": range(1, 8), "the_size": ["x" * 21] * 7})
    data, result = written(goods, TrsDialect(layout=["GoodID", "TheSize"]))
    assert data.count(b"x" * 21) == 7
    assert "TheSize: 7 texts are longer than the column's 20 characters" in result.notes[0]
    assert "(good 1, 2, 3, 4, 5, …)" in result.notes[0]


def test_an_empty_name_is_noted() -> None:
    _, result = written(pd.DataFrame({"good_id": [1], "good_name": [""]}), TrsDialect())
    assert "1 goods have an empty name" in result.notes[0]


def test_the_result_tells_goods_and_checksum_of_the_very_file(tmp_path: Path) -> None:
    goods = pd.DataFrame({"good_id": range(25_001), "good_name": "Крем"})
    result = write_trs(tmp_path / "x.trs", goods, TRS_PROFILES["utf8-bom"])
    data = (tmp_path / "x.trs").read_bytes()
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert (result.goods, data.count(b"\r\n")) == (25_001, 25_002)
    assert data.startswith(b'\xef\xbb\xbf"GoodID";')


def test_goods_without_an_id_or_with_a_number_that_is_none_are_refused() -> None:
    with pytest.raises(StoreError, match="without GoodID"):
        written(pd.DataFrame({"good_id": pd.array([1, None], "Int64")}), TrsDialect())
    with pytest.raises(StoreError, match="Sex: a value does not fit"):
        written(pd.DataFrame({"good_id": [1], "sex": ["x"]}), TrsDialect())
    with pytest.raises(StoreError, match="RetailPrice: a value does not fit"):
        written(pd.DataFrame({"good_id": [1], "retail_price": [Decimal("0.123456789")]}), TrsDialect())
