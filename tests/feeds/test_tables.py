"""CSV and JSON: the columns that the shop wants, exact numbers, and a file that common readers read."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pytest

from schemas.errors import StoreError
from schemas.settings.feeds import PRIVATE, TABLE_COLUMNS, CsvFeed, JsonFeed
from tests.feeds.shop import categories, offers, write

GOODS = offers(
    {
        "name": 'Помада "Ґанок"; №5, м’яка', "description": "Рядок 1\r\nрядок 2", "retail_price": "370.50",
        "retail_price_with_discount": 222, "warehouse_quantity": "1.5", "sex": 2, "prime_cost": 100,
    },
    {"name": "Прихована", "category_number": None, "hidden": True},
    {"name": "Без ціни", "retail_price": None, "warehouse_quantity": 0},
)  # fmt: skip


def rows(data: bytes, encoding: str = "utf-8", separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(encoding), newline=""), delimiter=separator))


def test_a_csv_reads_back_to_the_same_goods() -> None:
    feed = CsvFeed(columns=("good_id", "name", "description", "category_number", "category_path", "price", "old_price"))
    data, done = write(feed, GOODS)
    assert rows(data) == [
        {
            "good_id": "1", "name": 'Помада "Ґанок"; №5, м’яка', "description": "Рядок 1 рядок 2",
            "category_number": "2", "category_path": "Косметика / Помади", "price": "222", "old_price": "370.5",
        },
        {
            "good_id": "3", "name": "Без ціни", "description": "", "category_number": "2",
            "category_path": "Косметика / Помади", "price": "", "old_price": "",
        },
    ]  # fmt: skip
    assert (done.offers, done.left_out) == (2, {"hidden": 1})
    assert "description: line breaks or control characters became one blank each: 1 good (1)" in done.notes


def test_every_line_of_a_csv_ends_with_crlf_and_no_cell_holds_a_line_break() -> None:
    data, _ = write(CsvFeed(), GOODS)
    assert data.count(b"\r\n") == data.count(b"\n") == 3


def test_a_spreadsheet_in_ukraine_gets_semicolons_commas_and_cp1251() -> None:
    feed = CsvFeed(
        separator=";", encoding="cp1251", decimal=",", header=False, columns=("name", "price", "warehouse_quantity")
    )
    data, done = write(feed, offers({"name": "Крем 100 ₴ 日", "retail_price": "31.5", "warehouse_quantity": "0.5"}))
    assert data.decode("cp1251") == "Крем 100 грн ?;31,5;0,5\r\n"
    assert done.notes == (
        "name: '₴' became 'грн', cp1251 cannot hold it: 1 good (1)",
        "name: '日' became '?', cp1251 cannot hold it: 1 good (1)",
    )


def test_the_files_own_column_names_and_a_byte_order_mark() -> None:
    feed = CsvFeed.model_validate(
        {"encoding": "utf-8-sig", "columns": {"Код": "good_id", "Назва": "name", "Ціна": "retail_price"}}
    )
    data, _ = write(feed, GOODS)
    assert data.startswith(b"\xef\xbb\xbf")
    assert rows(data, "utf-8-sig")[0] == {"Код": "1", "Назва": 'Помада "Ґанок"; №5, м’яка', "Ціна": "370.5"}


def test_hidden_goods_are_included_on_demand_and_marked() -> None:
    data, done = write(CsvFeed(hidden="include", columns=("good_id", "hidden", "available", "category_path")), GOODS)
    assert rows(data) == [
        {"good_id": "1", "hidden": "0", "available": "1", "category_path": "Косметика / Помади"},
        {"good_id": "2", "hidden": "1", "available": "0", "category_path": ""},
        {"good_id": "3", "hidden": "0", "available": "0", "category_path": "Косметика / Помади"},
    ]
    assert (done.offers, done.left_out) == (3, {})


def test_what_the_shop_paid_stands_in_no_feed_unless_it_is_asked_for() -> None:
    assert not set(TABLE_COLUMNS) & {*PRIVATE, "wholesale_price", "supplier_code"}
    assert b"prime_cost" not in write(JsonFeed(), GOODS)[0]
    assert rows(write(CsvFeed(columns=("prime_cost",)), GOODS)[0])[0] == {"prime_cost": "100"}


def test_a_path_that_cannot_be_split_again_is_told() -> None:
    tree = categories((1, "А", None), (2, "Б / В", 1))
    _, done = write(CsvFeed(), offers({}), tree)
    assert done.notes == ('category_path cannot be split where a name holds its separator " / ": 1 name (Б / В)',)


def test_a_json_document_holds_categories_and_goods_with_exact_numbers() -> None:
    feed = JsonFeed(columns=("good_id", "name", "category_path", "price", "old_price", "available", "sex"))
    data, done = write(feed, GOODS)
    document = json.loads(data)
    assert document["categories"][1] == {
        "number": 2, "name": "Помади", "parent_number": 1, "path": ["Косметика", "Помади"], "depth": 2,
    }  # fmt: skip
    assert document["categories"][0]["parent_number"] is None
    assert document["offers"] == [
        {
            "good_id": 1, "name": 'Помада "Ґанок"; №5, м’яка', "category_path": ["Косметика", "Помади"],
            "price": "222", "old_price": "370.5", "available": True, "sex": 2,
        },
        {
            "good_id": 3, "name": "Без ціни", "category_path": ["Косметика", "Помади"], "price": None,
            "old_price": None, "available": False, "sex": None,
        },
    ]  # fmt: skip
    assert done.offers == 2


def test_a_json_description_keeps_its_lines() -> None:
    data, done = write(JsonFeed(columns=("description",)), GOODS)
    assert json.loads(data)["offers"][0] == {"description": "Рядок 1\nрядок 2"}
    assert done.notes == ()


def test_a_json_document_of_several_pieces_is_one_document_with_one_good_a_line(monkeypatch) -> None:
    goods = offers(*({"hidden": i in (0, 1, 2, 9)} for i in range(23)))
    whole, _ = write(JsonFeed(), goods)
    monkeypatch.setattr("stores.feeds.goods.pieces.__defaults__", (3,))
    data, _ = write(JsonFeed(), goods)
    assert data == whole
    assert len(json.loads(data)["offers"]) == 19
    assert sum(line.startswith(b'{"good_id"') for line in data.splitlines()) == 19


@pytest.mark.parametrize("feed", [CsvFeed(), JsonFeed()])
def test_an_empty_table_is_refused_and_pandas_reads_a_full_one(feed) -> None:
    with pytest.raises(StoreError, match="would have no goods"):
        write(feed, offers({"hidden": True}))
    if isinstance(feed, CsvFeed):
        assert len(pd.read_csv(io.BytesIO(write(feed, GOODS)[0]))) == 2


def test_an_unknown_column_is_refused_with_the_closest_one() -> None:
    for columns in (("good_id", "prise"), {"Ціна": "prise"}):
        with pytest.raises(ValueError, match='did you mean "price"'):
            CsvFeed(columns=columns)
    with pytest.raises(ValueError, match="at least 1 item"):
        JsonFeed(columns=())
