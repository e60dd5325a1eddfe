"""One suite of promises for every kind of store (tests/stores/bench.py lists them)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.steps import Steps
from schemas.plan import KINDS
from state.database import State
from state.url import state_url
from stores.protocol import Capabilities
from tests.nights.world import Broken, World
from tests.stores.bench import STORES, Bench, Categories, Offers

NASTY = "ґ є і ї ’ № & < > \" ' Їжак"


@dataclass
class Shop:
    """A small shop with one store; ``wanted`` is what its visitors must see."""

    world: World
    bench: Bench
    progress: list[tuple[str, int, int]] = field(default_factory=list)
    report: Any = None

    def sync(self) -> dict[str, int]:
        report = self.report = self.world.sync(steps=Steps(progress=lambda *told: self.progress.append(told)))
        assert report.outcome == "ok", report.message
        return report.plan["store"]

    def wanted(self) -> tuple[Categories, Offers]:
        sections, types = self.world.sections, self.world.types
        categories = {n: (name, None if p is None else sections[p][2]) for p, name, n in sections.values()}
        offers = {g: (sections[types[t][2]][2], name) for g, (t, name) in self.world.goods.items() if types[t][2]}
        return categories, offers

    def check(self) -> None:
        categories, offers = self.bench.look()
        wanted = self.wanted()
        if categories is not None:
            assert categories == wanted[0]
        if self.bench.kind == "google":  # it tells paths instead of numbers
            assert {g: name for g, (_, name) in offers.items()} == {g: name for g, (_, name) in wanted[1].items()}
        else:
            assert offers == wanted[1]


@pytest.fixture(params=STORES)
def shop(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    world = World(tmp_path / "shop")
    world.folder.mkdir()
    bench = STORES[request.param](world.folder, request)
    for name, value in bench.environment.items():
        monkeypatch.setenv(name, value)
    world.settings(retire_after=1, stores=f'[[stores]]\nname = "store"\n{bench.settings}')
    world.sections = {1: (None, "Дім", 1), 2: (1, "Посуд", 2), 3: (2, "Чашки", 3), 4: (1, "Текстиль", 4)}
    world.types = {n: (None if n == 1 else 1, name, n) for n, (_, name, _) in world.sections.items()}
    world.goods = {n: (n % 4 + 1, f"Товар {n}") for n in range(1, 21)}
    world.prices = dict.fromkeys(range(1, 100), "10.50")
    return Shop(world, bench)


def leave_out(world: World, key: int) -> Any:
    goods = {good: row for good, row in world.goods.items() if row[0] == key}
    world.goods = {good: row for good, row in world.goods.items() if row[0] != key}
    return world.types.pop(key), world.sections.pop(key), goods


def test_a_first_load_creates_everything_and_a_second_writes_nothing(shop):
    first = shop.sync()
    assert first["category create"] == 4
    assert first["offer create"] == 20
    shop.check()
    if shop.bench.kind in ("sql", "opencart", "woocommerce"):  # a feed's file is made in one go
        done = [part for step, part, total in shop.progress if (step, total) == ("load store", 24)]
        assert len(done) == len(shop.progress) > 1
        assert done == sorted(done)
        assert done[-1] == 24
    image = shop.bench.image()
    with shop.bench.fault(1):
        assert shop.sync() == {}, "any write would break here"
    assert shop.bench.image() == image


def test_a_rename_keeps_the_stores_own_id(shop):
    shop.sync()
    ids = shop.bench.ids() if shop.bench.ids else None
    shop.world.sections[2] = (1, "Посуд і кухня", 2)
    shop.world.goods[1] = (shop.world.goods[1][0], "Товар 1, новий")
    plan = shop.sync()
    assert plan["category rename"] == 1
    assert plan["offer update"] == 1
    shop.check()
    assert (shop.bench.ids() if shop.bench.ids else None) == ids
    assert shop.sync() == {}


def test_a_branch_moves_with_all_below_it(shop):
    shop.sync()
    shop.world.sections[2] = (4, "Посуд", 2)
    assert shop.sync()["category move"] == 1
    shop.check()
    assert set(shop.report.gaps["store"]) == shop.bench.gaps
    told = [text for text in shop.report.warnings if "does not redirect 2 addresses" in text]
    assert len(told) == ("redirect" in shop.bench.gaps), "what it cannot do is told on the night on which it matters"
    assert shop.sync() == {}


def test_parents_come_before_children_even_where_a_new_parent_has_a_greater_number(shop):
    shop.sync()
    shop.world.sections[9] = (4, "Новий", 9)
    shop.world.types[9] = (1, "Новий", 9)
    shop.world.sections[5] = (9, "Під новим", 5)
    shop.world.types[5] = (9, "Під новим", 5)
    shop.world.goods[50] = (5, "Товар 50")
    assert shop.sync()["category create"] == 2
    shop.check()


def test_what_is_absent_disappears_and_comes_back_as_it_was(shop):
    shop.sync()
    ids = shop.bench.ids() if shop.bench.ids else None
    kept = leave_out(shop.world, 3)
    plan = shop.sync()
    assert plan["category hide"] == 1
    assert plan["offer hide"] == 5
    shop.check()
    shop.world.types[3], shop.world.sections[3] = kept[0], kept[1]
    shop.world.goods |= kept[2]
    shop.sync()
    shop.check()
    assert (shop.bench.ids() if shop.bench.ids else None) == ids
    assert shop.sync() == {}


def test_a_good_is_assigned_to_another_category_and_taken_out_of_all(shop):
    shop.sync()
    shop.world.goods[1] = (4, shop.world.goods[1][1])
    assert shop.sync()["offer assign"] == 1
    shop.check()
    shop.world.types[7] = (None, "Без розділу", None)
    shop.world.goods[2] = (7, shop.world.goods[2][1])
    assert shop.sync()["offer hide"] == 1
    shop.check()
    assert shop.sync() == {}


def test_names_pass_whole_with_every_sign_that_a_store_may_trip_over(shop):
    shop.world.goods[1] = (2, NASTY)
    shop.world.sections[4] = (1, "ґ є і ї ’ № & Їжак", 4)
    shop.sync()
    shop.check()
    assert shop.sync() == {}


def test_a_nul_character_in_one_goods_name_fails_no_store_and_is_reported(shop):
    shop.world.goods[1] = (2, "Тов\0\0ар")
    shop.sync()
    assert shop.bench.look()[1][1][1] == "Тов ар"
    assert shop.report.name_changes == ["raw_goods 1: 'Тов\\x00\\x00ар' → 'Тов ар'"]
    assert shop.sync() == {}


def test_rows_of_others_stay_as_they_are(shop):
    if shop.bench.plant is None:
        pytest.xfail("a feed is ours alone: nobody else has rows in it")
    shop.sync()
    shop.bench.plant()
    before = shop.bench.foreign()
    assert before
    shop.world.sections[2] = (4, "Посуд і кухня", 2)
    leave_out(shop.world, 3)
    shop.sync()
    shop.sync()
    assert shop.bench.foreign() == before
    shop.check()


def test_a_failure_at_any_write_is_made_good_by_the_next_run(shop, tmp_path):
    """The N-th write of a night with every kind of change fails, for every N; the next run ends as if it had not."""
    shop.sync()
    for n in range(1, 60, shop.bench.fault_step):
        name = f"Посуд {n}"
        shop.world.sections[2] = (4 if n % 2 else 1, name, 2)
        shop.world.goods[100 + n] = (3, f"Новий {n}")
        shop.world.prices[100 + n] = "10.50"
        shop.world.goods.pop(n % 15 + 1, None)
        try:
            with shop.bench.fault(n):
                report = shop.world.sync()
        except Broken:
            report = None
        if report is not None and report.outcome == "ok":
            break
        shop.sync()
        shop.check()
        assert shop.sync() == {}
    else:
        pytest.fail("the fault never stops")
    assert n > 1, "nothing was ever broken"
    shop.check()


def test_no_store_is_written_to_before_the_state_has_noted_that_the_run_begins_to(shop, monkeypatch):
    """The next run must know what a run that is killed may have shown. A night without a change notes nothing."""
    shop.sync()
    before = shop.bench.image()
    shop.world.sections[2] = (4, "Посуд і кухня", 2)
    shop.world.goods[1] = (2, "Інший товар")
    real, noted = State.begin_writing, []

    def refuse(state: State, run: str, store: str) -> None:
        raise RuntimeError("the state's disk is full")

    def note(state: State, run: str, store: str) -> None:
        noted.append(store)
        real(state, run, store)

    with monkeypatch.context() as patch:
        patch.setattr(State, "begin_writing", refuse)
        assert shop.world.sync().outcome != "ok"
    assert shop.bench.image() == before
    with monkeypatch.context() as patch:
        patch.setattr(State, "begin_writing", note)
        shop.sync()
        shop.check()
        assert noted == ["store"]
        assert shop.sync() == {}
        assert noted == ["store"]


def test_what_a_store_cannot_do_is_declared(shop):
    from engine.context import Run, RunOptions
    from engine.memory import Memory
    from engine.stores import open_store
    from schemas.report import RunReport
    from state.history import History

    state = State(state_url(shop.world.shop), "test")
    report = RunReport(run="x", shop="test", started_at="2026-01-01T00:00:00+02:00")
    settings, history = shop.world.shop, History(shop.world.folder / "history")
    memory = Memory(settings, state, history, "x", "2026-01-01")
    run = Run(settings, report, state, history, memory, Steps(), RunOptions(), settings.stores, "torgsync sync")
    try:
        target = open_store(run, shop.world.shop.stores[0])
    finally:
        state.close()
    capabilities = target.capabilities
    assert isinstance(capabilities, Capabilities)
    assert set(capabilities.gaps) == shop.bench.gaps
    assert set(capabilities.gaps) <= set(KINDS)
    assert all(capabilities.gaps.values())
