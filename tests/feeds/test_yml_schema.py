"""``schemas/yml.xsd``: what it refuses. Each case breaks one place of a feed that the schema takes."""

from __future__ import annotations

import pytest

from tests.feeds.schema import schema_errors
from tests.feeds.shop import offers, write, yml_feed

FEED, _ = write(
    yml_feed(profile="prom", url="https://shop.example/?p={good_id}", picture="https://shop.example/{good_id}.jpg"),
    offers(
        {
            "name": "Помада №5", "description": "Рядок 1\nрядок 2", "articul": "А-1", "retail_price": 370,
            "retail_price_with_discount": 222, "pc_name": "Ґанок", "the_size": "3.8", "model_good_id": 500,
        },
        {"name": "Набір", "category_number": 3},
    ),
)  # fmt: skip

# What is broken → text and its replacement, text and its replacement …; and a word of the schema's own message
BROKEN: dict[str, tuple[tuple[str, ...], str]] = {
    "the name before the price": (("<name>Помада №5</name>\n", "", "<price>222<", "<name>x</name><price>222<"), "name"),
    "offers before categories": (("<categories>", "<offers/><categories>"), "offers"),
    "no price": (("<price>222</price>\n", ""), "price"),
    "no currency": (("<currencyId>UAH</currencyId>\n<categoryId>2<", "<categoryId>2<"), "currencyId"),
    "no category of an offer": (("<categoryId>2</categoryId>\n", ""), "categoryId"),
    "no name of an offer": (("<name>Помада №5</name>\n", ""), "name"),
    "no name of the shop": (("<shop>\n<name>Крамниця</name>", "<shop>\n"), "name"),
    "no company": (("<company>Крамниця</company>\n", ""), "company"),
    "no id of an offer": (('<offer id="1" ', "<offer "), "'id' is required"),
    "no id of a category": (('<category id="2" ', "<category "), "'id' is required"),
    "no date": ((' date="2026-11-24 02:30"', ""), "'date' is required"),
    "no available": ((' available="true"', ""), "'available' is required"),
    "a price twice": (("<price>222</price>", "<price>222</price><price>222</price>"), "price"),
    "both names of the old price": (("</oldprice>", "</oldprice><price_old>370</price_old>"), "price_old"),
    "an undeclared element": (("<vendor>", "<brand>Ґанок</brand><vendor>"), "brand"),
    "an undeclared attribute of an offer": (('<offer id="1"', '<offer bid="80" id="1"'), "'bid' is not allowed"),
    "an undeclared attribute of a category": (('<category id="2"', '<category parentid="1" id="2"'), "'parentid'"),
    "an undeclared category": (("<categoryId>3<", "<categoryId>4<"), "category-is-declared"),
    "an undeclared parent": (('parentId="1"', 'parentId="9"'), "parent-is-declared"),
    "an undeclared currency": (('<currency id="UAH"', '<currency id="EUR"'), "currency-is-declared"),
    "a root with parent 0": (('<category id="3"', '<category id="3" parentId="0"'), "'0'"),
    "category 0": (('<category id="3"', '<category id="0"', "<categoryId>3<", "<categoryId>0<"), "'0'"),
    "two offers with one id": (('<offer id="2"', '<offer id="1"'), "offer-id"),
    "two categories with one id": (('<category id="3"', '<category id="2"'), "category-id"),
    "an id of letters": (('<offer id="2"', '<offer id="A2"'), "'A2'"),
    "a negative id": (('<offer id="2"', '<offer id="-2"'), "'-2'"),
    "a decimal comma": (("<price>222<", "<price>222,00<"), "'222,00'"),
    "a negative price": (("<price>222<", "<price>-222<"), "'-222'"),
    "an empty price": (("<price>222<", "<price><"), "price"),
    "three decimals": (("<price>222<", "<price>222.005<"), "'222.005'"),
    "available as a number": (('available="true"', 'available="1"'), "'1'"),
    "an empty name": (("<name>Набір<", "<name><"), "name"),
    "a name of blanks": (("<name>Набір<", "<name>  <"), "name"),
    "a line break in a name": (("<name>Набір<", "<name>На\nбір<"), "name"),
    "a tab in a category's name": ((">Набори</category>", ">На\tбори</category>"), "category"),
    "an empty vendor": (("<vendor>Ґанок<", "<vendor><"), "vendor"),
    "a param without a name": (('<param name="Розмір">', "<param>"), "'name' is required"),
    "a date in another order": (('date="2026-11-24 02:30"', 'date="24.11.2026 02:30"'), "'24.11.2026 02:30'"),
    "a month 13": (('date="2026-11-24 02:30"', 'date="2026-13-24 02:30"'), "'2026-13-24 02:30'"),
    "a blank in an address": (("https://shop.example/1.jpg", "https://shop.example/1 2.jpg"), "picture"),
    "an address beyond ASCII": (("https://shop.example/1.jpg", "https://shop.example/ї.jpg"), "picture"),
    "an address that is none": (("https://shop.example/1.jpg", "photos/1.jpg"), "picture"),
    "half a piece in stock": (("<param ", "<quantity>0.5</quantity><param "), "'0.5'"),
}  # fmt: skip


def test_the_feed_that_the_cases_break_is_valid() -> None:
    assert schema_errors(FEED) == []


@pytest.mark.parametrize("case", BROKEN)
def test_the_schema_refuses_a_feed_with(case: str) -> None:
    data = FEED.decode()
    steps, word = BROKEN[case]
    for before, after in zip(steps[::2], steps[1::2], strict=True):
        assert before in data
        data = data.replace(before, after, 1)
    errors = schema_errors(data.encode())
    assert errors
    assert word in errors[0]


def test_the_schema_refuses_a_feed_without_offers() -> None:
    start, end = FEED.index(b"<offer "), FEED.index(b"</offers>")
    assert "offers" in schema_errors(FEED[:start] + FEED[end:])[0]


@pytest.mark.parametrize("quantity", ["stock_quantity", "quantity_in_stock", "quantity"])
def test_the_schema_takes_the_stock_under_each_name_that_a_reader_knows(quantity: str) -> None:
    data, _ = write(yml_feed(profile="rozetka", quantity=quantity), offers({}))
    assert f"<{quantity}>3</{quantity}>".encode() in data
    assert schema_errors(data) == []
