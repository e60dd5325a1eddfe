"""Three CSV files as a base's input: exact values, and errors that name file, line and column."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from schemas.errors import SourceError
from schemas.tables import RAW_GOODS
from sources.stand_in.csv_input import read_csv_dir

TYPES = 'type_id,parent_id,name,section_key\n1,,Одяг,89\n2,1,"КЕДЫ,КРОССОВКИ",\n'
SECTIONS = "section_key,parent_key,name,number\n89,,Біжутерія,017\n"
GOODS = 'good_id,type_id,good_name,retail_price,description\n5,2,Кеди,"211,20","two\nlines; ""quoted"""\n,2,x,0.5,\n'


def write(folder: Path, encoding: str = "utf-8", **texts: str) -> Path:
    for name, text in {"product_types": TYPES, "sections": SECTIONS, "goods": GOODS, **texts}.items():
        (folder / f"{name}.csv").write_bytes(text.encode(encoding))
    return folder


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_values_are_read_exactly_and_empty_cells_are_null(tmp_path: Path, encoding: str) -> None:
    reading = "cp1251" if encoding == "cp1251" else "utf-8-sig"
    types, sections, goods = read_csv_dir(write(tmp_path, encoding), reading)
    assert types["parent_id"].isna().tolist() == [True, False]
    assert types["name"].tolist() == ["Одяг", "КЕДЫ,КРОССОВКИ"]
    assert sections["number"].tolist() == ["017"]
    assert goods["retail_price"].tolist() == [Decimal("211.2"), Decimal("0.5")]
    assert goods["description"][0] == 'two\nlines; "quoted"'
    assert goods["good_id"].isna().tolist() == [False, True]
    assert goods["position"].tolist() == [1, 2]
    assert list(goods.columns) == list(RAW_GOODS.columns)


def test_files_without_rows_give_empty_frames(tmp_path: Path) -> None:
    head = {"product_types": TYPES, "sections": SECTIONS, "goods": GOODS}
    frames = read_csv_dir(write(tmp_path, **{name: text.splitlines()[0] for name, text in head.items()}))
    assert [len(frame) for frame in frames] == [0, 0, 0]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"sections": "section_key,parent_key,nam,number\n"}, r'sections\.csv, line 1: unknown column "nam"'),
        ({"sections": "section_key,parent_key,name\n"}, r'line 1: no column "number"'),
        ({"goods": "good_id,good_id,type_id,good_name\n"}, "is there twice"),
        ({"goods": 'good_id,type_id,good_name\n1,2,"a\nb"\nx,2,c\n'}, r'goods\.csv, line 4, column good_id: "x"'),
        ({"goods": "good_id,type_id,good_name\n1,2\n"}, "line 2: 2 cells, but the header has 3"),
        ({"goods": "good_id,type_id,good_name,retail_price\n1,2,a,0.123456789\n"}, "at most 8 decimals"),
        ({"goods": "good_id,type_id,good_name,retail_price\n1,2,a,12345678901\n"}, "column retail_price"),
        ({"goods": "good_id,type_id,good_name,retail_price\n1,2,a,NaN\n"}, "column retail_price"),
        ({"goods": "good_id,type_id,good_name\n99999999999999999999,2,a\n"}, "is not an integer"),
        ({"goods": 'good_id,type_id,good_name\n1,2,"a\n'}, "not valid CSV"),
    ],
)
def test_a_fault_is_named_with_file_line_and_column(tmp_path: Path, texts: dict[str, str], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_csv_dir(write(tmp_path, **texts))


def test_a_misspelt_column_gets_the_closest_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read_csv_dir(write(tmp_path, goods="good_id,type_id,good_name,retail_prise\n"))
    assert 'did you mean "retail_price"' in caught.value.next_step


def test_a_missing_file_and_a_wrong_encoding_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"product_types\.csv: no such file"):
        read_csv_dir(tmp_path)
    with pytest.raises(SourceError, match="not utf-8-sig") as caught:
        read_csv_dir(write(tmp_path, "cp1251"))
    assert "cp1251" in caught.value.next_step
