"""Going back, and going on, touch the stores that they are for, and only with what was once in a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import engine.session
from engine.context import RunOptions
from engine.main_path import sync
from engine.runs.resume import apply_file, resume, retry
from engine.runs.rollback import rollback
from engine.steps import Steps
from schemas.errors import SettingsError
from state.history import History, read_plan
from tests.nights.world import ALL, World

TWO = "".join(f'[[stores]]\nname = "{name}"\nkind = "sql"\nurl = "sqlite:///{name}.db"\n' for name in ("web", "two"))
MERGE = """rules:
  - match: {type_id: 4}
    do: {merge: {number: 3}}
    reason: на полиці кухлі лежать з чашками
    only_store: two
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two SQL stores; each run is an hour later than the one before."""
    hours = iter(range(1000))
    begin = datetime(2026, 3, 1, 2, 30, tzinfo=timezone(timedelta(hours=2)))
    monkeypatch.setattr(engine.session, "now", lambda: begin + timedelta(hours=next(hours)))
    world = World(tmp_path / "shop")
    world.settings(stores=TWO)
    world.sections = {n: (None if n == 1 else 1, f"Розділ {n}", n) for n in range(1, 5)}
    world.types = {n: (None if n == 1 else 1, f"Вид {n}", n) for n in range(1, 5)}
    world.goods = {n: (n % 4 + 1, f"Товар {n}") for n in range(1, 37)}
    assert world.sync({}).outcome == "ok"
    return world


def names(world: World, store: str) -> dict[int, str]:
    """The goods that a store shows."""
    return {good: name for good, (name, _) in goods(world, store).items()}


def goods(world: World, store: str) -> dict[int, tuple[str, int]]:
    with closing(sqlite3.connect(world.folder / f"{store}.db")) as connection:
        rows = connection.execute("select good_id, name, category_number from offers where not hidden and managed")
        return {good: (name, category) for good, name, category in rows}


def test_a_rollback_never_brings_back_what_a_guard_kept_out_of_the_stores(world):
    good = world.runs()[0]["run"]
    true = dict(world.goods), dict(world.types)
    world.goods = {key: (kind, name.encode().decode("latin1")) for key, (kind, name) in world.goods.items()}
    world.types = {key: (up, name.encode().decode("latin1"), s) for key, (up, name, s) in world.types.items()}
    stopped = world.sync({})
    assert stopped.exit_code == 3
    with pytest.raises(SettingsError, match=r"\(guard stop\) was not loaded into any store") as refused:
        rollback(world.shop, stopped.run, RunOptions(ALL))
    assert good in refused.value.next_step
    assert rollback(world.shop, "last", RunOptions(ALL)).continues == good, "the last that is in a store"
    world.goods, world.types = true
    assert names(world, "web") == {key: name for key, (_, name) in world.goods.items()}


def test_a_rollback_goes_back_behind_a_run_that_only_some_stores_took(world):
    world.goods[1] = (2, "Друга назва")
    whole = world.down("two")
    partly = world.sync({})
    assert partly.exit_code == 4
    (world.folder / "two.db").write_bytes(whole)
    world.goods[1] = (2, "Третя назва")
    assert world.sync({}).outcome == "ok"
    assert world.rollback(partly.run).outcome == "ok"
    assert names(world, "web")[1] == names(world, "two")[1] == "Друга назва"


def test_a_good_that_was_in_the_quarantine_that_night_is_after_a_rollback_as_it_was_then(world):
    world.goods[99], world.prices[99] = (2, "Новий"), "-1"
    night = world.sync({})
    assert (night.outcome, 99 in names(world, "web")) == ("ok", False), night.message
    world.prices[99] = "5"
    assert world.sync({}).outcome == "ok"
    assert 99 in names(world, "web")
    assert world.rollback(night.run).outcome == "ok"
    assert 99 not in names(world, "web")
    assert 99 not in names(world, "two")


def test_a_rollback_to_a_run_for_one_store_leaves_the_others_as_they_are(world):
    world.rules(MERGE)
    assert world.sync().outcome == "ok"
    world.goods[1] = (2, "Друга назва")
    for_web = sync(world.shop, read=world.extract, options=RunOptions(ALL, ("web",)))
    world.goods[1] = (2, "Третя назва")
    assert world.sync().outcome == "ok"
    before = goods(world, "two")
    report = world.rollback(for_web.run)
    assert report.outcome == "ok", report.message
    assert names(world, "web")[1] == "Друга назва"
    assert goods(world, "two") == before
    assert any("was for web only: two stays as it is" in warning for warning in report.warnings)


def test_a_rollback_to_a_run_that_a_retry_completed_is_for_every_store(world):
    """The retry is the last run of its night that every store took; its report names the repeated store alone."""
    world.goods[1] = (2, "Друга назва")
    whole = world.down("two")
    assert world.sync({}).exit_code == 4
    (world.folder / "two.db").write_bytes(whole)
    completed = retry(world.shop, "last")
    world.goods[1] = (2, "Третя назва")
    assert world.sync({}).outcome == "ok"
    assert world.rollback(completed.run).outcome == "ok"
    assert names(world, "web")[1] == names(world, "two")[1] == "Друга назва"


def test_a_rollback_to_a_run_for_one_store_stays_that_when_older_runs_are_forgotten(world):
    world.settings(stores=TWO, keep_runs=3)
    assert world.sync({}).outcome == "ok"
    world.goods[1] = (2, "Друга назва")
    for_web = sync(world.shop, read=world.extract, options=RunOptions(ALL, ("web",)))
    for n in range(3):
        world.goods[1] = (2, f"Назва {n}")
        assert world.sync({}).outcome == "ok"
    assert for_web.run == world.runs()[-1]["run"], "older ones are forgotten"
    assert world.rollback(for_web.run).outcome == "ok"
    assert (names(world, "web")[1], names(world, "two")[1]) == ("Друга назва", "Назва 2")


def test_a_rollback_to_a_run_for_a_store_that_is_gone_from_the_settings_touches_no_other(world):
    for_web = sync(world.shop, read=world.extract, options=RunOptions(ALL, ("web",)))
    world.settings(stores=TWO.replace('name = "web"', 'name = "new"').replace("web.db", "new.db"))
    world.goods[1] = (2, "Друга назва")
    assert world.sync().outcome == "ok"
    report = world.rollback(for_web.run)
    assert (report.exit_code, names(world, "two")[1]) == (2, "Друга назва")
    assert "was for web only, which the shop no longer has" in report.message


def test_a_rollback_may_go_to_a_run_that_was_killed_after_a_store_had_taken_it(world):
    world.goods[1] = (2, "Друга назва")

    class Killed(Steps):
        def __call__(self, name: str, function: Any, *args: Any, **kwargs: Any) -> Any:
            if name == "load two":
                raise KeyboardInterrupt
            return super().__call__(name, function, *args, **kwargs)

    killed = world.sync({}, Killed())
    with closing(sqlite3.connect(world.folder / "state.db")) as connection, connection:
        connection.execute("update runs set report = null where run = ?", (killed.run,))  # as kill -9 leaves it
    world.goods[1] = (2, "Третя назва")
    assert world.sync({}).outcome == "ok"
    assert world.rollback(killed.run).outcome == "ok"
    assert names(world, "web")[1] == names(world, "two")[1] == "Друга назва"


def test_a_plan_is_applied_to_the_stores_that_can_be_reached_and_the_other_is_told(world):
    world.goods[1] = (2, "Друга назва")
    world.plan()
    whole = world.down("two")
    report = apply_file(world.shop, world.folder / "output" / "plan.json")
    outcomes = {store.name: store.outcome for store in report.stores}
    assert (report.exit_code, outcomes) == (4, {"web": "ok", "two": "failed"})
    assert names(world, "web")[1] == "Друга назва"
    (world.folder / "two.db").write_bytes(whole)
    assert retry(world.shop, "last").outcome == "ok"
    assert names(world, "two")[1] == "Друга назва"


def test_the_plan_of_a_retry_shows_what_the_store_that_had_failed_got(world):
    world.goods[1] = (2, "Друга назва")
    whole = world.down("two")
    assert world.sync({}).exit_code == 4
    (world.folder / "two.db").write_bytes(whole)
    report = retry(world.shop, "last")
    assert report.outcome == "ok", report.message
    plan = read_plan(world.folder / "output" / "plan.json")
    two = next(store for store in plan.stores if store.store == "two")
    assert (two.error, len(two.operations)) == ("", 1), "the store was read now, and got its rename"
    kept = History(world.folder / "history").plan(report.run)
    assert kept is not None
    assert kept.to_json() == plan.to_json()


def test_a_retry_asks_nothing_of_a_store_that_it_need_not_touch(world):
    world.goods[1] = (2, "Друга назва")
    whole = world.down("two")
    assert world.sync({}).exit_code == 4
    (world.folder / "two.db").write_bytes(whole)
    world.down("web")
    report = retry(world.shop, "last")
    assert report.outcome == "ok", report.message
    assert names(world, "two")[1] == "Друга назва"


def test_a_resume_brings_the_stores_up_to_date_that_can_be_reached(world):
    world.goods[1] = (2, "Друга назва")

    class Interrupted(Steps):
        def __call__(self, name: str, function: Any, *args: Any, **kwargs: Any) -> Any:
            if name == "load web":
                raise KeyboardInterrupt
            return super().__call__(name, function, *args, **kwargs)

    assert world.sync({}, Interrupted()).outcome == "interrupted"
    world.down("two")
    report = resume(world.shop, "last")
    assert report.exit_code == 4
    assert names(world, "web")[1] == "Друга назва"
