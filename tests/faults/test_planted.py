"""Defects that are planted on purpose: a sweep that does not notice them would prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import engine.apply
import engine.main_path
import files.atomic
import stores.sql
from engine.stages import Applied
from tests.faults.sweep import Effects, fail
from tests.faults.test_broken_nights import Sweep, third  # noqa: F401 - a fixture, found by its name


def noticed(sweep: Sweep, where: Callable[[str], bool]) -> str:
    """What the sweep says of the first place where it finds something wrong; empty where it finds nothing."""
    sweep.tried.clear()  # what was tried without the defect tells nothing of it
    try:
        for place, label in enumerate(sweep.labels, 1):
            if not where(label):
                continue
            folder = sweep.folder()
            try:
                sweep.run_broken(folder, Effects(folder, place, fail))
            except Exception as error:
                if "planted" not in str(error):
                    raise
            try:
                sweep.check(folder, label)
            except AssertionError as error:
                return str(error)
        return ""
    finally:
        sweep.tried.clear()


def some_offers(label: str) -> bool:
    return label.startswith("after execute") and "UPDATE offers" in label


def the_end(label: str) -> bool:
    return "DELETE FROM quarantine" in label


def test_a_store_that_is_written_bit_by_bit_is_noticed(third, monkeypatch):  # noqa: F811
    assert noticed(third, some_offers) == ""
    real = stores.sql._write_group

    def write_group(connection: Any, *args: Any) -> None:
        real(connection, *args)
        connection.connection.dbapi_connection.commit()

    monkeypatch.setattr(stores.sql, "_write_group", write_group)
    assert "web is neither" in noticed(third, some_offers)


def test_a_night_that_is_counted_twice_is_noticed(third, monkeypatch):  # noqa: F811
    assert noticed(third, the_end) == ""
    real = engine.apply.next_tombstones

    def next_tombstones(known: Any, *args: Any) -> Any:
        return real({key: replace(tombstone, last_night="") for key, tombstone in known.items()}, *args)

    monkeypatch.setattr(engine.apply, "next_tombstones", next_tombstones)
    assert "state came out otherwise" in noticed(third, the_end)


def feed(label: str) -> bool:
    return label == "half of write TSGoods.trs.part"


def test_a_file_that_is_written_in_its_place_is_noticed(third, monkeypatch):  # noqa: F811
    assert noticed(third, feed) == ""
    monkeypatch.setattr(files.atomic, "_remove", lambda part: part.replace(part.with_suffix("")))
    assert "site is neither" in noticed(third, feed)


def test_a_state_that_knows_a_load_before_any_store_was_written_is_noticed(third, monkeypatch):  # noqa: F811
    """The settlement first, the stores after it, and no plan for what is loaded already.

    The settlement's statements come first here, so that the place of the feed in a sound night is one within a store.
    """
    assert noticed(third, feed) == ""
    real_plan, real_apply = engine.main_path.make_plan, engine.main_path.apply_plan

    def make_plan(run: Any, decided: Any) -> Any:
        planned = real_plan(run, decided)
        loaded, plan = run.state.loaded(), planned.plan
        if loaded is not None and loaded.catalogue == plan.catalogue:
            stores = tuple(s.model_copy(update={"operations": ()}) for s in plan.stores)
            return replace(planned, plan=plan.model_copy(update={"stores": stores}))
        return planned

    def apply_plan(run: Any, planned: Any) -> None:
        engine.apply.settle(run, Applied(planned, ()), complete=True)
        real_apply(run, planned)

    monkeypatch.setattr(engine.main_path, "make_plan", make_plan)
    monkeypatch.setattr(engine.main_path, "apply_plan", apply_plan)
    assert "came out otherwise" in noticed(third, feed)
