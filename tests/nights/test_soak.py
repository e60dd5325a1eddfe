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
