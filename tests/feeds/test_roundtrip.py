"""Whatever the texts hold, the file can be read, and says the same: a property over nasty catalogues."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from xml.etree import ElementTree

import pandas as pd
import yandex_market_language
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from schemas.settings.feeds import YML_PROFILES, CsvFeed, JsonFeed
from stores.feeds.goods import unsellable
from tests.feeds.rules import faults
from tests.feeds.shop import categories, google_feed, offers, write, yml_feed

NASTY = [
    "&", "<", ">", '"', "'", "]]>", "&amp;", "<![CDATA[", "-->", "\x00", "\x0b", "\x1f", "\x7f", "\x85", "\t", "\r\n",
    "\u2028", "\ufffe", "\uffff", "😀", "👩‍🚀", "ґ", "є", "і", "ї", "’", "№", "и\u0306", " ", "  ", ",", " > ", " / ",
    ";", "=1+1", "\u200b", "\ufeff", "\u202e",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=9).map(
        "".join
    ),
    st.sampled_from([20, 60, 2000]).map(lambda n: "слово " * n),
)
MONEY = st.one_of(st.none(), st.decimals(0, 10**9, places=8, allow_nan=False, allow_infinity=False))


def plain(text: object) -> str:
    """What a reader may expect of a text: its visible characters, with any blanks between them."""
    if not isinstance(text, str):
        return ""
    gone = {"\ufffe", "\uffff"}
    shown = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in gone else c for c in text)
    return " ".join("".join(shown).split())


@st.composite
def trees(draw: st.DrawFn) -> pd.DataFrame:
    names = draw(st.lists(TEXTS.filter(plain), min_size=1, max_size=6))
    rows: list[dict] = []
    for number, name in enumerate(names, start=1):
        rows.append((number * 7, name, draw(st.sampled_from([None, *[row[0] for row in rows]]))))
    return categories(*rows)


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    tree = draw(trees())
    numbers = st.sampled_from([None, *tree["number"].tolist()])
    good = st.fixed_dictionaries(
        {
            "name": TEXTS, "description": st.one_of(st.none(), TEXTS), "pc_name": TEXTS, "color": TEXTS,
            "category_number": numbers, "retail_price": MONEY, "retail_price_with_discount": MONEY,
            "warehouse_quantity": MONEY, "hidden": st.booleans(), "model_good_id": st.integers(1, 3),
        }
    )  # fmt: skip
    sound = {"name": "є", "category_number": tree["number"][0], "hidden": False, "retail_price": Decimal(1)}
    return tree, offers(sound, *draw(st.lists(good, max_size=8)))


def priced(row: dict) -> Decimal:
    """The price to pay: an independent reading of the rule."""
    retail, lower = ((Decimal(0) if pd.isna(row[f]) else row[f]).quantize(Decimal("0.01"), ROUND_HALF_UP) for f in (
        "retail_price", "retail_price_with_discount",
    ))  # fmt: skip
    return lower if 0 < lower < retail else retail


def expected(goods: pd.DataFrame, hidden: bool) -> dict[int, tuple[int, str, Decimal]]:
    """Good → category, name and price of what belongs into a feed of priced goods."""
    return {
        int(row["good_id"]): (int(row["category_number"]), plain(row["name"]), priced(row))
        for row in goods.to_dict("records")
        if (hidden or not row["hidden"]) and not pd.isna(row["category_number"]) and priced(row) and plain(row["name"])
    }


@given(catalogues(), st.sampled_from(sorted(YML_PROFILES)))
def test_a_yml_feed_reads_back_to_the_same_catalogue(catalogue, profile) -> None:
    tree, goods = catalogue
    data, done = write(yml_feed(profile=profile, name_length=20_000), goods, tree)
    assert faults(data, frozenset({"price_old", "stock_quantity"}) if profile == "rozetka" else frozenset()) == []
    root = etree.fromstring(data, etree.XMLParser(huge_tree=True))
    declared = [(int(c.get("id")), plain(c.text), c.get("parentId")) for c in root.iter("category")]
    rows = zip(tree["number"], tree["name"], tree["parent_number"], strict=True)
    assert declared == [(n, plain(name), None if pd.isna(up) else str(up)) for n, name, up in rows]
    found = {
        int(o.get("id")): (int(o.findtext("categoryId")), plain(o.findtext("name")), Decimal(o.findtext("price")))
        for o in root.iter("offer")
    }
    wanted = expected(goods, hidden=profile == "prom")
    assert found == wanted
    told = unsellable(goods, discounts=True)
    assert sorted(told) == sorted(set(goods["good_id"]) - set(expected(goods, hidden=True))), "what the guards count"
    assert done.offers == len(wanted)
    assert done.offers + sum(done.left_out.values()) == len(goods)
    described = {int(o.get("id")): plain(o.findtext("description") or "") for o in root.iter("offer")}
    given_texts = dict(zip(goods["good_id"], goods["description"], strict=True))
    assert described == {good_id: plain(given_texts[good_id]) for good_id in wanted}


@given(catalogues())
def test_the_package_that_others_read_yml_with_reads_it_too(catalogue) -> None:
    tree, goods = catalogue
    feed = yml_feed(url="https://shop.example/{good_id}")  # without an address it reads no offer
    shop = yandex_market_language.parse(io.BytesIO(write(feed, goods, tree)[0])).shop
    wanted = expected(goods, hidden=False)
    assert {int(o.offer_id): (int(o.category_id), plain(o.name)) for o in shop.offers} == {
        good_id: row[:2] for good_id, row in wanted.items()
    }
    assert len(shop.categories) == len(tree)


@given(catalogues())
def test_a_google_feed_reads_back_within_googles_limits(catalogue) -> None:
    tree, goods = catalogue
    data, _ = write(google_feed(), goods, tree)
    g = "{http://base.google.com/ns/1.0}"
    wanted = expected(goods, hidden=False)
    levels = dict(zip(tree["number"], tree["depth"], strict=True))
    found = {int(i.findtext(f"{g}id")): i for i in ElementTree.fromstring(data).iter("item")}
    assert set(found) == set(wanted)
    for good_id, item in found.items():
        category, name, price = wanted[good_id]
        title, kind = item.findtext("title"), item.findtext(f"{g}product_type")
        assert name.startswith(plain(title)) or len(name) > 100
        assert 0 < len(title) <= 150
        assert 0 < len(item.findtext("description")) <= 5000
        assert len(kind) <= 750
        assert "," not in kind
        assert kind.count(" > ") < levels[category]
        paid = item.findtext(f"{g}sale_price") or item.findtext(f"{g}price")
        assert paid == f"{price:.2f} UAH"


@given(catalogues())
def test_csv_and_json_read_back_to_the_same_goods(catalogue) -> None:
    tree, goods = catalogue
    columns = ("good_id", "name", "description", "category_number", "price", "warehouse_quantity")
    table = list(csv.reader(io.StringIO(write(CsvFeed(columns=columns), goods, tree)[0].decode(), newline="")))
    document = json.loads(write(JsonFeed(columns=columns), goods, tree)[0])
    assert table[0] == list(columns)
    wanted = [row for row in goods.to_dict("records") if not row["hidden"]]
    for row, line, record in zip(wanted, table[1:], document["offers"], strict=True):
        assert (int(line[0]), plain(line[1]), plain(line[2])) == (
            row["good_id"], plain(row["name"]), plain(row["description"]),
        )  # fmt: skip
        assert (record["good_id"], plain(record["name"])) == (row["good_id"], plain(row["name"]))
        assert Decimal(line[4] or 0) == Decimal(record["price"] or 0) == priced(row)
        quantity = Decimal(0) if pd.isna(row["warehouse_quantity"]) else row["warehouse_quantity"]
        assert Decimal(line[5] or 0) == Decimal(record["warehouse_quantity"] or 0) == quantity
        assert record["category_number"] == (None if pd.isna(row["category_number"]) else row["category_number"])
