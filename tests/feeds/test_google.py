"""The Merchant feed: Google's own limits, and nothing that it would take for something else."""

from __future__ import annotations

import hashlib

import pytest
from lxml import etree

from schemas.errors import StoreError
from stores.feeds.google import product_type, valid_gtin
from stores.feeds.text import Notes
from tests.feeds.shop import categories, google_feed, offers, write

G = "{http://base.google.com/ns/1.0}"


def items(data: bytes) -> list[dict[str, str]]:
    found = etree.fromstring(data).findall("channel/item")
    return [{child.tag.replace(G, "g:"): child.text for child in item} for item in found]


def test_an_item_has_all_that_google_asks_for() -> None:
    goods = offers(
        {
            "name": "Помада & <Ко>", "description": "Опис", "retail_price": 370, "retail_price_with_discount": "222.5",
            "pc_name": "TopFace", "barcode": "4006381333931", "articul": "A-1",
        }
    )  # fmt: skip
    data, done = write(google_feed(picture="https://shop.example/{good_id}.jpg"), goods)
    assert items(data) == [
        {
            "g:id": "1",
            "title": "Помада & <Ко>",
            "description": "Опис",
            "link": "https://shop.example/p/1",
            "g:image_link": "https://shop.example/1.jpg",
            "g:availability": "in_stock",
            "g:price": "370.00 UAH",
            "g:sale_price": "222.50 UAH",
            "g:product_type": "Косметика > Помади",
            "g:brand": "TopFace",
            "g:gtin": "4006381333931",
            "g:condition": "new",
        }
    ]
    assert (done.offers, done.notes) == (1, ())


def test_hidden_and_priceless_goods_are_not_in_the_feed_and_sold_out_ones_are() -> None:
    data, done = write(google_feed(), offers({"hidden": True}, {"retail_price": None}, {"warehouse_quantity": 0}))
    assert [(item["g:id"], item["g:availability"]) for item in items(data)] == [("3", "out_of_stock")]
    assert done.left_out == {"hidden": 1, "without a price": 1}


def test_a_good_without_a_description_is_described_by_its_name() -> None:
    data, _ = write(google_feed(), offers({"name": "Помада"}))
    assert items(data)[0]["description"] == "Помада"


def test_titles_and_descriptions_are_cut_to_googles_limits_and_the_cut_is_told() -> None:
    data, done = write(google_feed(), offers({"name": "слово " * 60, "description": "й" * 6000}))
    item = items(data)[0]
    assert (len(item["title"]), len(item["description"])) == (149, 5000)
    assert done.notes == ("title cut to 150 characters: 1 good (1)", "description cut to 5000 characters: 1 good (1)")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (["Взуття", "КЕДЫ,КРОССОВКИ,СНИКЕРСЫ"], "Взуття > КЕДЫ / КРОССОВКИ / СНИКЕРСЫ"),
        (["А > Б", "В"], "А › Б > В"),
        (["Сік 0,5 л"], "Сік 0.5 л"),
        (["Посуд, чашки,"], "Посуд / чашки"),
        ([","], " "),
    ],
)
def test_a_comma_or_an_arrow_in_a_name_never_makes_another_product_type(path: list[str], shown: str) -> None:
    notes = Notes()
    assert product_type(path, notes) == shown
    assert "," not in shown
    assert len(notes.lines()) == 1


def test_a_product_type_that_is_too_long_loses_its_deepest_levels_whole() -> None:
    notes = Notes()
    assert product_type(["а" * 300, "б" * 300, "в" * 300], notes) == "а" * 300 + " > " + "б" * 300
    assert "cut to whole levels" in notes.lines()[0]
    assert len(product_type(["а" * 900], Notes())) == 750


@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("4006381333931", True),
        ("4006381333932", False),  # check digit
        ("036000291452", True),  # 12 digits
        ("10012345678902", True),  # 14 digits
        ("96385074", True),  # 8 digits
        ("2001234567893", False),  # made in the shop
        ("0412345678903", False),
        ("212345678992", False),  # 12 digits: 02 in front
        ("9912345678904", False),  # a coupon
        ("0000000000000", False),
        ("400638133393", False),
        ("", False),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", False),  # digits, but not ours
    ],
)
def test_only_world_wide_numbers_are_gtins(code: str, valid: bool) -> None:
    assert valid_gtin(code) is valid


def test_without_a_valid_barcode_the_articul_stands_as_mpn_and_it_is_told() -> None:
    goods = offers({"barcode": "2930000003832", "articul": "0505"}, {"barcode": "4006381333931", "articul": "0506"}, {})
    data, done = write(google_feed(), goods)
    assert [(item.get("g:gtin"), item.get("g:mpn")) for item in items(data)] == [
        (None, "0505"),
        ("4006381333931", None),
        (None, None),
    ]
    assert done.notes == ("gtin left out, the barcode is not a world-wide number: 1 good (1)",)
    data, _ = write(google_feed(mpn="", gtin=""), goods)
    assert b"g:mpn" not in data
    assert b"g:gtin" not in data


def test_the_file_is_the_same_for_the_same_catalogue_and_bears_no_date() -> None:
    goods = offers({}, {"name": "Друга"})
    data, done = write(google_feed(), goods)
    assert write(google_feed(), goods) == (data, done)
    assert done.content_sha256 == hashlib.sha256(data).hexdigest()


def test_settings_without_an_address_for_goods_are_refused() -> None:
    for keys, word in (({"url": "https://shop.example/"}, "good_id"), ({"currency": "грн"}, "pattern")):
        with pytest.raises(ValueError, match=word):
            google_feed(**keys)


def test_a_broken_tree_makes_no_feed() -> None:
    tree = categories((2, "Б", 1), (1, "А", None))
    with pytest.raises(StoreError, match="category 2 comes before its parent 1"):
        write(google_feed(), offers({}), tree)
