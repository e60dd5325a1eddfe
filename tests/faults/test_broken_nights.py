"""A night can be broken off anywhere: the next run brings every store to where an unbroken night had brought it.

P3, proved by breaking a night that does every kind of operation at each of its side effects in turn.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from schemas.report import RunReport
from tests.faults.nights import LAST, OPERATIONS, copy, disk, everything, new_shop, reader, run_night, stores
from tests.faults.sweep import Effects, fail, forked, kill, watched

CHUNKS = 6
"""Parts of a sweep, so that several workers share it."""

STEP = int(os.environ.get("TORGSYNC_SWEEP_STEP", "8"))
"""Errors are planted at every side effect, always. Kills and signals cost a process each: at every eighth one in a
usual run of the tests, at each with TORGSYNC_SWEEP_STEP=1 (before a release, and after a change of the main path).
"""


def once(label: str) -> bool:
    """After one effect the disk is what it is before the next: whoever is killed there has been killed once already."""
    return not label.startswith("after")


def distinct(labels: list[str]) -> list[int]:
    """The places at which an error is another one than at an earlier place; all in the long run.

    A statement that fails after its work is to its caller one that fails before it: its transaction is rolled back. The
    same query twice, without a write in between, fails the same. A savepoint fails as the statement that it surrounds.
    """
    if STEP == 1:
        return list(range(1, len(labels) + 1))
    found, read = [], set[str]()
    for place, label in enumerate(labels, 1):
        if label.startswith(("after execute", "before execute SAVEPOINT", "before execute RELEASE")):
            continue
        query = label.startswith(("before execute SELECT", "before execute PRAGMA"))
        if query and label in read:
            continue
        read = read | {label} if query else set()
        found.append(place)
    return found


@dataclass
class Sweep:
    """A shop before the night that is broken, and what an unbroken night makes of it."""

    template: Path
    scratch: Path
    night: int
    before: dict[str, Any]
    after: dict[str, Any]
    report: RunReport
    labels: list[str]
    tried: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, night: int, **shop: Any) -> Sweep:
        template = new_shop(folder / "template", nights=night, **shop)
        unbroken = copy(template, folder / "unbroken")
        effects = Effects(unbroken)
        with watched(effects):
            report = run_night(unbroken, night, reader(night, effects))
        assert report.outcome == "ok", report.message
        return cls(template, folder / "broken", night, stores(template), everything(unbroken), report, effects.labels)

    def chunk(self, number: int, wanted: Callable[[str], bool] | None = None, step: int = 1) -> list[int]:
        """Every N that a part of the sweep breaks off at: the distinct ones, or those that are wanted."""
        labels = enumerate(self.labels, 1)
        places = distinct(self.labels) if wanted is None else [n for n, label in labels if wanted(label)][::step]
        size = -(-len(places) // CHUNKS)
        return places[number * size : (number + 1) * size]

    def folder(self) -> Path:
        shutil.rmtree(self.scratch, ignore_errors=True)
        return copy(self.template, self.scratch)

    def run_broken(self, folder: Path, effects: Effects) -> RunReport:
        with watched(effects):
            return run_night(folder, self.night, reader(self.night, effects))

    def check(self, folder: Path, place: str) -> None:
        """Each store is as it was or as it shall be, and the next run makes everything as it shall be."""
        found = stores(folder)
        for store, content in found.items():
            assert content in (self.before[store], self.after["stores"][store]), f"{place}: {store} is neither"
        lies_there = disk(folder)
        if lies_there not in self.tried:  # the next run does the same from the same
            report = run_night(folder, self.night)
            assert report.outcome == "ok", f"{place}: {report.message}"
            now = everything(folder)
            for part, wanted in self.after.items():
                assert now[part] == wanted, f"{place}: {part} came out otherwise"
            self.tried[lies_there] = place


@pytest.fixture(scope="module")
def third(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """The night that does every kind of operation."""
    return Sweep.of(tmp_path_factory.mktemp("third"), LAST)


def test_the_night_that_is_broken_does_every_kind_of_operation(third):
    assert {name for operations in third.report.plan.values() for name in operations} == OPERATIONS
    kinds = {label.split()[1] for label in third.labels}
    assert kinds >= {"execute", "executemany", "commit", "open", "replace", "mkdir", "parquet", "of", "unlink"}
    assert len(third.labels) > 250


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_an_error_at_any_side_effect_leaves_each_store_whole_and_the_next_run_makes_it_good(third, chunk):
    for place in third.chunk(chunk):
        folder = third.folder()
        effects = Effects(folder, place, fail)
        told = f"{place} ({third.labels[place - 1]})"
        try:
            report = third.run_broken(folder, effects)
        except Exception as error:
            if "planted" not in str(error):  # what is planted and not ours passes through
                raise
        else:
            if report.outcome == "ok":  # a failure that the run can do without
                assert stores(folder) == third.after["stores"], told
        third.check(folder, told)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_kill_9_at_any_side_effect_leaves_each_store_whole_and_the_next_run_makes_it_good(third, chunk):
    for place in third.chunk(chunk, once, STEP):
        folder = third.folder()
        effects = Effects(folder, place, kill)
        assert forked(lambda f=folder, e=effects: third.run_broken(f, e)) == -9
        third.check(folder, f"{place} ({third.labels[place - 1]})")
