"""What guards compare with may not go silently: the history, what each store took last, the numbers that are given."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.context import RunOptions
from engine.main_path import sync
from engine.runs.rollback import rollback
from engine.setup.doctor import examine
from schemas.errors import SettingsError
from schemas.report import RunReport
from tests.nights.world import STORES, World

FEED = STORES[STORES.index('[[stores]]\nname = "site"') :]
TWO = "".join(f'[[stores]]\nname = "{name}"\nkind = "sql"\nurl = "sqlite:///{name}.db"\n' for name in ("web", "two"))
SHARED = '[state]\nurl = "sqlite:///../shared.db"\n'


def new(folder: Path, stores: str = STORES, unmapped: str = "inherit", rules: str = "") -> World:
    """Four types and 36 goods."""
    world = World(folder)
    world.types = {1: (None, "Посуд", 10), 2: (1, "Тарілки", 20), 3: (1, "Чашки", 30), 4: (1, "Ножі", 40)}
    world.sections = {n: (None if n == 10 else 10, name, n) for n, name in ((10, "Посуд"), (20, "Тарілки"),
                                                                          (30, "Чашки"), (40, "Ножі"))}  # fmt: skip
    world.goods = {t * 100 + n: (t, f"Товар {t * 100 + n}") for t in (2, 3, 4) for n in range(12)}
    world.settings(stores=stores, unmapped=unmapped, rules=rules)
    (folder / "feed").mkdir()
    return world


def only(world: World, store: str, **allow: int) -> RunReport:
    return sync(world.shop, read=world.extract, options=RunOptions(allow, (store,)))


def held(world: World, store: str) -> list[tuple[object, ...]]:
    """All that a SQL store holds."""
    with closing(sqlite3.connect(world.folder / f"{store}.db")) as connection:
        return [
            row
            for table in ("categories", "offers", "redirects")
            for row in connection.execute(f"select * from {table} order by 1")
        ]


def without_state(world: World) -> None:
    for path in world.folder.glob("state.db*"):
        path.unlink()


def test_a_shop_whose_history_is_gone_stops_and_says_how_to_bring_it_back(tmp_path):
    world = new(tmp_path / "shop")
    world.sync({})
    before = (world.folder / "feed" / "TSGoods.trs").read_bytes(), held(world, "web")
    kept = shutil.copytree(world.folder / "history", tmp_path / "backup")
    shutil.rmtree(world.folder / "history")
    world.goods[300] = (2, "Товар 300")
    report = world.sync({})
    assert (report.exit_code, report.outcome) == (3, "guard stop")
    assert report.message.count("guard «no_history»") == 1, "once, not for every store"
    assert "is not in history/" in report.message
    assert "backup" in report.message
    assert "several machines have to share it" in report.message
    assert "--allow no_history=36" in report.next_step
    assert world.sync({"no_history": 35}).exit_code == 3
    assert ((world.folder / "feed" / "TSGoods.trs").read_bytes(), held(world, "web")) == before
    shutil.rmtree(world.folder / "history")
    shutil.copytree(kept, world.folder / "history")
    assert world.sync({}).outcome == "ok"


def test_a_history_that_is_lost_for_good_can_be_passed_once_and_is_there_the_night_after(tmp_path):
    world = new(tmp_path / "shop")
    world.sync({})
    shutil.rmtree(world.folder / "history")
    world.goods[300] = (2, "Товар 300")
    report = world.sync({"no_history": 36})
    assert (report.outcome, report.allowed) == ("ok", {"no_history": 36})
    night_after = world.sync({})
    assert (night_after.outcome, night_after.allowed, world.plan().empty) == ("ok", {}, True)


def test_a_night_that_makes_the_very_catalogue_that_was_loaded_brings_a_lost_one_back(tmp_path):
    world = new(tmp_path / "shop")
    world.sync({})
    shutil.rmtree(world.folder / "history")
    report = world.sync({})
    assert (report.outcome, {store.name: store.operations for store in report.stores}) == (
        "ok",
        {"web": {}, "site": {}},
    )


def test_a_short_extract_is_found_without_a_history_and_changes_no_feed(tmp_path):
    world = new(tmp_path / "shop", FEED)
    world.sync({})
    shutil.rmtree(world.folder / "history")
    world.goods = {good: row for good, row in world.goods.items() if good < 203}
    report = world.sync({})
    assert "guard «no_history»" in report.message
    assert "guard «short_extract»: the base gave 3 rows of goods, 36 in the last run" in report.message
    assert world.sync({"no_history": 3}).exit_code == 3
    assert len(world.feed()) == 36


def test_a_machine_that_has_the_state_and_not_the_history_does_not_go_on_alone(tmp_path):
    first = new(tmp_path / "shop", FEED + SHARED)
    first.sync({})
    second = new(tmp_path / "other-machine", FEED + SHARED)
    shutil.copytree(first.folder / "feed", second.folder / "feed", dirs_exist_ok=True)
    second.goods = {good: row for good, row in second.goods.items() if good < 203}
    assert "guard «no_history»" in second.sync({}).message
    assert len(second.feed()) == 36
    shutil.rmtree(second.folder / "history")
    (second.folder / "history").symlink_to(first.folder / "history")
    second.goods = dict(first.goods)
    assert second.sync({}).outcome == "ok"


def test_one_store_whose_last_catalogue_is_lost_is_named(tmp_path):
    world = new(tmp_path / "shop", TWO)
    first = world.sync({})
    world.goods[200] = (3, "Товар 200")
    assert only(world, "two").outcome == "ok"
    names = {path.name for path in (world.folder / "history" / "catalogues").iterdir()}
    assert len(names) == 2
    lost = next(row["catalogue"][:20] for row in world.runs() if row["run"] == first.run)
    shutil.rmtree(world.folder / "history" / "catalogues" / lost)
    assert f"(store web: run {first.run}) is not in history/" in world.sync({}).message
    assert only(world, "two").outcome == "ok", "what another store took is nothing to it"


def test_a_rollback_needs_what_was_loaded_last_too(tmp_path):
    world = new(tmp_path / "shop")
    first = world.sync({})
    world.goods.pop(200)
    second = world.sync({})
    lost = next(row["catalogue"][:20] for row in world.runs() if row["run"] == second.run)
    shutil.rmtree(world.folder / "history" / "catalogues" / lost)
    stopped = rollback(world.shop, first.run)
    assert stopped.exit_code == 3
    assert "--allow no_history=36" in stopped.next_step


def test_what_was_allowed_in_a_run_of_one_store_is_not_allowed_for_another(tmp_path):
    world = new(tmp_path / "shop", TWO)
    world.sync({})
    before = held(world, "web")
    world.goods = {good: (2, name) for good, (_, name) in world.goods.items()}
    assert only(world, "two", moved_goods=24).allowed == {"moved_goods": 24}
    report = world.sync({})
    assert report.exit_code == 3
    assert "guard «moved_goods»: 24 of 36 goods would change their category (store web) (limit" in report.message
    assert held(world, "web") == before
    assert only(world, "two").outcome == "ok"
    assert world.sync({"moved_goods": 24}).outcome == "ok"
    assert world.sync({}).allowed == {}


def test_a_root_and_a_number_are_guarded_in_each_store_by_what_it_took_last(tmp_path):
    world = new(tmp_path / "shop", TWO)
    world.types[5] = (None, "Сад", 50)
    world.sections[50] = (None, "Сад", 50)
    world.goods[500] = (5, "Лопата")
    world.sync({})
    before = held(world, "web")
    world.sections[45] = (10, "Ножі", 45)
    del world.sections[40], world.sections[50], world.types[5], world.goods[500]
    world.types[4] = (1, "Ножі", 45)
    granted = {"root_vanished": 1, "renumbered": 1, "moved_goods": 12}
    stopped = only(world, "two")
    assert all(f"guard «{guard}»" in stopped.message for guard in granted)
    assert only(world, "two", **granted).outcome == "ok"
    report = world.sync({})
    assert "(store web)" in report.message
    assert all(f"guard «{guard}»" in report.message for guard in granted)
    assert held(world, "web") == before


def test_what_only_a_store_with_rules_of_its_own_took_was_not_allowed_for_the_others(tmp_path):
    rules = """rules:
  - match: {type_id: 4}
    do: {merge: {number: 30}}
    reason: ножі лежать з чашками
    only_store: two
    expect: 1
"""
    world = new(tmp_path / "shop", TWO, rules=rules)
    world.sync({})
    before = held(world, "web")
    world.goods = {good: (2, name) for good, (_, name) in world.goods.items()}
    (world.folder / "web.db").rename(world.folder / "away.db")
    (world.folder / "web.db").mkdir()
    assert world.sync({"moved_goods": 24, "root_vanished": 1}).exit_code == 4
    (world.folder / "web.db").rmdir()
    (world.folder / "away.db").rename(world.folder / "web.db")
    report = world.sync({})
    assert "24 of 36 goods would change their category (store web)" in report.message
    assert held(world, "web") == before


def renamed(world: World, name: str) -> None:
    path = world.folder / "shop.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('name = "test"', f'name = "{name}"'), encoding="utf-8")


def test_a_shop_that_was_renamed_does_not_give_its_numbers_a_second_time(tmp_path):
    world = new(tmp_path / "shop", unmapped="create")
    world.types |= {5: (1, "Вази", None), 6: (1, "Ложки", None)}
    world.goods |= {500: (5, "ваза"), 600: (6, "ложка")}
    world.sync({})
    world.types.pop(5)
    world.goods.pop(500)
    world.sync({})
    before = held(world, "web")
    text = (world.folder / "shop.toml").read_text(encoding="utf-8")
    renamed(world, "test2")
    world.types[7] = (1, "Аква", None)
    world.goods[700] = (7, "аква")
    for _ in range(2):  # a run that was refused does not make the name known
        with pytest.raises(SettingsError, match="was the shop renamed") as caught:
            world.sync({})
        assert caught.value.exit_code == 2
        assert 'put name = "test" back' in caught.value.next_step
        assert "fresh state" in caught.value.next_step
    assert held(world, "web") == before
    (world.folder / "shop.toml").write_text(text, encoding="utf-8")
    assert world.sync({}).outcome == "ok"
    assert world.shown()[0][1002][0] == "Аква"


def test_a_state_of_many_shops_takes_a_new_one(tmp_path):
    assert new(tmp_path / "shop", STORES + SHARED).sync({}).outcome == "ok"
    other = new(tmp_path / "other", STORES + SHARED)
    renamed(other, "other")
    assert other.sync({}).outcome == "ok"


def test_a_new_state_gives_no_number_that_a_store_shows_as_something_else(tmp_path):
    world = new(tmp_path / "shop", unmapped="create")
    world.types |= {5: (1, "Вази", None), 6: (1, "Ложки", None)}
    world.goods |= {500: (5, "ваза"), 600: (6, "ложка")}
    world.sync({})
    before = held(world, "web")
    without_state(world)
    world.types.pop(5)
    world.types[7] = (1, "Аква", None)
    world.goods |= {500: (7, "ваза")}
    report = world.sync({})
    assert report.exit_code == 3
    assert "guard «number_reused»" in report.message
    assert "1000 was «Вази» and is «Аква» (store web)" in report.message
    assert "--allow number_reused=1" in report.next_step
    assert held(world, "web") == before


def test_a_new_state_takes_over_a_store_with_the_same_meanings_as_it_is(tmp_path):
    world = new(tmp_path / "shop", unmapped="create")
    world.types[5] = (1, "Вази", None)
    world.goods[500] = (5, "ваза")
    world.sync({})
    before = world.shown()
    without_state(world)
    world.sections[20] = (10, "Тарілки й миски", 20)
    stopped = world.sync({})
    assert stopped.exit_code == 3
    assert "guard «lost_state»: the state remembers no run" in stopped.message
    assert "store web holds categories that torgsync made" in stopped.message
    assert before == world.shown()
    goods = len(world.goods)
    report = world.sync({"lost_state": goods})
    assert (report.outcome, report.allowed) == ("ok", {"lost_state": goods}), report.message
    assert before[1] == world.shown()[1]
    assert world.shown()[0][20][0] == "Тарілки й миски", "a number of Torgsoft's own may be renamed"


def test_a_new_state_stops_where_a_number_of_torgsofts_has_another_name_and_another_parent(tmp_path):
    world = new(tmp_path / "shop")
    world.sync({})
    without_state(world)
    world.sections |= {20: (30, "Миски", 20)}
    assert "20 was «Тарілки» and is «Миски» (store web)" in world.sync({}).message


def test_doctor_tells_of_a_lost_history_and_of_a_renamed_shop_before_a_run_has_to(tmp_path):
    def state(world: World) -> tuple[str, str]:
        return next((f.status, f.told) for f in examine(world.folder) if f.check == "state")

    world = new(tmp_path / "shop")
    world.sync({})
    assert state(world)[0] == "ok"
    shutil.rmtree(world.folder / "history")
    status, told = state(world)
    assert (status, "is not in history/" in told) == ("failed", True)
    renamed(world, "test2")
    status, told = state(world)
    assert (status, "was the shop renamed?" in told) == ("failed", True)


@pytest.mark.parametrize("stores", [TWO[: TWO.index("[[", 2)], TWO], ids=["the only store", "another one is loaded"])
def test_a_store_that_was_out_of_reach_on_a_new_states_first_night_is_guarded_when_it_is_back(tmp_path, stores):
    world = new(tmp_path / "shop", stores=TWO[: TWO.index("[[", 2)], unmapped="create")
    world.types |= {key: (1, name, None) for key, name in ((2, "Тарілки"), (3, "Чашки"), (4, "Ножі"))}
    world.sections = {10: (None, "Посуд", 10)}
    assert world.sync({}).outcome == "ok"
    before = held(world, "web")
    without_state(world)
    shutil.rmtree(world.folder / "history")
    world.settings(stores=stores, unmapped="create")
    world.types[5] = (1, "Ведра", None)  # its name comes first, so it would get the number of another
    world.goods[500] = (5, "Відро")
    whole = world.down("web")
    assert world.sync({}).exit_code == 4
    (world.folder / "web.db").write_bytes(whole)
    report = world.sync({})
    assert report.exit_code == 3
    assert "guard «number_reused»" in report.message
    assert held(world, "web") == before


def test_a_store_whose_last_catalogue_is_lost_and_that_cannot_be_read_keeps_no_other_from_its_nights(tmp_path):
    world = new(tmp_path / "shop", stores=TWO)
    world.sync({})
    shutil.rmtree(world.folder / "history")
    world.down("two")
    world.goods[200] = (2, "Перша назва")
    assert world.sync({"no_history": 100}).exit_code == 4
    world.goods[200] = (2, "Друга назва")
    assert world.sync({}).exit_code == 4
    assert "Друга назва" in str(held(world, "web"))
    assert next(finding.status for finding in examine(world.folder) if finding.check == "state") == "failed"


def test_a_store_that_was_out_of_reach_for_nights_is_brought_up_to_date_without_stopping_the_others(tmp_path):
    """What moved in each of these nights passed the guards by itself."""
    world = new(tmp_path / "shop", stores=TWO)
    world.sync({})
    whole = world.down("two")
    moving = [good for good, (kind, _) in world.goods.items() if kind == 2]
    for night in range(3):
        for good in moving[night * 4 : night * 4 + 4]:
            world.goods[good] = (3, world.goods[good][1])
        assert world.sync({}).exit_code == 4
    (world.folder / "two.db").write_bytes(whole)
    report = world.sync({})
    assert report.outcome == "ok", report.message


def test_a_new_store_with_rules_of_its_own_has_nothing_that_it_could_be_compared_with(tmp_path):
    world = new(tmp_path / "shop", stores=TWO[: TWO.index("[[", 2)])
    world.sync({})
    rule = "rules:\n  - match: {type_id: 4}\n    do: {merge: {number: 30}}\n    reason: x\n    only_store: two\n"
    world.settings(stores=TWO, rules=rule)
    report = world.sync({})
    assert report.outcome == "ok", report.message


def test_doctor_makes_no_database(tmp_path):
    world = new(tmp_path / "shop", stores=TWO)
    found = [finding for finding in examine(world.folder) if finding.check.startswith("store")]
    assert [finding.told for finding in found] == [
        f"sqlite:///{name}.db: the first run creates it" for name in ("web", "two")
    ]
    assert not list(world.folder.glob("*.db*"))
