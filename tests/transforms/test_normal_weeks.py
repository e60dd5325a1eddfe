"""Guards must not cry wolf: what happens in a normal week passes in silence, with the defaults."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

import pandas as pd
import pytest

from schemas.catalogue import Catalogue
from schemas.registry import Registry
from schemas.tables import RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, conform
from sources.trs.base import frames_from_trs
from sources.trs.file import read_trs
from tests.pure import registry_after
from tests.real_nights import real  # noqa: F401 - a fixture, found by its name
from tests.transforms.nights import SIZES, Night, after, built, judged, scaled, shop, stops, with_column


def some(night: Night, share: float, seed: int = 7) -> list[int]:
    """Positions of a random share of the goods."""
    count = int(len(night.goods) * share)
    return Random(seed).sample(range(len(night.goods)), count)


def more(night: Night, count: int, first: int, type_id: int, name: str) -> pd.DataFrame:
    """The goods with new ones at the end."""
    new = night.goods.iloc[[0] * count].reset_index(drop=True)
    new = new.assign(good_id=range(first, first + count), type_id=type_id)
    new = with_column(new, "good_name", [f"{name} №{n}" for n in range(first, first + count)])
    return conform(pd.concat([night.goods, new], ignore_index=True), RAW_GOODS)


def everything_dearer(night: Night) -> Night:
    for field in ("retail_price", "wholesale_price", "retail_price_with_discount"):
        night = night.but(goods=scaled(night.goods, field, "1.08"))
    return night


def sale(field: str) -> Callable[[Night], Night]:
    return lambda night: night.but(goods=scaled(night.goods, field, "0.5", some(night, 0.15)))


def stocktaking(night: Night) -> Night:
    rows = some(night, 0.40)
    counted = [Decimal(n % 7) for n in range(len(rows))]  # every seventh is not there at all
    return night.but(goods=with_column(night.goods, "warehouse_quantity", counted, rows))


def new_category(night: Night) -> Night:
    count = min(300, len(night.goods) // 2)
    types = pd.concat(
        [night.types, pd.DataFrame([(900, 10, "Подарункові набори", 900)], columns=list(night.types))],
        ignore_index=True,
    )
    row = pd.DataFrame([(900, 10, "Подарункові набори", "900")], columns=list(night.sections))
    sections = pd.concat([night.sections, row], ignore_index=True)
    return night.but(
        types=conform(types, RAW_PRODUCT_TYPES), sections=conform(sections, RAW_SECTIONS),
        goods=more(night, count, 50_000, 900, "Набір"),
    )  # fmt: skip


def renamed_section(night: Night) -> Night:
    row = night.sections.index[night.sections["section_key"] == 100]
    return night.but(sections=with_column(night.sections, "name", "Креми та мазі", row))


def season_over(night: Night) -> Night:
    return night.but(rules="rules:\n  - {match: {type_id: 101}, do: {exclude: type}, reason: the season is over}\n")


WEEK: dict[str, Callable[[Night], Night]] = {
    "all prices + 8 %": everything_dearer,
    "a sale of - 50 % on 15 % of the goods": sale("retail_price"),
    "the same as a discount": sale("retail_price_with_discount"),
    "stocktaking": stocktaking,
    "a new category of 300 goods": new_category,
    "a renamed section": renamed_section,
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("event", WEEK)
def test_a_normal_event_passes_in_silence(event, size):
    assert after(size, WEEK[event]) == []


@pytest.mark.parametrize("size", [40, 600, 1864])
def test_a_seasons_types_that_a_rule_hides_pass_in_silence(size):
    assert after(size, season_over) == []


def test_the_end_of_a_sale_that_stood_in_a_column_of_discounts_passes_in_silence():
    def discounted(night: Night) -> Night:
        few = some(night, 0.15)
        empty = night.but(goods=with_column(night.goods, "retail_price_with_discount", pd.NA))
        half = [price / 2 for price in night.goods.loc[few, "retail_price"]]
        return empty.but(goods=with_column(empty.goods, "retail_price_with_discount", half, few))

    before = built(discounted(shop(600)))
    over = shop(600).but(goods=with_column(shop(600).goods, "retail_price_with_discount", pd.NA))
    assert judged(before, built(over, registry_after(before))) == []


def night_of(night: Night, random: Random, number: int) -> Night:
    """One more night of an ordinary shop: prices, sales, deliveries, new goods and old ones, edits of names."""
    goods, size = night.goods, len(night.goods)

    def rows(share: float) -> list[int]:
        return random.sample(range(size), int(size * share + random.random()))

    goods = scaled(goods, "retail_price", f"1.{random.randrange(1, 9)}", rows(0.05))
    goods = scaled(goods, "retail_price", "0.9", rows(0.04))
    sold = rows(0.03)
    goods = with_column(goods, "warehouse_quantity", Decimal(0), sold)
    back = [n for n in range(size) if goods["warehouse_quantity"].iloc[n] == 0 and random.random() < 0.4]
    goods = with_column(goods, "warehouse_quantity", Decimal(9), back)
    corrected = rows(0.01)
    names = [f"{goods['good_name'].iloc[n]}*" for n in corrected]
    goods = with_column(goods, "good_name", names, corrected)
    moved = rows(0.01)
    goods = with_column(goods, "type_id", [random.choice(night.types["type_id"].tolist()[-2:]) for _ in moved], moved)
    night = night.but(goods=goods)
    first = int(goods["good_id"].max()) + 1
    types = night.types["type_id"].tolist()
    goods = more(night, int(size * 0.02 * random.random() + random.random()), first, random.choice(types), "Новинка")
    goods = goods.drop(goods.index[[row for row in rows(0.008) if row < size - 3]]).reset_index(drop=True)
    if number % 6 == 5:
        row = [random.randrange(1, len(night.sections))]
        night = night.but(sections=with_column(night.sections, "name", f"Розділ ночі {number}", row))
    return night.but(goods=goods)


@pytest.mark.parametrize(("size", "nights"), [(8, 80), (40, 70), (600, 40), (1864, 10)])
def test_two_hundred_ordinary_nights_are_not_stopped_once(size, nights):
    random = Random(size)
    night = shop(size)
    registry = Registry()
    before = built(night)
    registry = registry_after(before)
    kept: list[Catalogue] = [before.catalogue]
    for number in range(nights):
        night = night_of(night, random, number)
        result = built(night, registry)
        week_ago = kept[-7] if len(kept) >= 7 else None
        found = judged(before, result, registry, week_ago)
        assert found == [], f"night {number}"
        before, registry = result, registry_after(result, registry)
        kept.append(result.catalogue)


def test_the_three_real_nights_pass_but_for_the_number_that_was_used_again(real):  # noqa: F811
    found, before, registry, first = {}, None, Registry(), None
    names: list[str] = []
    for name in ("06", "07", "09"):
        frames = frames_from_trs(read_trs(real.night(f"2025-02-{name}")))
        names.append(frames.sections.loc[frames.sections["number"] == "78", "name"].item())
        result = built(Night(frames.product_types, frames.sections, frames.goods), registry)
        if before is not None:
            found[name] = judged(before, result, registry, first)
        else:
            first = result.catalogue
        before, registry = result, registry_after(result, registry)
    assert stops(found["07"]) == {"number_reused"}
    assert [v.message for v in found["07"]] == [
        f"section numbers mean another section than in the last run: 78 was «{names[0]}» and is «{names[1]}»"
    ]
    assert found["09"] == []
