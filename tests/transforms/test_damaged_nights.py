"""Nights near the limits, nights that drift, a damaged real night. Single kinds of damage: tests/nights/damage."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import pytest

from schemas.catalogue import Catalogue
from sources.trs.base import frames_from_trs
from sources.trs.file import read_trs
from tests.pure import registry_after
from tests.real_nights import real  # noqa: F401 - a fixture, found by its name
from tests.transforms.catalogues import branch, catalogue
from tests.transforms.nights import (
    LIMITS,
    SIZES,
    Night,
    after,
    built,
    judged,
    scaled,
    stops,
    tells,
    turned,
    with_column,
)
from transforms.guards import catalogue_violations, drift_violations

Damage = Callable[[Night], Night]


@pytest.mark.parametrize("size", SIZES)
def test_types_whose_parents_are_turned_are_stopped_where_sections_are_made_of_them(size):
    found = after(size, lambda n: n.but(types=turned(n.types, "type_id", "parent_id")), "create")
    assert "moved_categories" in stops(found)


@pytest.mark.parametrize("size", SIZES)
def test_the_same_night_again_passes_in_silence(size):
    assert after(size, lambda night: night) == []


@pytest.mark.parametrize("unmapped", ["inherit", "create"])
def test_a_number_with_its_goods_is_the_same_section_when_it_is_renamed_and_moved(unmapped):
    def change(night: Night) -> Night:
        table = "types" if unmapped == "create" else "sections"
        frame = getattr(night, table)
        key, parent = ("type_id", "parent_id") if unmapped == "create" else ("section_key", "parent_key")
        row = frame.index[frame[key] == 100]
        return night.but(**{table: with_column(with_column(frame, "name", "Нова назва", row), parent, 11, row)})

    assert after(40, change, unmapped) == []


# --- a night just below every limit, and nights that drift ---


def test_a_night_just_below_many_limits_at_once_is_stopped_and_one_below_three_is_told():
    def below(*changes: Damage) -> Damage:
        return lambda night: reduce(lambda n, change: change(n), changes, night)

    def first(n: Night, share: float) -> range:
        return range(int(len(n.goods) * share))

    def dearer(n: Night) -> Night:
        return n.but(goods=scaled(n.goods, "retail_price", "3", first(n, 0.19)))

    def sold(n: Night) -> Night:
        return n.but(goods=scaled(n.goods, "warehouse_quantity", "0", first(n, 0.29)))

    def half_sold(n: Night) -> Night:
        return n.but(goods=scaled(n.goods, "warehouse_quantity", "0", first(n, 0.49)))

    def renamed(n: Night) -> Night:
        return n.but(goods=with_column(n.goods, "good_name", "Інша назва", first(n, 0.29)))

    def hidden(n: Night) -> Night:
        return n.but(goods=with_column(n.goods, "display", 0, first(n, 0.09)))

    assert after(600, below(dearer, renamed)) == []
    assert tells(after(600, below(dearer, renamed, hidden))) == {"close_to_limits"}
    assert stops(after(600, below(dearer, renamed, hidden))) == set()
    assert tells(after(600, below(dearer, renamed, sold))) == set(), "stock that is not close to its limit"
    found = after(600, below(dearer, renamed, hidden, half_sold))
    assert (stops(found), tells(found)) == ({"close_to_limits"}, {"sold_out"})


def _week(nights: list[Catalogue]) -> tuple[set[str], list[str]]:
    """What stops night by night, and what drift says on the last night."""
    nightly = {v.guard for n in range(1, len(nights)) for v in catalogue_violations(nights[n], nights[n - 1], LIMITS)}
    return nightly, [v.message for v in drift_violations(nights[-1], nights[0], LIMITS)]


TREE = branch(40)
HELD = {n: n % 40 + 2 for n in range(1, 601)}


def test_goods_that_go_by_a_twelfth_each_night_are_stopped_by_the_drift_of_the_week():
    kept = list(HELD)
    nights = [catalogue(TREE, HELD)]
    for _ in range(3):
        kept = [good for place, good in enumerate(kept) if place % 12 or place == len(kept) - 1]
        nights.append(catalogue(TREE, {**{good: HELD[good] for good in kept}}))
    assert _week(nights[:3]) == (set(), [])
    nightly, drift = _week(nights)
    assert nightly == set()
    assert drift == [
        "in 7 nights 138 of 600 goods are gone",
        "in 7 nights 138 of 600 goods disappeared",
    ]


def test_names_and_places_that_change_by_less_than_a_third_each_night_are_stopped_by_the_drift_of_the_week():
    def named(nights: int) -> Catalogue:
        return catalogue(TREE, HELD, names={n: f"інше {n}" for n in range(1, 1 + 174 * nights)})

    assert _week([named(0), named(1)]) == (set(), [])
    assert _week([named(0), named(1), named(2)]) == (set(), [])
    assert _week([named(n) for n in range(4)]) == (set(), ["in 7 nights 522 of 600 goods have another name"])

    def moved(nights: int) -> Catalogue:
        return catalogue(TREE, {n: (c % 40 + 3 if n <= 174 * nights and c < 41 else c) for n, c in HELD.items()})

    assert _week([moved(0), moved(1)]) == (set(), [])
    assert _week([moved(0), moved(1), moved(2)]) == (set(), [])
    nightly, drift = _week([moved(n) for n in range(4)])
    assert (nightly, len(drift)) == (set(), 1)
    assert drift[0].endswith("of 600 goods changed their category")


# --- the real night ---


def test_the_real_night_with_unreadable_sections_wrong_prices_and_no_stock_is_stopped(real):  # noqa: F811
    frames = frames_from_trs(read_trs(real.night("2025-02-09")))
    night = Night(frames.product_types, frames.sections, frames.goods)
    before = built(night)
    broken = night.but(
        sections=with_column(night.sections, "name", "????"),
        goods=scaled(scaled(night.goods, "retail_price", "100"), "warehouse_quantity", "0"),
    )
    found = judged(before, built(broken, registry_after(before)))
    assert stops(found) >= {"broken_text", "mass_rename", "prices", "sold_out"}
    told = {violation.guard: violation.message for violation in found if violation.guard != "mass_rename"}
    assert told["broken_text"].startswith("78 of 78 names of sections cannot be read, such as «????»")
