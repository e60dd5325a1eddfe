"""YML: what stands in the file, by profile, and that the schema takes it (and the DTD, where it is at hand)."""

from __future__ import annotations

import io
from datetime import datetime
from xml.etree import ElementTree

import pytest
import yandex_market_language

from schemas.errors import SettingsError, StoreError
from schemas.settings.feeds import YML_PROFILES
from schemas.tables import OFFERS, conform
from sources.trs.file import read_trs
from stores.feeds.yml import content_sha256
from tests.feeds.rules import faults
from tests.feeds.schema import DTD, dtd_errors, schema_errors
from tests.feeds.shop import TREE, categories, offers, write, yml_feed
from tests.real_nights import NIGHTS, RealNights

ROZETKA = frozenset({"stock_quantity", "price_old"})

FULL = offers(
    {
        "name": "Помада «Ґанок» №5 & <Ко> \"м’яка\" ]]>", "description": "Рядок 1\r\nрядок 2", "articul": "А-1",
        "retail_price": 370, "retail_price_with_discount": 222, "pc_name": "TopFace", "the_size": "3.8 ",
        "color": "001", "model_good_id": 500,
    },
    {"name": "Помада №6", "retail_price": "150.8", "color": "002", "model_good_id": 500, "warehouse_quantity": 0},
    {"name": "Набір", "category_number": 3, "retail_price": 1000, "model_good_id": 501},
    {"name": "Прихований", "hidden": True, "model_good_id": 501},
)  # fmt: skip
ADDRESSES = {"url": "https://shop.example/?p={good_id}&l=uk", "picture": "https://shop.example/{good_id}.jpg"}


def offer(data: bytes, good_id: int = 1) -> ElementTree.Element:
    found = ElementTree.fromstring(data).find(f".//offer[@id='{good_id}']")
    assert found is not None
    return found


@pytest.mark.parametrize("profile", YML_PROFILES)
def test_a_feed_of_every_profile_obeys_our_own_rules(profile: str) -> None:
    data, _ = write(yml_feed(profile=profile, portal_id={2: 4051}, rz_id={2: 80004}, **ADDRESSES), FULL)
    assert faults(data, ROZETKA if profile == "rozetka" else frozenset()) == []


def test_our_own_rules_see_what_a_broken_feed_does_wrong() -> None:
    data, _ = write(yml_feed(**ADDRESSES), FULL)
    for before, after in (
        (b'parentId="1"', b'parentId="9"'),
        (b"<categoryId>3<", b"<categoryId>4<"),
        (b'<offer id="2"', b'<offer id="1"'),
        (b"<price>222<", b"<price>222,00<"),
        (b"<vendor>TopFace</vendor>", b"<vendor></vendor>"),
        (b"<vendor>TopFace</vendor>", b"<price_old>1</price_old>"),
        (b'date="2026-11-24 02:30"', b'date="24.11.2026"'),
    ):
        assert before in data
        assert faults(data.replace(before, after)) != [], after


@pytest.mark.parametrize("profile", YML_PROFILES)
def test_a_feed_of_every_profile_is_valid_by_the_schema(profile: str) -> None:
    data, _ = write(yml_feed(profile=profile, portal_id={2: 4051}, rz_id={2: 80004}, **ADDRESSES), FULL)
    assert schema_errors(data) == []


if DTD.is_file():  # elsewhere the test is not collected

    @pytest.mark.parametrize("profile", YML_PROFILES)
    def test_a_feed_is_valid_by_the_dtd(profile: str) -> None:
        data, _ = write(yml_feed(profile=profile, portal_id={2: 4051}, rz_id={2: 80004}, **ADDRESSES), FULL)
        assert dtd_errors(data, profile) == []


@pytest.mark.parametrize("profile", ["generic", "prom"])
def test_the_goods_of_a_real_shop_make_a_feed_that_the_schema_takes(profile: str, real: RealNights) -> None:
    raw = read_trs(real.night(NIGHTS[2])).frame
    chosen = raw["category"] > 0
    goods = raw.rename(columns={"good_name": "name"}).assign(
        category_number=raw["category"].where(chosen), hidden=~chosen | raw["display"].eq(0)
    )
    leaves = raw[chosen].drop_duplicates("category")
    rows = zip(leaves["category"].tolist(), leaves["synchronization_section"].tolist(), strict=True)
    tree = categories(*((number, name, None) for number, name in rows))
    data, done = write(yml_feed(profile=profile, **ADDRESSES), conform(goods, OFFERS), tree)
    assert done.offers + sum(done.left_out.values()) == len(raw)
    assert faults(data) == []
    assert schema_errors(data) == []
    assert not DTD.is_file() or dtd_errors(data, profile) == []
    inside = chosen if profile == "prom" else ~goods["hidden"]
    discounted = raw["retail_price_with_discount"] < raw["retail_price"]
    assert data.count(b"<oldprice>") == (discounted & inside).sum() > 0


def test_an_independent_reader_sees_the_same_catalogue() -> None:
    data, _ = write(yml_feed(**ADDRESSES), FULL)
    shop = yandex_market_language.parse(io.BytesIO(data)).shop
    assert [(c.category_id, c.name, c.parent_id) for c in shop.categories] == [
        ("1", "Косметика", None), ("2", "Помади", "1"), ("3", "Набори", None),
    ]  # fmt: skip
    assert [(o.offer_id, o.category_id, o.name, o.price.value, o.available, o.currency) for o in shop.offers] == [
        ("1", "2", "Помада «Ґанок» №5 & <Ко> \"м’яка\" ]]>", 222, True, "UAH"),
        ("2", "2", "Помада №6", 150.8, False, "UAH"),
        ("3", "3", "Набір", 1000, True, "UAH"),
    ]  # fmt: skip
    first = shop.offers[0]
    assert (str(first.old_price), first.vendor, first.vendor_code) == ("370", "TopFace", "А-1")
    assert (first.description, first.url) == ("Рядок 1\nрядок 2", "https://shop.example/?p=1&l=uk")
    assert [(p.name, p.value) for p in first.parameters] == [("Розмір", "3.8"), ("Колір", "001")]


def test_hidden_goods_are_left_out_and_at_prom_unavailable() -> None:
    data, done = write(yml_feed(), FULL)
    assert (done.offers, done.left_out) == (3, {"hidden": 1})
    data, done = write(yml_feed(profile="prom"), FULL)
    assert (done.offers, done.left_out) == (4, {})
    assert offer(data, 4).get("available") == "false"


def test_every_good_that_comes_in_is_in_the_feed_or_counted_with_its_reason() -> None:
    goods = offers(
        {},
        {"hidden": True},
        {"category_number": None},
        {"retail_price": None},
        {"retail_price": 0},
        {"name": "\x01 \x02"},
    )
    _, done = write(yml_feed(), goods)
    assert done.left_out == {"hidden": 1, "without a category": 1, "without a price": 2, "without a name": 1}
    assert done.offers + sum(done.left_out.values()) == len(goods)
    assert "left out, without a price: 2 goods (4, 5)" in done.notes


def test_prom_groups_varieties_of_one_model_and_never_a_good_alone() -> None:
    data, _ = write(yml_feed(profile="prom"), FULL)
    assert [offer(data, i).get("group_id") for i in (1, 2, 3, 4)] == ["500", "500", "501", "501"]
    data, _ = write(yml_feed(profile="prom", hidden="omit"), FULL)
    assert [offer(data, i).get("group_id") for i in (1, 2, 3)] == ["500", "500", None]
    data, _ = write(yml_feed(), FULL)
    assert b"group_id" not in data


def test_categories_bear_the_marketplaces_own_ids() -> None:
    data, done = write(yml_feed(profile="rozetka", rz_id={2: 80004, 77: 1}, portal_id={3: 5}), FULL)
    assert b'<category id="2" parentId="1" rz_id="80004">' in data
    assert b'<category id="3" portal_id="5">' in data
    assert "rz_id: no category 77 in the catalogue" in done.notes
    assert "rz_id: 2 categories with goods have none (1, 3)" in done.notes


def test_rozetka_gets_whole_numbers_of_stock_and_what_is_less_than_one_is_none() -> None:
    goods = offers({"warehouse_quantity": "2.9"}, {"warehouse_quantity": "0.5"}, {"warehouse_quantity": -1}, {})
    data, _ = write(yml_feed(profile="rozetka"), goods)
    shown = [(offer(data, i).get("available"), offer(data, i).findtext("stock_quantity")) for i in (1, 2, 3, 4)]
    assert shown == [("true", "2"), ("false", "0"), ("false", "0"), ("true", "3")]
    data, _ = write(yml_feed(), goods)
    assert [offer(data, i).get("available") for i in (1, 2, 3, 4)] == ["true", "true", "false", "true"]


def test_a_good_whose_stock_is_unknown_is_not_available() -> None:
    data, _ = write(yml_feed(), offers({"warehouse_quantity": None}))
    assert offer(data).get("available") == "false"


@pytest.mark.parametrize(
    ("retail", "lower", "price", "old"),
    [
        (370, 222, "222", "370"),
        (370, 370, "370", None),
        (370, 0, "370", None),
        (370, None, "370", None),
        (370, 400, "370", None),  # a "discount" that raises the price is none
        ("150.80", "99.995", "100", "150.8"),
        ("31.03448276", None, "31.03", None),
        ("0.125", None, "0.13", None),  # half up, as a till does
        ("0.10", None, "0.1", None),
        (1000000, None, "1000000", None),
    ],
)
def test_the_price_is_the_discounted_one_and_the_old_one_stands_beside_it(retail, lower, price, old) -> None:
    data, _ = write(yml_feed(), offers({"retail_price": retail, "retail_price_with_discount": lower}))
    assert (offer(data).findtext("price"), offer(data).findtext("oldprice")) == (price, old)


def test_discounts_can_be_left_out() -> None:
    data, _ = write(yml_feed(discounts=False), FULL)
    assert (offer(data).findtext("price"), offer(data).find("oldprice")) == ("370", None)


def test_rounding_a_price_is_told() -> None:
    _, done = write(yml_feed(), offers({"retail_price": "31.03448276"}))
    assert done.notes == ("retail_price rounded to the kopeck: 1 good (1)",)


def test_what_the_reader_cannot_take_is_mended_and_told() -> None:
    goods = offers({"name": "a\x0b\x0cb\tc", "description": "x\x00y"}, {"name": "слово " * 30})
    data, done = write(yml_feed(profile="prom"), goods)
    assert offer(data, 1).findtext("name") == "a b c"
    assert offer(data, 1).findtext("description") == "x y"
    assert offer(data, 2).findtext("name") == ("слово " * 16).strip()
    assert done.notes == (
        "name: line breaks or control characters became one blank each: 1 good (1)",
        "name cut to 100 characters: 1 good (2)",
        "description: line breaks or control characters became one blank each: 1 good (1)",
    )


def test_a_root_has_no_parent_attribute_not_even_a_zero() -> None:
    data, _ = write(yml_feed(), FULL)
    assert data.count(b"parentId") == 1
    assert b'parentId="0"' not in data


def test_quotes_and_apostrophes_are_escaped_too_as_rozetka_wants() -> None:
    data, _ = write(yml_feed(), offers({"name": "a\"b'c"}))
    assert b"<name>a&quot;b&apos;c</name>" in data


def test_params_are_the_shops_choice_and_numbers_are_written_with_a_point() -> None:
    feed = yml_feed(params={'Ціна "опт"': "wholesale_price", "Стать": "sex"}, vendor="", vendor_code="")
    data, _ = write(feed, offers({"wholesale_price": "12.50", "sex": 2, "pc_name": "X", "articul": "1"}))
    params = [(p.get("name"), p.text) for p in offer(data).findall("param")]
    assert params == [('Ціна "опт"', "12.5"), ("Стать", "2")]
    assert offer(data).find("vendor") is None
    assert offer(data).find("vendorCode") is None


def test_the_same_catalogue_gives_the_same_bytes_whatever_the_size_of_the_pieces(monkeypatch) -> None:
    goods = offers(*({"model_good_id": i // 3, "retail_price": i + 1} for i in range(50)))
    first, done = write(yml_feed(profile="prom"), goods)
    assert write(yml_feed(profile="prom"), goods) == (first, done)
    monkeypatch.setattr("stores.feeds.goods.pieces.__defaults__", (7,))
    assert write(yml_feed(profile="prom"), goods) == (first, done)


def test_only_the_date_differs_when_only_the_date_differs(tmp_path) -> None:
    first, one = write(yml_feed(), FULL)
    second, two = write(yml_feed(), FULL, date=datetime(2027, 1, 2, 3, 4))
    assert first.replace(b"2026-11-24 02:30", b"2027-01-02 03:04") == second
    assert first != second
    assert one.content_sha256 == two.content_sha256
    (tmp_path / "feed.xml").write_bytes(second)
    assert content_sha256(tmp_path / "feed.xml") == one.content_sha256
    _, three = write(yml_feed(), offers({}))
    assert three.content_sha256 != one.content_sha256


def test_a_catalogue_without_a_good_to_sell_makes_no_feed() -> None:
    for goods in (offers({"hidden": True}, {"retail_price": None}), offers({}).iloc[:0]):
        with pytest.raises(StoreError, match="would have no goods") as stop:
            write(yml_feed(), goods)
        assert "the last one stays" in stop.value.message


def test_a_good_in_an_undeclared_category_makes_no_feed() -> None:
    with pytest.raises(StoreError, match=r"goods 2 are in categories that are not declared: 9"):
        write(yml_feed(), offers({}, {"category_number": 9}))


def test_settings_that_cannot_work_are_refused_with_the_closest_word() -> None:
    for keys, word in (
        ({"vendor": "pcname"}, 'did you mean "pc_name"'),
        ({"params": {"Собівартість": "prime_cost"}}, "no field"),
        ({"url": "https://shop.example/{id}"}, "with {good_id} in it"),
        ({"url": "https://shop.example/{good_id.x}"}, "with {good_id} in it"),
        ({"picture": "photos/{good_id}.jpg"}, "starts with https://"),
        ({"shop_url": "shop.example"}, "starts with https://"),
        ({"portal_id": {0: 1}}, "greater than or equal to 1"),
        ({"profile": "hotline"}, "'generic', 'prom' or 'rozetka'"),
        ({"shop_name": " "}, "pattern"),
        ({"vender": "x"}, "Extra inputs"),
    ):
        with pytest.raises(ValueError, match=word.replace("{", r"\{").replace("}", r"\}")):
            yml_feed(**keys)


def test_a_name_of_a_category_is_one_line_and_the_change_is_told() -> None:
    tree = categories((1, "А\nБ", None), (2, "В", 1))
    data, done = write(yml_feed(), offers({}), tree)
    assert '<category id="1">А Б</category>' in data.decode()
    assert done.notes == ("category name: line breaks or control characters became one blank each: 1 name (А Б)",)


def test_a_date_that_no_reader_understands_is_refused() -> None:
    with pytest.raises(SettingsError, match="not a date for a YML file"):
        write(yml_feed(), FULL, TREE, datetime(1, 1, 1))
