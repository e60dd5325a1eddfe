"""A night that is killed, and then the next night with *another* base: the stores show what they had shown anyway.

A usual run of the tests tries a few moments, TORGSYNC_KILLS=200 as many as that, chosen at random (the seed is fixed).
"""

from __future__ import annotations

import json
import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas.extract import Extract
from sources.trs.file import read_trs
from tests.faults.nights import LAST, SECTIONS, copy, extract, new_shop, reader, run_night, stores
from tests.faults.sweep import Effects, forked, kill, watched
from tests.faults.test_postgresql import rows, shops, watch_copy  # noqa: F401 - a fixture, found by its name
from tests.pure import goods_frame, types_frame

KILLS = int(os.environ.get("TORGSYNC_KILLS", "12"))
CHUNKS = 4
OTHER = LAST + 1


def other_base(*_: Any) -> Extract:
    """The base of the night after: types and goods are new, gone, renamed and moved again."""
    night = extract(LAST)
    types = {row.type_id: (row.parent_id, row.name, row.section_key) for row in night.product_types.itertuples()}
    types |= {3: (8, "Чашки", None), 12: (1, "Таці", None), 14: (11, "Дуже нове", None), 7: (1, "Сезонне", None)}
    del types[9]
    goods = {row.good_id: (row.type_id, row.good_name) for row in night.goods.itertuples() if row.type_id in types}
    goods |= {20: (14, "Товар 20"), 141: (14, "Товар 141"), 71: (7, "Товар 71")}
    del goods[40]
    return Extract(
        types_frame(*((key, *row) for key, row in types.items())),
        SECTIONS,
        goods_frame(*((key, *row) for key, row in goods.items())),
    )


@dataclass(frozen=True)
class Shown:
    """What readers see, each category by its path: a night that was never begun has given no numbers."""

    categories: frozenset[tuple[str, ...]]
    goods: dict[int, tuple[Any, ...]]
    hidden: frozenset[Any]
    redirects: frozenset[tuple[tuple[str, ...], tuple[str, ...]]]
    feed: dict[int, tuple[Any, ...]]

    @classmethod
    def of(cls, web: dict[str, list[dict[str, Any]]], feed: Path) -> Shown:
        def path(row: dict[str, Any]) -> tuple[str, ...]:
            return tuple(json.loads(row["path"]) if isinstance(row["path"], str) else row["path"])

        paths = {row["number"]: path(row) for row in web["categories"]}
        redirects = set()
        for row in web["redirects"]:
            old = row["old_path"]
            redirects.add((tuple(json.loads(old) if isinstance(old, str) else old), paths[row["number"]]))
        living = {row["number"] for row in web["categories"] if not row["hidden"]}
        assert {row["number"] for row in web["redirects"]} <= living, "an old address leads to a category that is shown"
        written = read_trs(feed).frame
        return cls(
            frozenset(paths[number] for number in living),
            {row["good_id"]: (paths.get(row["category_number"]), row["name"], row["retail_price"])
             for row in web["offers"] if not row["hidden"]},
            frozenset([*(path(row) for row in web["categories"] if row["hidden"]),
                       *(row["good_id"] for row in web["offers"] if row["hidden"])]),
            frozenset(redirects),
            {int(good): (paths.get(int(category)), str(name)) for good, category, name in zip(
                written["good_id"], written["category"].fillna(-1), written["good_name"], strict=True)},
        )  # fmt: skip

    def check(self, with_it: Shown, without_it: Shown, told: str) -> None:
        """All that is shown is the same whether the killed night was never begun, or had ended."""
        for part in ("categories", "goods", "feed"):
            assert getattr(self, part) == getattr(with_it, part) == getattr(without_it, part), f"{told}: {part}"
        assert with_it.hidden & without_it.hidden <= self.hidden <= with_it.hidden | without_it.hidden, told
        assert self.redirects <= with_it.redirects | without_it.redirects, told


def shown(folder: Path) -> Shown:
    return Shown.of(stores(folder)["web"], folder / "feed" / "TSGoods.trs")


def next_night(folder: Path) -> None:
    """The night with the other base; the night after that has nothing to do."""
    report = run_night(folder, OTHER, other_base)
    assert report.outcome == "ok", report.message
    again = run_night(folder, OTHER, other_base)
    assert (again.outcome, [name for name in again.plan.values() if name]) == ("ok", []), again.plan


def moments(labels: list[str], kills: int) -> list[int]:
    """Places at random, with the same seed every time."""
    return sorted(random.Random(14).sample(range(1, len(labels) + 1), min(kills, len(labels))))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], Shown, Shown]:
    """A shop before the night, the night's side effects, and the next night's stores with and without it."""
    folder = tmp_path_factory.mktemp("another")
    template = new_shop(folder / "template")
    without_it = copy(template, folder / "without")
    next_night(without_it)
    with_it = copy(template, folder / "with")
    effects = Effects(with_it)
    with watched(effects):
        assert run_night(with_it, LAST, reader(LAST, effects)).outcome == "ok"
    next_night(with_it)
    return template, effects.labels, shown(with_it), shown(without_it)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_killed_night_and_then_another_base_shows_the_same_in_sqlite_and_feed(killed, tmp_path, chunk):
    template, labels, with_it, without_it = killed
    for place in moments(labels, KILLS)[chunk::CHUNKS]:
        folder = copy(template, tmp_path / "shop")
        effects = Effects(folder, place, kill)

        def work(folder: Path = folder, effects: Effects = effects) -> None:
            with watched(effects):
                run_night(folder, LAST, reader(LAST, effects))

        assert forked(work) == -9
        next_night(folder)
        shown(folder).check(with_it, without_it, f"{place} ({labels[place - 1]})")
        shutil.rmtree(folder)


@pytest.mark.server
def test_a_killed_night_and_then_another_base_shows_the_same_in_postgresql(shops):  # noqa: F811
    """State and store are in one PostgreSQL database."""
    labels, broken, _ = shops

    def shown_there(url: str, folder: Path) -> Shown:
        return Shown.of(rows(url), folder / "feed" / "TSGoods.trs")

    url, folder = broken(0)
    next_night(folder)
    without_it = shown_there(url, folder)
    url, folder = broken(len(labels) + 1)
    assert run_night(folder, LAST).outcome == "ok"
    next_night(folder)
    with_it = shown_there(url, folder)
    for place in moments(labels, KILLS // 4):
        url, folder = broken(place)

        def work(folder: Path = folder, place: int = place) -> None:
            effects = Effects(folder, place, kill)
            with pytest.MonkeyPatch.context() as patch, watched(effects):
                watch_copy(effects, patch)
                run_night(folder, LAST, reader(LAST, effects))

        assert forked(work) == -9, f"{place} ({labels[place - 1]})"
        next_night(folder)
        shown_there(url, folder).check(with_it, without_it, f"{place} ({labels[place - 1]})")
        shutil.rmtree(folder)
