"""Two hundred nights of random edits: every good is accounted for each night, and nothing piles up."""

from __future__ import annotations

import gc
import random
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psutil

import engine.session
from state.database import State
from state.url import state_url
from tests.nights.world import World

NIGHTS = 200
KEEP = 10


def edit(world: World, dice: random.Random, night: int) -> None:
    """A few edits as a shop makes them on a day."""
    for n in range(dice.randint(0, 3)):
        key = 1000 + 10 * night + n
        roll = dice.random()
        if roll < 0.3:
            parent = dice.choice(sorted(world.types))
            section = key if dice.random() < 0.6 else None
            if section is not None:
                world.sections[key] = (dice.choice([1, 2, 3]), f"Розділ {key}", key)
            world.types[key] = (parent, f"Вид {key}", section)
        elif roll < 0.6:
            world.goods[key] = (dice.choice(sorted(world.types)), f"Товар {key}")
        elif roll < 0.7 and len(world.goods) > 30:
            del world.goods[dice.choice(sorted(world.goods))]
        elif roll < 0.8:
            good = dice.choice(sorted(world.goods))
            world.goods[good] = (dice.choice(sorted(world.types)), f"Товар {good}")
        elif roll < 0.9:
            key = dice.choice(sorted(world.sections))
            parent, _, number = world.sections[key]
            world.sections[key] = (parent, f"Назва {night}", number)
        else:
            parents = {row[0] for row in world.types.values()} | {row[0] for row in world.goods.values()}
            leaves = [k for k in world.types if k > 3 and k not in parents]
            if leaves:
                section = world.types.pop(dice.choice(leaves))[2]
                if section is not None and section not in {row[0] for row in world.sections.values()}:
                    del world.sections[section]


def rows_of_runs(state: Path) -> int:
    """Rows that belong to a run, and go with it."""
    with closing(sqlite3.connect(state)) as connection:
        return sum(connection.execute(f"select count(*) from {table}").fetchone()[0]
                   for table in ("runs", "writes_begun", "quarantine"))  # fmt: skip


def sizes_of(world: World) -> dict[str, int]:
    """Rows of each table of the state, and the files of the history."""
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        found = {name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for name in tables}
    return found | {"files": len(list((world.folder / "history").rglob("*")))}


def small_shop(folder: Path) -> World:
    world = World(folder)
    world.settings(retire_after=5, keep_runs=KEEP)
    world.sections = {n: (None if n == 1 else 1, f"Розділ {n}", n) for n in (1, 2, 3)}
    world.types = {n: (None if n == 1 else 1, f"Вид {n}", n) for n in (1, 2, 3)}
    world.goods = {n: (n % 3 + 1, f"Товар {n}") for n in range(1, 41)}
    return world


BEGIN = datetime(2026, 1, 1, 2, 30, tzinfo=timezone(timedelta(hours=2)))


def test_nights_that_all_end_badly_and_plans_that_nobody_applies_pile_up_nothing(tmp_path: Path, monkeypatch):
    """Each is another extract, which a guard stops; what was loaded last, and can be gone back to, stays."""
    world = small_shop(tmp_path / "shop")
    monkeypatch.setattr(engine.session, "now", lambda: BEGIN)
    first = world.sync({})
    assert first.outcome == "ok"
    whole, sizes = dict(world.goods), {}
    for night in range(1, 3 * KEEP + 1):
        monkeypatch.setattr(engine.session, "now", lambda night=night: BEGIN + timedelta(days=night))
        world.goods = {good: (kind, f"{name} {night}") for good, (kind, name) in list(whole.items())[:5]}
        assert world.sync({}).outcome == "guard stop"
        world.goods = {good: (kind, f"{name} {night}") for good, (kind, name) in list(whole.items())[:39]}
        world.plan()
        sizes[night] = sizes_of(world)
    assert sizes[3 * KEEP] == sizes[2 * KEEP] == sizes[KEEP]
    assert sizes[KEEP]["runs"] == KEEP + 2, "the night that was loaded, the run that has just ended, and ten before it"
    world.goods = whole
    assert world.rollback(first.run).outcome == "ok"


def test_the_state_of_a_shop_that_changes_back_and_forth_for_two_years_stays_as_large_as_it_is(
    tmp_path: Path, monkeypatch
):
    """Sections move and change names, goods leave and return: all that is remembered of it ends.

    96 nights, eight days apart.
    """
    world = small_shop(tmp_path / "shop")
    sizes = {}
    for night in range(96):
        monkeypatch.setattr(engine.session, "now", lambda night=night: BEGIN + timedelta(days=8 * night))
        turn = night % 4
        world.sections[3] = (2 if turn == 1 else 1, f"Розділ 3{' новий' * (turn == 2)}", 3)
        world.goods = {n: (n % 3 + 1, f"Товар {n}") for n in range(1, 41) if n > 2 or turn != 3}
        world.goods[99] = (777 if turn == 1 else 1, "Товар 99")  # a type that is not there: rejected
        if turn == 3:
            world.types[4] = (1, "Вид 4", None)
        else:
            world.types.pop(4, None)
        assert world.sync().outcome == "ok"
        sizes[night] = sizes_of(world)
    assert sizes[95] == sizes[95 - 24] == sizes[95 - 36], "the same turn of the same year after year"


def test_two_hundred_nights_account_for_every_good_and_leave_nothing_behind(tmp_path: Path, monkeypatch):
    world = World(tmp_path / "shop")
    world.settings(retire_after=5, keep_runs=KEEP)
    world.sections = {n: (None if n == 1 else 1, f"Розділ {n}", n) for n in (1, 2, 3)}
    world.types = {n: (None if n == 1 else 1, f"Вид {n}", n) for n in (1, 2, 3)}
    world.goods = {n: (n % 3 + 1, f"Товар {n}") for n in range(1, 41)}
    dice = random.Random(7)
    begin = datetime(2026, 1, 1, 2, 30, tzinfo=timezone(timedelta(hours=2)))
    process = psutil.Process()
    ever: set[int] = set()
    sizes = {}
    for night in range(NIGHTS):
        monkeypatch.setattr(engine.session, "now", lambda night=night: begin + timedelta(days=night))
        edit(world, dice, night)
        report = world.sync({"root_vanished": 99, "second_root": 99})
        assert report.outcome == "ok", f"night {night}: {report.message}"
        counts = report.counts
        assert counts["goods_in"] == len(world.goods) == counts["goods_loaded"] + counts["goods_quarantined"]
        ever |= set(world.goods)
        rows = {row["good_id"]: row for row in world.rows("offers")}
        assert set(rows) == ever, "every good that ever was has its row"
        assert {good for good, row in rows.items() if not row["hidden"]} <= set(world.goods)
        if night in (NIGHTS // 2, NIGHTS - 1):
            gc.collect()
            sizes[night] = (
                len(list((world.folder / "history").rglob("*"))),
                len(world.runs()),
                rows_of_runs(world.folder / "state.db"),
                process.num_fds(),
                process.memory_info().rss,
            )
    files, runs, rows_kept, descriptors, memory = zip(*sizes.values(), strict=True)
    assert runs[1] <= KEEP + 1
    assert rows_kept[1] <= 3 * (KEEP + 1), "a run, and a row for each store that it wrote to"
    assert files[1] <= 12 * (KEEP + 1)
    assert descriptors[1] <= descriptors[0]
    assert memory[1] < memory[0] * 1.15, "memory grows"
    state = State(state_url(world.shop), "test")
    try:
        tombstones = {tombstone["key"]: tombstone for tombstone in state.tombstones() if tombstone["entity"] == "offer"}
    finally:
        state.close()
    assert set(tombstones) == ever - set(world.goods)
    retired = {row["good_id"] for row in world.rows("offers") if row["retired"]}
    assert retired <= {key for key, tombstone in tombstones.items() if tombstone["nights"] > 5}
    assert retired
    assert not list(world.folder.rglob("*.part*"))
