"""Checks of raw rows: what is rejected, why, and that nothing else is."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SchemaError
from schemas.reasons import REASONS
from schemas.settings.names import NamesSettings
from schemas.tables import DECIMAL, RAW_GOODS
from tests.pure import decide, goods_frame, sections_frame, types_frame
from transforms.names import clean_name, fault
from transforms.tree import check_tree
from transforms.validate import split_valid

GOODS = goods_frame((1, 1), (2, 2), (3, 3))


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ([(1, None, "А"), (2, 2, "Б"), (3, 2, "В")], {("2", "parent_self"), ("3", "parent_quarantined")}),
        ([(1, None, "А"), (2, 3, "Б"), (3, 2, "В")], {("2", "parent_cycle"), ("3", "parent_cycle")}),
        ([(1, None, "А"), (2, 99, "Б"), (3, 2, "В")], {("2", "parent_unknown"), ("3", "parent_quarantined")}),
        ([(1, None, "А"), (2, 1, "Б"), (2, 1, "В")], {("2", "id_duplicate")}),
        ([(1, None, "А"), (0, None, "Б"), (-3, None, "В")], {("0", "id_not_positive"), ("-3", "id_not_positive")}),
        ([(1, None, "А"), (None, None, "Б")], {("", "id_missing")}),
        ([(1, None, "А"), (2, 1, " \t")], {("2", "name_empty")}),
    ],
)
def test_a_broken_product_type_goes_to_the_quarantine_with_its_reason(types, expected):
    found = {(key, why) for table, key, why in decide(types_frame(*types), sections_frame(), GOODS).reasons
             if table == "raw_product_types"}  # fmt: skip
    assert found == expected


def test_goods_of_broken_types_are_told_apart_from_goods_of_unknown_types():
    result = decide(types_frame((1, None, "А"), (2, 2, "Б")), sections_frame(), GOODS)
    assert {r for r in result.reasons if r[0] == "raw_goods"} == {
        ("raw_goods", "2", "type_quarantined"), ("raw_goods", "3", "type_unknown"),
    }  # fmt: skip


def test_all_copies_of_a_duplicate_good_are_rejected_and_none_is_lost():
    goods = goods_frame((1, 1), (2, 1), (2, 1), (3, None), (None, 1), (4, 1, " "))
    result = decide(types_frame((1, None, "А")), sections_frame(), goods)
    assert result.counts == {"goods_in": 6, "goods_loaded": 1, "goods_quarantined": 5}
    assert list(result.decided.clean.quarantine["row_number"]) == [2, 3, 4, 5, 6]


def test_a_negative_price_is_rejected_and_a_missing_one_is_not():
    goods = goods_frame((1, 1), (2, 1)).assign(retail_price=pd.array(["-0.01", None], dtype=DECIMAL))
    assert ("raw_goods", "1", "price_negative") in decide(types_frame((1, None, "А")), sections_frame(), goods).reasons


def test_a_nul_character_becomes_a_blank_in_any_text_of_a_good_and_line_breaks_stay():
    goods = goods_frame((1, 1, "а\0б"), (2, 1, "\0"), (3, 1)).assign(description=["1\r\n2\t3\x01", None, "x\0"])
    result = decide(types_frame((1, None, "А")), sections_frame(), goods)
    offers = result.catalogue.offers
    assert list(offers["name"]) == ["а б", "good 3"]
    assert list(offers["description"]) == ["1\r\n2\t3\x01", "x "]
    assert result.reasons == {("raw_goods", "2", "name_empty")}
    changes = {(c.table, c.key, c.before, c.after) for c in result.decided.clean.name_changes}
    assert changes == {
        ("raw_goods", 1, "а\0б", "а б"), ("raw_goods", 2, "\0", " "), ("raw_goods", 3, "x\0", "x "),
    }  # fmt: skip


def test_the_reason_of_a_rejected_row_holds_no_nul_character():
    sections = sections_frame((1, None, "А", "1\0"))
    found = decide(types_frame((1, None, "А", 1)), sections, GOODS[:1], unmapped="create").decided.clean.quarantine
    assert not any("\0" in str(cell) for cell in found.to_numpy().ravel())
    assert list(found["reason"]) == ["number_not_integer"]


def test_a_table_of_the_wrong_shape_stops_the_run():
    with pytest.raises(SchemaError, match="raw_goods"):
        split_valid(GOODS.drop(columns=["good_name"]), RAW_GOODS, "good_id")
    with pytest.raises(SchemaError, match="type_id"):
        split_valid(GOODS.assign(type_id="x"), RAW_GOODS, "good_id")


def test_every_reason_that_the_checks_can_give_is_explained():
    schemas = [column for column in RAW_GOODS.columns.values()]
    given = {check.error for column in schemas for check in column.checks}
    assert given <= set(REASONS)


@given(st.text())
def test_a_cleaned_name_is_clean_and_stays_as_it_is(text):
    policy = NamesSettings()
    name = clean_name(text, policy)
    assert clean_name(name, policy) == name
    assert not set(name) & set(policy.forbidden + "\r\n\t")
    assert fault(name, policy) != "name_unusable" or not name


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Flormar ", "Flormar"), ("а;б|в=\"г\"<д>\\", "а б в г д"), ("рядок\r\nдва\tтри", "рядок два три"),
        ("КЕДЫ,КРОССОВКИ", "КЕДЫ,КРОССОВКИ"), ("ґ’№ ₴ (+&!%) й", "ґ’№ ₴ (+&!%) й"), ("\u200bнуль\ufeff", "нуль"),
    ],
)  # fmt: skip
def test_the_names_policy_mends_what_it_says_and_leaves_the_rest(before, after):
    assert clean_name(before, NamesSettings()) == after


@given(st.dictionaries(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 12)), max_size=10))
def test_a_tree_check_places_every_key_once_and_never_hangs(parents):
    checked = check_tree(parents)
    assert sorted([*checked.order, *checked.bad]) == sorted(parents)
    seen: set[int] = set()
    for key in checked.order:
        assert parents[key] is None or parents[key] in seen
        seen.add(key)
