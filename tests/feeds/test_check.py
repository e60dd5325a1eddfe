"""Our own rules stop a feed before its first byte: each fault alone, named with what it is about."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from schemas.errors import StoreError
from stores.feeds.check import check_feed
from stores.feeds.yml import write_yml
from tests.feeds.shop import DATE, TREE, categories, offers, yml_feed


@pytest.mark.parametrize(
    ("tree", "fault"),
    [
        (categories((1, "А", None), (1, "Б", None)), "category 1 is there twice"),
        (categories((1, "А", 7)), "category 1: its parent 7 is not among the categories"),
        (categories((2, "Б", 1), (1, "А", None)), "category 2 comes before its parent 1, or they make a loop"),
        (categories((1, "А", 1)), "category 1 comes before its parent 1, or they make a loop"),
        (categories((1, "А", 2), (2, "Б", 1)), "category 1 comes before its parent 2, or they make a loop"),
        (categories((0, "А", None)), "category 0: an id is greater than 0"),
        (categories((1, " \n\x01", None)), "category 1 has an empty name"),
        (TREE.iloc[:0], "there are no categories"),
    ],
)
def test_a_broken_tree_is_named(tree: pd.DataFrame, fault: str) -> None:
    goods = offers({"category_number": None})
    with pytest.raises(StoreError, match=fault) as stop:
        check_feed(tree, goods)
    assert stop.value.exit_code == 4
    assert "the store keeps its last feed" in stop.value.next_step


def test_goods_that_stand_twice_or_without_an_id_are_named() -> None:
    with pytest.raises(StoreError, match="goods are there twice: 5"):
        check_feed(TREE, offers({"good_id": 5}, {"good_id": 5}, {}))
    with pytest.raises(StoreError, match="a good has no id"):
        check_feed(TREE, offers({"good_id": None}))


def test_a_hidden_good_needs_a_declared_category_too() -> None:
    with pytest.raises(StoreError, match="goods 1 are in categories that are not declared: 8"):
        check_feed(TREE, offers({"category_number": 8, "hidden": True}))


def test_many_faults_are_counted_not_listed() -> None:
    with pytest.raises(StoreError) as stop:
        check_feed(categories(*((number, " ", None) for number in range(1, 12))), offers({"category_number": None}))
    assert stop.value.message.count("\n") == 6
    assert "… and 6 more" in stop.value.message


def test_not_a_byte_is_written_before_the_check() -> None:
    stream = io.BytesIO()
    with pytest.raises(StoreError):
        write_yml(stream, TREE, offers({"category_number": 8}), yml_feed(), DATE)
    assert stream.getvalue() == b""
