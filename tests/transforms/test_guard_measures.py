"""Every measure of what is inside the rows, on both sides of its limit."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from schemas.catalogue import Catalogue
from schemas.guards import GUARD_TABLE
from tests.transforms.catalogues import branch, catalogue
from tests.transforms.test_guard_limits import hides
from tests.transforms.test_guard_limits import shown as contents
from transforms.guards import (
    Limits,
    catalogue_violations,
    check_violations,
    drift_violations,
    extract_violations,
    feed_violations,
    first_night_violations,
    night_violations,
    state_violations,
    store_violations,
    told_sentences,
)
from transforms.guards.compare import _close, _limit
from transforms.guards.limits import part, rows_allowed
from transforms.guards.measures import Measure, sellable
from transforms.guards.rows import first_feed_violations

LIMITS = Limits()
TREE = branch(40)
TEN, THIRD, HALF = Fraction(1, 10), Fraction(3, 10), Fraction(1, 2)


def held(size: int, tree: int = 40) -> dict[int, int | None]:
    return {n: n % tree + 2 for n in range(1, size + 1)}


def with_offers(made: Catalogue, **columns: object) -> Catalogue:
    """The catalogue with other values in columns of its offers; a single value is every row's."""
    offers = made.offers.copy()
    for name, values in columns.items():
        every = list(values) if isinstance(values, (list, range)) else [values] * len(offers)
        offers[name] = pd.Series(every, index=offers.index, dtype=object).astype(offers[name].dtype)
    return replace(made, offers=offers)


def shop(size: int, **columns: object) -> Catalogue:
    return with_offers(catalogue(TREE, held(size)), **columns)


def told(before: Catalogue, after: Catalogue, limits: Limits = LIMITS) -> list[tuple[str, str, int, int]]:
    """(guard, level, measured, limit)."""
    return [(v.guard, v.level, v.measured, v.limit) for v in catalogue_violations(after, before, limits)]


# --- limits ---


@pytest.mark.parametrize(
    ("share", "size", "rows"),
    [(0.29, 100, 29), (0.57, 100, 57), (0.1, 30, 3), (1, 7, 7), (0, 9, 0), (0.07, 100, 7), (1e-05, 100_000, 1)],
)
def test_a_share_of_rows_is_what_was_written_and_not_a_row_short(share, size, rows):
    assert part(share, size) == rows


@pytest.mark.parametrize(
    ("share", "size", "limit"),
    [
        (THIRD, 600, 180), (THIRD, 34, 10), (THIRD, 33, 10), (THIRD, 21, 10), (THIRD, 20, 9), (THIRD, 8, 3),
        (THIRD, 2, 0), (THIRD, 1, 0), (THIRD, 0, 0), (HALF, 600, 299), (HALF, 601, 300), (Fraction(0), 600, 0),
        (Fraction(51, 100), 600, 306), (Fraction(51, 100), 8, 4), (Fraction(1), 8, 8), (Fraction(51, 100), 30, 15),
    ],
)  # fmt: skip
def test_few_rows_may_pass_and_never_half_unless_the_shop_says_more(share, size, limit):
    assert rows_allowed(share, size) == limit


def test_one_row_is_one_persons_edit_and_a_share_of_zero_lets_not_even_that_pass():
    assert [rows_allowed(THIRD, size, one=True) for size in (1, 2, 3, 8)] == [1, 1, 1, 3]
    assert rows_allowed(Fraction(0), 8, one=True) == 0


def test_of_a_sparse_column_ten_rows_may_change_but_not_all_of_them():
    assert [rows_allowed(TEN, size, sparse=True) for size in (2, 8, 11, 12, 200)] == [1, 7, 10, 10, 20]
    assert rows_allowed(TEN, 1, sparse=True, one=True) == 1


def test_limits_know_no_other_settings():
    with pytest.raises(TypeError, match="max_anything"):
        Limits(max_anything=1)
    assert Limits().count("max_removed") is None
    assert Limits(max_removed=7).count("max_removed") == 7


# --- prices ---


@pytest.mark.parametrize("price", [200, 50, 0, None, 1000, -5])
@pytest.mark.parametrize(("size", "limit"), [(600, 120), (40, 10), (8, 3)])
def test_a_fifth_of_the_goods_may_lose_or_double_or_halve_their_price(price, size, limit):
    before = shop(size, retail_price=100)
    at = shop(size, retail_price=[price if n < limit else 100 for n in range(size)])
    above = shop(size, retail_price=[price if n <= limit else 100 for n in range(size)])
    assert told(before, at) == []
    assert told(before, above) == [("prices", "stop", limit + 1, limit)]


@pytest.mark.parametrize("price", [Decimal("199.99"), Decimal("50.01"), 108, 100])
def test_a_price_that_changes_by_less_than_twice_or_half_is_a_price(price):
    assert told(shop(40, retail_price=100), shop(40, retail_price=price)) == []


def test_goods_without_a_price_before_and_new_and_lost_goods_do_not_count():
    before = shop(40, retail_price=[100] * 20 + [None] * 20)
    assert told(before, shop(40, retail_price=[100] * 20 + [70] * 20)) == []
    assert told(before, shop(50, retail_price=[100] * 20 + [7] * 30)) == []
    found = told(before, shop(40, retail_price=[None] * 40))
    assert found == [("prices", "stop", 20, 9)]


@pytest.mark.parametrize("field", ["wholesale_price", "retail_price_per_unit", "equal_sale_price"])
def test_every_price_column_is_measured_by_itself(field):
    before = shop(40, retail_price=100, **{field: 50})
    found = catalogue_violations(shop(40, retail_price=100, **{field: 5000}), before, LIMITS)
    assert [v.guard for v in found] == ["prices"]
    assert found[0].message.startswith("40 of 40 goods would lose their ")


def test_a_discount_that_few_goods_have_may_end_but_not_become_a_hundredth():
    few = [50] * 12 + [None] * 28
    before = shop(40, retail_price=100, retail_price_with_discount=few)
    assert told(before, shop(40, retail_price=100)) == []
    cheap = [Decimal("0.5")] * 12 + [None] * 28
    found = told(before, shop(40, retail_price=100, retail_price_with_discount=cheap))
    assert found == [("prices", "stop", 12, 10)]
    every = shop(40, retail_price=100, retail_price_with_discount=100)
    assert told(every, shop(40, retail_price=100)) == [("prices", "stop", 40, 10)], "where most have one it is damage"


def test_a_wholesale_price_that_few_goods_have_may_be_lost_by_ten_of_them():
    before = shop(40, retail_price=100, wholesale_price=[50] * 12 + [None] * 28)
    ten = shop(40, retail_price=100, wholesale_price=[None] * 10 + [50] * 2 + [None] * 28)
    assert told(before, ten) == []
    assert told(before, shop(40, retail_price=100)) == [("prices", "stop", 12, 10)]
    nearly = shop(40, retail_price=100, wholesale_price=[50] * 19 + [None] * 21)
    lost = shop(40, retail_price=100, wholesale_price=[None] * 10 + [50] * 9 + [None] * 21)
    assert told(nearly, lost) == []
    half = shop(40, retail_price=100, wholesale_price=[50] * 20 + [None] * 20)
    lost = shop(40, retail_price=100, wholesale_price=[None] * 10 + [50] * 10 + [None] * 20)
    assert told(half, lost) == [("prices", "stop", 10, 9)], "a column that half of the goods have is not sparse"


# --- stock ---


@pytest.mark.parametrize("stock", [0, None, -3])
@pytest.mark.parametrize(
    ("gone", "found"),
    [(180, []), (181, [("sold_out", "tell", 181, 180)]), (299, [("sold_out", "tell", 299, 180)]),
     (300, [("sold_out", "stop", 300, 299)])],
)  # fmt: skip
def test_stock_that_goes_to_nothing_is_told_above_three_tenths_and_stops_from_half_on(stock, gone, found):
    after = shop(600, warehouse_quantity=[stock if n < gone else 1 for n in range(600)])
    assert told(shop(600, warehouse_quantity=9), after) == found


def test_a_few_goods_in_stock_may_sell_out_but_not_all_of_many():
    before = shop(40, warehouse_quantity=[5] * 3 + [0] * 37)
    assert told(before, shop(40, warehouse_quantity=[5] + [0] * 39)) == []
    assert told(before, shop(40, warehouse_quantity=0)) == [("sold_out", "stop", 3, 2)]
    only = shop(40, warehouse_quantity=[5] + [0] * 39)
    assert told(only, shop(40, warehouse_quantity=0)) == []


def test_what_is_told_stops_nothing_and_needs_no_allowance():
    found = catalogue_violations(
        shop(600, warehouse_quantity=[0] * 200 + [1] * 400), shop(600, warehouse_quantity=9), LIMITS
    )
    assert check_violations(found, {}, "torgsync sync x") == []
    assert told_sentences(found) == [
        "guard «sold_out»: 200 of 600 goods that were in stock would have none (limit 180)"
    ]


# --- names ---


@pytest.mark.parametrize(("size", "limit"), [(600, 30), (40, 10), (8, 3)])
def test_a_twentieth_of_the_names_may_be_unreadable(size, limit):
    before = catalogue(TREE, held(size))
    at = catalogue(TREE, held(size), names={n: "Кр?м" for n in range(1, limit + 1)})
    above = catalogue(TREE, held(size), names={n: "Кр?м" for n in range(1, limit + 2)})
    assert [t for t in told(before, at) if t[0] == "broken_text"] == []
    assert [t for t in told(before, above) if t[0] == "broken_text"] == [("broken_text", "stop", limit + 1, limit)]
    assert told(above, above) == [], "what was unreadable last night is no news"
    assert [t for t in told(above, catalogue(TREE, held(size))) if t[0] == "broken_text"] == []


def test_new_goods_with_unreadable_names_count_as_well():
    before = catalogue(TREE, held(600))
    after = catalogue(TREE, held(640), names={n: "????" for n in range(601, 641)})
    assert told(before, after) == [("broken_text", "stop", 40, 32)]


def test_names_of_sections_are_counted_as_names_of_types_and_goods_are():
    types = {9: (None, "Вид")}
    other = {n: (parent, f"Інше {n}" if 2 <= n <= 13 else name) for n, (parent, name) in TREE.items()}
    before = catalogue(TREE, held(600), types=types)
    assert told(before, catalogue(other, held(600), types=types)) == []
    other[14] = (1, "Інше 14")
    assert told(before, catalogue(other, held(600), types=types)) == [("mass_rename", "stop", 13, 12)]


# --- categories ---


def test_three_tenths_of_the_categories_may_get_another_parent():
    types = {9: (None, "Вид")}
    tree = {1: (None, "Дім"), 2: (1, "А"), 3: (1, "Б"), **{n: (2, f"Розділ {n}") for n in range(4, 42)}}
    before = catalogue(tree, {1: 4}, types=types)

    def moved(count: int) -> Catalogue:
        return catalogue({n: (3 if 4 <= n < 4 + count else up, name) for n, (up, name) in tree.items()}, {1: 4},
                         types=types)  # fmt: skip

    assert told(before, moved(12)) == []
    assert told(before, moved(13)) == [("moved_categories", "stop", 13, 12)]


# --- growth ---


@pytest.mark.parametrize(("size", "limit"), [(600, 300), (40, 20), (8, 10)])
def test_new_goods_may_be_half_of_those_of_the_last_run_or_ten(size, limit):
    before = catalogue(TREE, held(size))
    assert told(before, catalogue(TREE, held(size + limit))) == []
    assert told(before, catalogue(TREE, held(size + limit + 1))) == [("growth", "stop", limit + 1, limit)]


@pytest.mark.parametrize(("size", "limit"), [(600, 299), (40, 19), (8, 3)])
def test_the_same_names_under_new_ids_are_never_half_of_the_goods(size, limit):
    before = catalogue(TREE, held(size))

    def copied(count: int) -> Catalogue:
        names = {size + n: f"Товар {n}" for n in range(1, count + 1)}
        return catalogue(TREE, held(size + count), names=names)

    assert told(before, copied(limit)) == []
    assert ("growth", "stop", limit + 1, limit) in told(before, copied(limit + 1))


def test_a_shop_without_goods_may_grow():
    assert told(catalogue(TREE, {}), catalogue(TREE, held(600))) == []


# --- missing and hidden rows, however small the shop ---


def test_sections_of_the_base_count_as_types_and_goods_do():
    assert [v.message for v in extract_violations({"raw_sections": 60}, {"raw_sections": 78}, LIMITS)] == [
        "the base gave 60 rows of sections, 78 in the last run"
    ]


@pytest.mark.parametrize(("shown", "hidden", "stops"), [(10, 4, False), (10, 5, True), (5, 2, False), (5, 3, True)])
def test_never_half_of_what_a_store_shows_disappears(shown, hidden, stops):
    for entity in ("category", "offer"):
        assert bool(store_violations("web", contents(shown), hides(entity, hidden), LIMITS)) == stops


# --- what no night before is needed for ---


def plain(size: int) -> Catalogue:
    return shop(size, retail_price=100, warehouse_quantity=5)


def first(made: Catalogue) -> list[tuple[str, str, str]]:
    return [(v.guard, v.level, v.message) for v in first_night_violations(made, LIMITS)]


@pytest.mark.parametrize("size", [8, 40, 600])
def test_a_first_night_without_any_price_or_stock_is_told(size):
    assert first(plain(size)) == []
    for nothing in (None, 0):
        assert first(shop(size, retail_price=nothing, warehouse_quantity=5)) == [
            ("first_night", "tell", f"none of {size} goods has a retail price")
        ]
        assert first(shop(size, retail_price=9, warehouse_quantity=nothing)) == [
            ("first_night", "tell", f"none of {size} goods has any stock")
        ]
    one = shop(size, retail_price=[None] * (size - 1) + [1], warehouse_quantity=[0] * (size - 1) + [1])
    assert first(one) == []


def test_a_first_night_whose_goods_are_all_in_one_category_or_hidden_is_told():
    def one(goods: dict[int, int | None], tree: int = 40) -> list[tuple[str, str, str]]:
        return first(with_offers(catalogue(branch(tree), goods), retail_price=9, warehouse_quantity=9))

    every = dict.fromkeys(range(1, 21), 7)
    assert one(every) == [("first_night", "tell", "all 20 goods are in one category, «Розділ 7», of 41")]
    assert one({**every, 21: 8}) == []
    assert one({**every, 21: None}) == []
    assert one({1: 7, 2: 7}) == [], "two goods prove nothing"
    assert first(with_offers(catalogue({1: (None, "Дім")}, dict.fromkeys(range(9), 1)), retail_price=9,
                             warehouse_quantity=9)) == [], "a shop with one category"  # fmt: skip
    hidden = with_offers(catalogue(TREE, dict.fromkeys(range(1, 9))), retail_price=9, warehouse_quantity=9)
    assert first(hidden) == [("first_night", "tell", "none of 8 goods would be shown")]
    assert first(catalogue(TREE, {})) == []


@pytest.mark.parametrize(("broken", "stops"), [(30, False), (31, True)])
def test_unreadable_names_stop_the_first_night_too(broken, stops):
    made = catalogue(TREE, held(600), names={n: "?????? №1" for n in range(1, broken + 1)})
    made = with_offers(made, retail_price=9, warehouse_quantity=9)
    assert (
        first(made)
        == [
            (
                "broken_text",
                "stop",
                f"{broken} of 600 names of goods cannot be read, such as {', '.join(['«?????? №1»'] * 3)}",
            )
        ]
        * stops
    )


def test_a_night_is_compared_with_the_last_one_and_an_older_one_or_is_a_first_one():
    before, dear = plain(600), shop(600, retail_price=500, warehouse_quantity=5)
    assert [v.guard for v in night_violations(dear, before, before, LIMITS)] == ["prices", "drift"]
    assert [v.guard for v in night_violations(dear, before, None, LIMITS)] == ["prices"]
    assert night_violations(before, None, None, LIMITS) == []
    assert [v.guard for v in night_violations(catalogue(TREE, held(9)), None, None, LIMITS)] == ["first_night"] * 2


def test_lost_state_puts_all_goods_at_stake():
    assert state_violations([], 36) == []
    found = state_violations(["the history holds 3 runs", "store web shows 40 categories"], 36)
    assert [(v.guard, v.measured, v.limit) for v in found] == [("lost_state", 36, 0)]
    assert "there were some: the history holds 3 runs; store web shows 40 categories;" in found[0].message


# --- feeds ---


def test_a_feed_shows_goods_with_a_category_a_name_and_a_price():
    goods = with_offers(
        catalogue(TREE, {1: 2, 2: 2, 3: None, 4: 2, 5: 2, 6: 2, 7: 2}, names={5: " "}),
        retail_price=[1, None, 1, 0, 1, Decimal("0.004"), Decimal("0.005")],
    )
    assert sellable(goods.offers) == 2
    assert sellable(goods.offers.assign(hidden=True)) == 0
    one_letter = pd.array(["Ґ"] * len(goods.offers), dtype=goods.offers["name"].dtype)
    assert sellable(goods.offers.assign(name=one_letter)) == 3


@pytest.mark.parametrize("size", [1, 8, 600])
def test_a_feed_that_would_lose_its_last_offer_stops_the_shop(size):
    before, empty = plain(size), shop(size, retail_price=0)
    found = feed_violations(empty, before, ["rozetka", "google"])
    assert [(v.guard, v.store, v.level, v.measured, v.limit) for v in found] == [
        ("empty_feed", "", "stop", size, size - 1)
    ]
    assert found[0].message == (
        f"none of {size} goods is left that a feed can show (store rozetka, google): "
        "each needs a category, a name and a price"
    )
    one = shop(size, retail_price=[1] + [0] * (size - 1))
    assert feed_violations(one, before, ["rozetka"]) == []
    assert feed_violations(empty, before, []) == []
    assert feed_violations(empty, None, ["rozetka"]) == []
    assert feed_violations(empty, empty, ["rozetka"]) == [], "it was empty before: the store itself says so"


# --- drift ---


def drift(before: Catalogue, after: Catalogue, limits: Limits = LIMITS) -> list[tuple[int, int]]:
    return [(v.measured, v.limit) for v in drift_violations(after, before, limits)]


def test_a_week_may_bring_twice_what_a_night_may():
    before = catalogue(TREE, held(600))
    for count, found in ((360, []), (361, [(361, 360)])):
        assert drift(before, catalogue(TREE, held(600), names={n: "x" for n in range(1, count + 1)})) == found
    for count, found in ((240, []), (241, [(241, 240)])):
        after = shop(600, retail_price=[1 if n < count else 100 for n in range(600)])
        assert drift(shop(600, retail_price=100), after) == found
    for count, found in ((600, []), (601, [(601, 600)])):
        assert drift(before, catalogue(TREE, held(600 + count))) == found
    thrice = Limits(drift_factor=3)
    assert drift(before, catalogue(TREE, held(600), names={n: "x" for n in range(1, 542)}), thrice) == [(541, 540)]


def test_a_week_may_take_a_fifth_of_the_goods_and_never_half():
    def kept(size: int, gone: int) -> list[tuple[int, int]]:
        return drift(catalogue(TREE, held(size)), catalogue(TREE, {n: c for n, c in held(size).items() if n > gone}))

    assert kept(600, 120) == []
    assert kept(600, 121) == [(121, 120), (121, 120)], "goods that are gone disappeared as well"
    assert kept(30, 14) == []
    assert kept(30, 15) == [(15, 14), (15, 14)]


def test_goods_that_are_hidden_or_gone_count_together_and_stock_does_not_drift():
    before = shop(600, warehouse_quantity=5)
    after = catalogue(TREE, {n: (None if n <= 61 else c) for n, c in held(540).items()})
    assert drift(before, after) == [(121, 120)]
    assert drift(before, shop(600, warehouse_quantity=0)) == []


def test_where_nothing_may_pass_on_a_night_there_is_no_drift_of_it():
    before, after = catalogue(TREE, held(600)), catalogue(TREE, held(600), names={1: "x"})
    assert drift(before, after, Limits(max_renamed_share=0)) == []


def test_drift_names_the_nights_and_what_changed():
    before = catalogue(TREE, held(600))
    after = catalogue(TREE, held(600), names={n: "x" for n in range(1, 400)})
    (found,) = drift_violations(after, before, LIMITS, nights=5)
    assert (found.guard, found.message) == ("drift", "in 5 nights 399 of 600 goods have another name")


def test_rows_in_another_order_are_the_same_rows():
    before = shop(600, retail_price=range(100, 700), warehouse_quantity=5)
    turned = replace(before, offers=before.offers.iloc[np.arange(600)[::-1]].reset_index(drop=True))
    assert told(before, turned) == []


@pytest.mark.parametrize(("measured", "told"), [(30, False), (31, True), (40, True), (41, False)])
def test_a_measure_is_close_to_its_limit_above_three_quarters_of_it_and_not_above_the_limit(measured, told):
    guards = ("mass_rename", "moved_goods", "moved_categories")
    shares = {guard: Limits().share(GUARD_TABLE[guard].stop.split(", ")[0]) for guard in guards}
    found = [Measure(guard, "goods", measured, math.ceil(40 / share)) for guard, share in shares.items()]
    assert [_limit(each, GUARD_TABLE[each.guard].stop.split(", ")[0], Limits()) for each in found] == [40, 40, 40]
    assert bool(_close(found, Limits())) is told


@pytest.mark.parametrize(("goods", "told"), [(2, False), (3, True)])
def test_a_first_night_whose_goods_are_all_in_one_category_is_told_from_three_goods_on(goods, told):
    found = first_night_violations(catalogue(TREE, dict.fromkeys(range(1, goods + 1), 2)), Limits())
    assert any("in one category" in violation.message for violation in found) is told, found


def test_a_first_night_whose_feed_would_be_empty_stops_with_all_goods_measured():
    empty = with_offers(catalogue(TREE, {1: 2, 2: 2, 3: 2}), retail_price=[None, 0, None])
    (found,) = first_feed_violations(empty, ["market"])
    assert (found.guard, found.level, found.measured, found.limit) == ("empty_feed", "stop", 3, 2)
    assert first_feed_violations(empty, []) == []
    assert first_feed_violations(with_offers(empty, retail_price=[None, 1, None]), ["market"]) == []
