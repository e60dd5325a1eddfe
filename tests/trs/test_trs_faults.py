"""A file that cannot be read whole is refused, and the message leads to the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import SettingsError, SourceError
from sources.trs.file import read_trs

HEAD = '"GoodID";"GoodName";"RetailPrice"\r\n'


def refused(path: Path, **told: object) -> str:
    with pytest.raises(SourceError) as caught:
        read_trs(path, **told)  # type: ignore[arg-type]
    assert str(path) in caught.value.message
    assert caught.value.next_step
    return caught.value.message


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes | str], Path]:
    def put(content: bytes | str) -> Path:
        path = tmp_path / "TSGoods.trs"
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return put


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n\r\n"])
def test_an_empty_file_is_refused(write: Callable[[bytes | str], Path], content: bytes) -> None:
    assert "the file is empty" in refused(write(content))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "none.trs")


@pytest.mark.parametrize(
    ("lines", "where", "what"),
    [
        ('1;"А";2\r\n2;"Б"\r\n', "line 3", "wrong number of columns: 2, but line 1 has 3"),
        ('1;"А";2\r\n\r\n3;"В";1\r\n', "line 3", "wrong number of columns: 0"),
        ('1;"А";2\r\n2;"Б;3\r\n4;"В";5\r\n', "line 3, column 2", "a quote is not closed"),
        ('1;"А";2\r\n2;"Б";"3\r\n', "line 3, column 3", "a quote is not closed"),
        ('1;"А";2\r\n2;"Б\r\nВ";3\r\n', "line 3, column 2", "a line break inside a value"),
        ('1;"А";2\r\n2;"Б\nВ";3\r\n', "line 3, column 2", "a line break inside a value"),
        ('1;"А";2\r\n2;"Б\rВ";3\r\n', "line 3, column 2", "a line break inside a value"),
        ('1;"А";2\r\n2;"Б"В;3\r\n', "line 3, column 2", "text after a closing quote"),
        ('1;"А";2\r\nx;"Б";3\r\n', "line 3, column GoodID", 'not an integer: "x"'),
        ('1;"А";2\r\n1.5;"Б";3\r\n', "line 3, column GoodID", "not an integer"),
        ('1;"А";2.5\r\n', "line 2, column RetailPrice", 'not a number with a decimal comma: "2.5"'),
        ('1;"А";1 000\r\n', "line 2, column RetailPrice", "not a number"),
        ('1;"А";1e3\r\n', "line 2, column RetailPrice", "not a number"),
        ('1;"А";0,123456789\r\n', "line 2, column RetailPrice", "it would lose digits"),
        ('1;"А";12345678901\r\n', "line 2, column RetailPrice", "it would lose digits"),
        ('1;"А";2\r\n2;"Б";3', "line 3", "the file was cut off"),
        ('1;"А\0";2\r\n', "line 2", "a NUL character"),
    ],
)
def test_a_faulty_line_is_refused_with_its_place(
    write: Callable[[bytes | str], Path], lines: str, where: str, what: str
) -> None:
    message = refused(write(HEAD + lines))
    assert where in message
    assert what in message


def test_an_undecodable_byte_is_named_with_its_offset(write: Callable[[bytes | str], Path]) -> None:
    content = HEAD.encode() + '1;"Б'.encode("cp1251") + b'\x98";2\r\n'
    message = refused(write(content))
    assert f"byte 0x98 at offset {content.index(0x98)} is not valid cp1251" in message
    assert "line 2" in message


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_utf8_file_with_one_damaged_byte_is_not_taken_for_cp1251(
    write: Callable[[bytes | str], Path], bom: bytes
) -> None:
    content = bom + (HEAD + '1;"Міцелярна вода').encode() + b'\xff";2\r\n'
    assert f"byte 0xff at offset {content.index(0xFF, 3)} is not valid utf-8" in refused(write(content))


def test_a_file_without_header_must_have_50_48_or_40_columns(write: Callable[[bytes | str], Path]) -> None:
    assert "wrong number of columns: 3; without a header" in refused(write('1;"А";2\r\n'))


def test_a_layout_given_must_fit_the_file(write: Callable[[bytes | str], Path]) -> None:
    path = write('1;"А";2\r\n')
    assert "wrong number of columns: 3, but the layout has 2" in refused(path, layout=["GoodID", "GoodName"])
    assert list(read_trs(path, layout=["GoodID", "GoodName", "RetailPrice"]).frame) == [
        "good_id",
        "good_name",
        "retail_price",
    ]
    with pytest.raises(SettingsError, match='did you mean "GoodName"'):
        read_trs(path, layout=["GoodID", "GodName", "RetailPrice"])


def test_a_header_may_not_name_a_column_twice_nor_leave_out_the_goods_id(
    write: Callable[[bytes | str], Path],
) -> None:
    twice = '"GoodID";"SuppLierCode";"SupplierCode"\r\n1;"a";"b"\r\n'
    assert "a column is there twice: supplier_code" in refused(write(twice))
    assert "no column GoodID" in refused(write('"GoodName";"Country"\r\n"a";"b"\r\n'))


def test_a_header_that_differs_from_the_layout_given_is_refused(write: Callable[[bytes | str], Path]) -> None:
    assert "the header names other columns" in refused(write(HEAD + '1;"А";2\r\n'), layout=50)


def test_an_unknown_column_is_left_out_with_a_note(write: Callable[[bytes | str], Path]) -> None:
    trs = read_trs(write('"GoodID";"GoodName";"Colour"\r\n1;"А";"red"\r\n'))
    assert list(trs.frame) == ["good_id", "good_name"]
    assert trs.notes == ('column 3 "Colour" is unknown and was left out; did you mean "Color"?',)


def test_line_ends_of_another_system_are_read_with_a_note(write: Callable[[bytes | str], Path]) -> None:
    trs = read_trs(write(HEAD.replace("\r", "") + '1;"А";2\n'))
    assert len(trs.frame) == 1
    assert "only LF" in trs.notes[0]


def test_a_missing_last_line_end_after_a_closed_quote_is_noted(write: Callable[[bytes | str], Path]) -> None:
    trs = read_trs(write('"GoodID";"GoodName"\r\n1;"А"'))
    assert trs.notes == ("the last line has no line end: check whether the file was cut off",)


def test_a_file_with_nothing_but_a_header_has_no_goods(write: Callable[[bytes | str], Path]) -> None:
    trs = read_trs(write(HEAD))
    assert len(trs.frame) == 0
    assert "no goods" in trs.notes[0]
