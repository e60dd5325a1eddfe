"""What leaves Torgsoft is hidden, then retired, and comes back as it was; its old address leads somewhere."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import engine.session
from engine.steps import Steps
from tests.nights.world import World

BEGIN = datetime(2026, 3, 1, 2, 30, tzinfo=timezone(timedelta(hours=2)))


class Nights:
    """A shop and its calendar: each ``sync`` is one night later."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.monkeypatch, self.night = world, monkeypatch, 0

    def sync(self, days: int = 1) -> dict[str, dict[str, int]]:
        self.night += days
        self.monkeypatch.setattr(engine.session, "now", lambda: BEGIN + timedelta(days=self.night))
        report = self.world.sync()
        assert report.outcome == "ok", report.message
        return report.plan

    def category(self, number: int) -> dict[str, object]:
        return next(row for row in self.world.rows("categories") if row["number"] == number)

    def redirects(self) -> dict[tuple[str, ...], int]:
        return {tuple(json.loads(row["old_path"])): row["number"] for row in self.world.rows("redirects")}


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    world = World(tmp_path / "shop")
    world.settings(retire_after=3)
    world.sections = {1: (None, "Дім", 1), 2: (1, "Посуд", 2), 3: (2, "Чашки", 3), 4: (2, "Кухлі", 4)}
    world.types = {1: (None, "Дім", 1), 2: (1, "Посуд", 2), 3: (2, "Чашки", 3), 4: (2, "Кухлі", 4)}
    world.goods = {n: (n % 4 + 1, f"Товар {n}") for n in range(1, 13)}
    nights = Nights(world, monkeypatch)
    nights.sync()
    return nights


def close(nights: Nights, key: int) -> tuple[object, object, dict[int, tuple[int, str]]]:
    """Take a leaf type with its section and goods out of the base; returns them."""
    world = nights.world
    goods = {good: row for good, row in world.goods.items() if row[0] == key}
    world.goods = {good: row for good, row in world.goods.items() if row[0] != key}
    return world.types.pop(key), world.sections.pop(key), goods


def test_what_is_absent_is_hidden_at_once_retired_after_the_set_nights_and_then_left_alone(nights):
    close(nights, 4)
    plans = [nights.sync() for _ in range(6)]
    assert plans[0]["web"] == {"category hide": 1, "offer hide": 3}
    assert plans[1]["web"] == plans[2]["web"] == {}
    assert plans[3]["web"] == {"category retire": 1, "offer retire": 3, "redirect redirect": 1}
    assert plans[4]["web"] == plans[5]["web"] == {}
    assert nights.redirects() == {("Дім", "Посуд", "Кухлі"): 2}


def test_several_runs_of_one_night_count_as_one(nights):
    close(nights, 4)
    nights.sync()
    for _ in range(5):
        assert nights.sync(days=0)["web"] == {}


def test_what_reappears_after_retirement_has_its_number_and_rows_again_and_no_redirect(nights):
    before, shown = nights.category(4), nights.world.shown()
    kept = close(nights, 4)
    for _ in range(5):
        nights.sync()
    assert nights.category(4)["retired"]
    nights.world.types[4], nights.world.sections[4] = kept[0], kept[1]
    nights.world.goods |= kept[2]
    plan = nights.sync()["web"]
    assert plan == {"category restore": 1, "offer restore": 3, "redirect unredirect": 1}
    assert nights.category(4) == before
    assert nights.world.shown() == shown
    assert nights.redirects() == {}


def test_a_merged_category_leads_to_where_its_goods_went_and_chains_are_collapsed(nights):
    nights.world.rules("rules:\n  - match: {type_id: 4}\n    do: {merge: {number: 3}}\n    reason: одне й те саме\n")
    assert nights.sync()["web"] == {"category hide": 1, "offer assign": 3, "redirect redirect": 1}
    assert nights.redirects() == {("Дім", "Посуд", "Кухлі"): 3}
    nights.world.sections[3] = (2, "Горнятка", 3)
    nights.sync()
    assert nights.redirects() == {("Дім", "Посуд", "Кухлі"): 3, ("Дім", "Посуд", "Чашки"): 3}
    close(nights, 4)
    close(nights, 3)
    nights.world.rules("")
    for _ in range(6):
        nights.sync()
    assert nights.redirects() == {("Дім", "Посуд", name): 2 for name in ("Кухлі", "Чашки", "Горнятка")}, (
        "what led to a category that was retired leads to its nearest living ancestor"
    )


def test_a_moved_branch_leaves_an_address_for_each_of_its_categories(nights):
    nights.world.sections[2] = (None, "Посуд", 2)
    plan = nights.sync()["web"]
    assert plan["category move"] == 1
    assert nights.redirects() == {
        ("Дім", "Посуд"): 2, ("Дім", "Посуд", "Чашки"): 3, ("Дім", "Посуд", "Кухлі"): 4,
    }  # fmt: skip
    nights.world.sections[2] = (1, "Посуд", 2)
    nights.sync()
    assert set(nights.redirects()) == {("Посуд",), ("Посуд", "Чашки"), ("Посуд", "Кухлі")}, "no loop: living ones win"


def test_an_old_address_is_forgotten_after_the_set_months(nights):
    nights.world.sections[3] = (2, "Горнятка", 3)
    nights.sync()
    assert nights.redirects() == {("Дім", "Посуд", "Чашки"): 3}
    nights.sync(days=300)
    assert nights.redirects() == {("Дім", "Посуд", "Чашки"): 3}
    nights.sync(days=100)
    nights.sync()
    assert nights.redirects() == {}


def test_the_old_address_of_a_retired_category_is_forgotten_for_good(nights):
    path = nights.world.folder / "shop.toml"
    path.write_text(path.read_text().replace("[history]", "[redirects]\nkeep_months = 1\n[history]"))
    close(nights, 4)
    shown = []
    for _ in range(45):
        nights.sync()
        shown.append(bool(nights.redirects()))
    assert shown == [False] * 3 + [True] * 31 + [False] * 11


class Killed(Steps):
    """Dies when ``web`` has its catalogue and the state does not know yet what follows from it."""

    def __call__(self, name: str, *args: Any, **more: Any) -> Any:
        if name == "load site":
            raise KeyboardInterrupt
        return super().__call__(name, *args, **more)


@pytest.mark.parametrize("died", [1, 2])
def test_an_address_that_only_a_run_which_was_broken_off_has_shown_leads_on(nights, died):
    names = ["Горнятка", "Чарки"][:died]
    for name in names:
        nights.world.sections[3] = (2, name, 3)
        assert nights.world.sync(steps=Killed()).outcome == "interrupted"
        assert nights.category(3)["name"] == name
    nights.world.sections[3] = (2, "Склянки", 3)
    nights.sync()
    leads = {("Дім", "Посуд", name): 3 for name in ("Чашки", *names)}
    assert nights.redirects() == leads
    assert nights.sync()["web"] == {}
    assert nights.redirects() == leads


def test_what_only_a_run_which_was_broken_off_has_shown_is_retired_like_all_else(nights):
    nights.world.sections[5], nights.world.types[5] = (2, "Глечики", 5), (2, "Глечики", 5)
    nights.world.goods[40] = (5, "Глечик")
    assert nights.world.sync(steps=Killed()).outcome == "interrupted"
    close(nights, 5)
    plans = [nights.sync()["web"] for _ in range(5)]
    assert plans[0] == {"category hide": 1, "offer hide": 1}
    assert plans[3] == {"category retire": 1, "offer retire": 1, "redirect redirect": 1}
    assert plans[1] == plans[2] == plans[4] == {}
    assert nights.redirects() == {("Дім", "Посуд", "Глечики"): 2}


def test_a_plan_of_a_broken_run_that_cannot_be_read_any_more_stops_no_night(nights):
    nights.world.sections[3] = (2, "Горнятка", 3)
    run = nights.world.sync(steps=Killed()).run
    (nights.world.folder / "history" / "plans" / f"{run}.json").write_text("{}")
    nights.world.sections[3] = (2, "Склянки", 3)
    nights.sync()
    assert nights.redirects() == {("Дім", "Посуд", "Чашки"): 3}


def test_a_rollback_brings_back_exactly_an_earlier_catalogue_and_numbers_survive(nights):
    first = nights.world.runs()[0]["run"]
    shown, feed = nights.world.shown(), nights.world.feed()
    nights.world.sections[5] = (2, "Глечики", 5)
    nights.world.types[5] = (2, "Глечики", 5)
    nights.world.goods[40] = (5, "Глечик")
    close(nights, 4)
    nights.sync()
    later = nights.world.shown()
    report = nights.world.rollback(first)
    assert report.outcome == "ok", report.message
    assert nights.world.shown() == shown
    assert nights.world.feed() == feed
    assert nights.category(5)["hidden"]
    nights.sync()
    assert nights.world.shown() == later, "the next sync brings the base's state again"


def test_a_category_that_gets_another_number_stops_at_a_guard(nights):
    """Marketplaces know a category by its number, and lose its history with it."""
    nights.world.sections[4] = (2, "Кухлі", 44)
    report = nights.world.sync({})
    assert report.exit_code == 3
    assert "«Дім > Посуд > Кухлі» was 4 and is 44" in report.message
    assert nights.world.sync({"renumbered": 1}).outcome == "ok"
