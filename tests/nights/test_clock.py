"""The machine's clock is wrong, or goes back: runs keep their order, nothing is lost, and the report says so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest

import engine.session
from engine.runs.find import find_run, run_of_night
from schemas.report import RunReport
from state.database import Confirmed, State
from state.url import state_url
from tests.nights.world import World

BEGIN = datetime(2026, 3, 1, 2, 30, tzinfo=timezone(timedelta(hours=2)))
CUPS = ("Дім", "Чашки")


class Clock:
    """A shop, and the clock of its machine: each ``run`` begins so many days after BEGIN."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.monkeypatch = world, monkeypatch

    def at(self, moment: datetime) -> RunReport:
        self.monkeypatch.setattr(engine.session, "now", lambda: moment)
        report = self.world.sync()
        assert report.outcome == "ok", report.message
        return report

    def run(self, day: int) -> RunReport:
        return self.at(BEGIN + timedelta(days=day))

    def redirects(self) -> set[tuple[str, ...]]:
        return {tuple(json.loads(row["old_path"])) for row in self.world.rows("redirects")}


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    world = World(tmp_path / "shop")
    world.settings(keep_runs=2)
    world.sections = {1: (None, "Дім", 1), 2: (1, "Чашки", 2)}
    world.types = {1: (None, "Дім", 1), 2: (1, "Чашки", 2)}
    world.goods = {n: (n % 2 + 1, f"Товар {n}") for n in range(1, 13)}
    return Clock(world, monkeypatch)


def renamed(clock: Clock, name: str) -> None:
    clock.world.sections[2] = (1, name, 2)


def test_one_run_with_a_clock_that_is_years_ahead_costs_no_old_address_and_is_told(clock):
    clock.run(0)
    renamed(clock, "Горнятка")
    clock.run(1)
    ahead = clock.run(5000)
    assert clock.redirects() == {CUPS}
    assert [text[:30] for text in ahead.warnings] == ["the clock went 4999 days ahead"]
    assert clock.run(2).plan["web"] == {}
    assert clock.redirects() == {CUPS}


def test_what_nights_with_a_clock_that_is_years_ahead_made_expire_leads_on_when_the_clock_is_right(clock):
    clock.run(0)
    renamed(clock, "Горнятка")
    clock.run(1)
    for day in (5000, 5001, 5002):
        clock.run(day)
    assert clock.redirects() == set()
    clock.run(5)
    assert clock.redirects() == {CUPS}
    for day in (33, 66, 99, 360):
        clock.run(day)
    assert clock.redirects() == {CUPS}
    clock.run(362)
    clock.run(363)
    assert clock.redirects() == set(), "the months count from the night on which it was left"


def test_an_address_that_is_left_while_the_clock_is_years_behind_is_not_too_old_when_it_is_right(clock):
    clock.run(0)
    renamed(clock, "Горнятка")
    clock.run(-5000)
    for day in (1, 2):
        clock.run(day)
    assert clock.redirects() == {CUPS}


def test_a_run_whose_clock_went_back_is_the_newest_and_stays_on_record_with_what_it_rejected(clock):
    for day in (100, 101, 102):
        renamed(clock, f"Чашки {day}")
        clock.run(day)
    clock.world.goods[99] = (2, "Хибний")
    clock.world.prices[99] = "-1"
    back = clock.run(0)
    # 02:30 at two hours from UTC is 03:30 in the summer of Kyiv
    assert back.warnings[0].startswith("the clock went back: the run before this one, 20260611-033000")
    assert "began 2026-06-11 03:30, this one 2026-03-01 02:30" in back.warnings[0]
    rows = clock.world.runs()
    assert [row["run"][:8] for row in rows] == ["20260301", "20260611", "20260610"]
    assert find_run(clock.world.shop, "last")["run"] == rows[0]["run"] == back.run
    state = State(state_url(clock.world.shop), "test")
    try:
        assert [row["row_key"] for row in state.quarantine(back.run)] == ["99"]
    finally:
        state.close()
    clock.world.prices[99] = "1"
    assert clock.run(1).warnings == [], "it is told once"
    assert [row["run"][:8] for row in clock.world.runs()] == ["20260302", "20260301", "20260611"]


def test_what_was_loaded_last_stays_on_record_however_many_runs_end_ok_after_it(clock):
    """The age of old addresses goes by its night."""
    first = clock.run(0)
    state = State(state_url(clock.world.shop), "test")
    try:
        for n in (1, 2, 3):
            report = RunReport(run=f"later-{n}", shop="test", started_at=f"2026-03-0{n + 1}T02:30:00.000+02:00")
            state.start_run(report)
            report.outcome = "ok"
            state.finish_run(report, pd.DataFrame())
        for store in ("web", "site"):
            state.confirm(store, Confirmed("later-3", "", {}))
        state.forget(1)
        assert [row["run"] for row in state.runs()] == ["later-3", first.run]
    finally:
        state.close()


def test_runs_keep_their_order_where_summer_time_ends(clock):
    older = clock.at(datetime.fromisoformat("2026-10-25T03:30:00+03:00"))
    newer = clock.at(datetime.fromisoformat("2026-10-25T03:15:00+02:00"))
    assert [row["run"] for row in clock.world.runs()] == [newer.run, older.run]
    assert find_run(clock.world.shop, "last")["run"] == newer.run
    assert newer.warnings == [], "its clock went on by 45 minutes"


def test_a_month_between_two_runs_is_a_pause_and_more_is_told(clock):
    clock.run(0)
    assert clock.run(31).warnings == []
    told = clock.run(31 + 36).warnings
    assert "the clock went 36 days ahead" in told[0]
    assert "put the machine's clock right" in told[0]


def test_a_run_belongs_to_the_night_of_the_shop_whatever_the_machines_time_zone(clock):
    """At 00:30 in Kyiv it is still the day before in UTC, which is what many servers keep."""
    report = clock.at(datetime(2026, 1, 9, 22, 30, 15, tzinfo=UTC))
    assert report.started_at == "2026-01-10T00:30:15.000+02:00"
    assert report.run.startswith("20260110-003015-")
    assert report.finished_at.endswith("+02:00")
    assert run_of_night(clock.world.shop, date(2026, 1, 10)) == report.run
