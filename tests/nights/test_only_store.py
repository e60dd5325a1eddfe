"""Rules for one store only: its catalogue differs, the others' does not, and its past is its own (docs/adr/0010)."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import engine.apply
import engine.session
from engine.context import RunOptions
from engine.runs.explain import explain
from engine.runs.resume import apply_file, retry
from schemas.errors import RulesError
from state.database import State
from state.url import state_url
from tests.nights.world import ALL, STORES, Broken, World, fault

BEGIN = datetime(2026, 3, 1, 2, 30, tzinfo=timezone(timedelta(hours=2)))
SHELF = '[[stores]]\nname = "shelf"\nkind = "sql"\nurl = "sqlite:///shelf.db"\n'
TWO = SHELF.replace("shelf", "web") + SHELF
WITH_FEED = STORES + SHELF
STEP = int(os.environ.get("TORGSYNC_SWEEP_STEP", "60"))
MERGE = """rules:
  - match: {type_id: 4}
    do: {merge: {number: 3}}
    reason: на полиці кухлі лежать з чашками
    only_store: shelf
    expect: 1
"""


class Nights:
    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.monkeypatch, self.night = world, monkeypatch, 0

    def sync(self, allow: dict[str, int] | None = None) -> Any:
        self.night += 1
        self.monkeypatch.setattr(engine.session, "now", lambda: BEGIN + timedelta(days=self.night))
        return self.world.sync(allow)

    def plan(self) -> dict[str, dict[str, int]]:
        report = self.sync()
        assert report.outcome == "ok", report.message
        return report.plan

    def store(self, name: str = "shelf") -> tuple[dict[int, tuple[str, int | None]], dict[int, int], dict[Any, int]]:
        """Categories, goods and redirects that visitors of a store get."""
        with closing(sqlite3.connect(self.world.folder / f"{name}.db")) as connection:
            categories = connection.execute("select number, name, parent_number from categories where not hidden")
            goods = connection.execute("select good_id, category_number from offers where not hidden")
            leads = connection.execute("select old_path, number from redirects")
            return (
                {n: (name, parent) for n, name, parent in categories},
                dict(goods.fetchall()),
                {tuple(json.loads(path)): number for path, number in leads},
            )


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    world = World(tmp_path / "shop")
    world.settings(retire_after=2, stores=TWO)
    world.sections = {1: (None, "Дім", 1), 2: (1, "Посуд", 2), 3: (2, "Чашки", 3), 4: (2, "Кухлі", 4)}
    world.types = {1: (None, "Дім", 1), 2: (1, "Посуд", 2), 3: (2, "Чашки", 3), 4: (2, "Кухлі", 4)}
    world.goods = {n: (n % 4 + 1, f"Товар {n}") for n in range(1, 13)}
    return Nights(world, monkeypatch)


def test_one_store_merges_what_the_others_show_and_the_next_night_has_nothing_to_do(nights):
    nights.plan()
    web = nights.store("web")
    nights.world.rules(MERGE)
    told = {"category hide": 1, "offer assign": 3, "redirect redirect": 1}
    assert nights.plan() == {"web": {}, "shelf": told}
    categories, goods, leads = nights.store()
    assert set(categories) == {1, 2, 3}
    assert {good for good, number in goods.items() if number == 3} == {2, 3, 6, 7, 10, 11}
    assert leads == {("Дім", "Посуд", "Кухлі"): 3}
    assert nights.store("web") == web
    assert nights.plan() == {"web": {}, "shelf": {}}


def test_a_feed_can_have_rules_of_its_own_too(nights):
    nights.world.settings(retire_after=2, stores=WITH_FEED)
    nights.plan()
    nights.world.rules(MERGE.replace("only_store: shelf", "only_store: [site, shelf]"))
    assert set(nights.plan()["site"]) == {"category hide", "offer assign", "feed publish"}
    assert {good for good, (number, _) in nights.world.feed().items() if number == 3} == {2, 3, 6, 7, 10, 11}


def test_the_plan_has_the_same_bytes_twice_and_those_of_other_stores_do_not_change(nights):
    plain = nights.world.plan()
    nights.world.rules(MERGE)
    first, second = nights.world.plan(), nights.world.plan()
    assert first.to_json() == second.to_json()
    assert [store.own is None for store in first.stores] == [True, False]
    assert first.stores[0] == plain.stores[0]
    assert '"own"' not in plain.to_json(), "plan files of before are read as they were"


def test_a_section_of_one_store_alone_gets_a_number_that_is_never_given_again(nights):
    nights.world.settings(retire_after=2, unmapped="create", stores=TWO)
    nights.world.types[9], nights.world.goods[90] = (2, "Нове", None), (9, "Нове")
    rules = "rules:\n  - match: {type_id: 4}\n    do: {create: {name: Акції}}\n    reason: r\n    only_store: shelf\n"
    nights.world.rules(rules)
    nights.plan()
    assert nights.store("web")[0][1000] == nights.store()[0][1000] == ("Нове", 2)
    assert nights.store()[0][1001] == ("Акції", None)
    assert 1001 not in nights.store("web")[0]
    nights.world.rules("")
    nights.world.types[10], nights.world.goods[91] = (2, "Новіше", None), (10, "Новіше")
    assert nights.plan()["web"] == {"category create": 1, "offer create": 1}
    assert nights.store("web")[0][1002] == ("Новіше", 2)
    nights.world.rules(rules)
    nights.plan()
    assert nights.store()[0][1001] == ("Акції", None), "the same section has its number again"


def test_a_renaming_of_one_store_is_no_other_meaning_of_the_number(nights):
    rename = "rules:\n  - match: {type_id: 4}\n    do: {rename: Горнятка, place: root}\n    reason: r\n"
    nights.world.rules(rename + "    only_store: shelf\n")
    assert [nights.sync({}).outcome for _ in range(3)] == ["ok"] * 3
    nights.world.sections[4] = (None, "Зовсім інше", 4)
    nights.world.goods = {
        good: (3 if type_ == 4 else type_, name) for good, (type_, name) in nights.world.goods.items()
    }
    assert "number_reused" in nights.sync({}).message, "another name and other goods"


def test_a_number_that_one_store_alone_shows_is_guarded_too(nights):
    keep = "rules:\n  - match: {type_id: 4}\n    do: {rename: Кухлі}\n    reason: r\n    only_store: shelf\n"
    nights.world.rules(keep + "  - match: {type_id: 4}\n    do: {exclude: type}\n    reason: r\n")
    nights.plan()
    assert (set(nights.store()[0]), set(nights.store("web")[0])) == ({1, 2, 3, 4}, {1, 2, 3})
    nights.world.sections[5] = (None, "Зовсім інше", 4)
    del nights.world.sections[4]
    nights.world.types[4] = (2, "Кухлі", 5)
    assert "number_reused" in nights.sync({}).message


def test_a_section_has_one_number_in_all_stores(nights):
    number = "rules:\n  - match: {type_id: 4}\n    do: {number: 77}\n    reason: r\n    only_store: shelf\n"
    nights.world.rules(number)
    report = nights.sync()
    assert report.exit_code == 2
    assert "«Кухлі» would have number 77 in store shelf and 4 shop-wide" in report.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MERGE.replace("shelf", "shelv"), 'yaml:2: only_store: the shop has no store "shelv"; did you mean "shelf"?'),
        (MERGE.replace("expect: 1", "expect: 2"), "rules.yaml:2: the rule expects 2 types and matches 1"),
        (MERGE.replace("type_id: 4", "type_id: 44").replace("    expect: 1\n", ""), "yaml:2: the rule matches no"),
        (MERGE.replace("only_store: shelf", "only_store: []"), "rules.yaml:5: only_store: expected a store's name or"),
    ],
)  # fmt: skip
def test_a_faulty_rule_of_one_store_stops_the_run_with_file_and_line(nights, text, told):
    nights.world.rules(text)
    report = nights.sync()
    assert report.exit_code == RulesError("").exit_code
    assert told in report.message
    assert not (nights.world.folder / "shelf.db").exists()


def test_a_rollback_brings_each_store_back_to_what_it_was_in_that_run(nights):
    nights.world.rules(MERGE)
    nights.plan()
    own, web = nights.store(), nights.store("web")
    run = nights.world.runs()[0]["run"]
    nights.world.rules("")
    nights.world.goods[50] = (4, "Новий кухоль")
    nights.plan()
    nights.plan()
    assert nights.store()[0].keys() == {1, 2, 3, 4}
    assert nights.world.rollback(run).outcome == "ok"
    assert nights.store()[:2] == own[:2]
    assert nights.store("web")[:2] == web[:2]


def test_a_store_that_failed_is_loaded_with_its_own_catalogue_by_a_retry(nights):
    nights.plan()
    nights.world.rules(MERGE)
    shelf = nights.world.folder / "shelf.db"
    with closing(sqlite3.connect(shelf)) as connection:
        # not a row that is refused, but a statement that fails
        connection.execute("create trigger no before update on offers begin insert into nowhere values (1); end")
    assert nights.sync().outcome == "some stores failed"
    assert set(nights.store()[0]) == {1, 2, 3, 4}
    with closing(sqlite3.connect(shelf)) as connection:
        connection.execute("drop trigger no")
    report = retry(nights.world.shop, "last", RunOptions(ALL))
    assert report.outcome == "ok", report.message
    assert set(nights.store()[0]) == {1, 2, 3}
    assert nights.store()[2] == {("Дім", "Посуд", "Кухлі"): 3}
    assert nights.plan() == {"web": {}, "shelf": {}}


def test_a_plan_file_loads_each_store_with_its_own_catalogue_and_twice_does_nothing(nights):
    nights.world.rules(MERGE)
    nights.world.plan()
    file = nights.world.folder / "output" / "plan.json"
    text = file.read_text(encoding="utf-8")
    assert apply_file(nights.world.shop, file, RunOptions(ALL)).outcome == "ok"
    assert (set(nights.store()[0]), set(nights.store("web")[0])) == ({1, 2, 3}, {1, 2, 3, 4})
    file.write_text(text, encoding="utf-8")
    again = apply_file(nights.world.shop, file, RunOptions(ALL))
    assert (again.outcome, sum(store.written for store in again.stores)) == ("ok", 0)


def test_a_store_that_leaves_the_overlay_shows_the_shop_again_and_its_own_addresses_still_lead_somewhere(nights):
    nights.plan()
    place = "rules:\n  - match: {type_id: 4}\n    do: {place: root}\n    reason: r\n    only_store: shelf\n"
    nights.world.rules(place)
    nights.plan()
    assert nights.store()[2] == {("Дім", "Посуд", "Кухлі"): 4}
    nights.world.rules("")
    nights.plan()
    assert nights.store()[0] == nights.store("web")[0]
    assert nights.store()[2] == {("Кухлі",): 4}
    assert nights.store("web")[2] == {}
    assert nights.plan() == {"web": {}, "shelf": {}}


def test_a_store_that_has_nothing_of_its_own_left_to_remember_is_one_of_the_shop_again(nights):
    nights.plan()
    nights.world.rules(MERGE)
    nights.plan()
    nights.world.rules("")
    assert nights.plan()["shelf"] == {"category restore": 1, "offer assign": 3, "redirect unredirect": 1}
    nights.plan()
    assert [store.own for store in nights.world.plan().stores] == [None, None]
    state = State(state_url(nights.world.shop), "test")
    try:
        assert state.loaded("shelf") is None, "else it would compare with a stale past when it is named again"
    finally:
        state.close()


def test_what_is_absent_in_one_store_alone_is_retired_there_alone(nights):
    nights.plan()
    nights.world.rules(MERGE)
    plans = [nights.plan() for _ in range(4)]
    assert [plan["shelf"].get("category retire", 0) for plan in plans] == [0, 0, 1, 0]
    assert all(plan["web"] == {} for plan in plans)


def test_guards_look_at_each_stores_own_catalogue(nights):
    nights.world.goods = {n: (4 if n > 5 else 3, f"Товар {n}") for n in range(1, 41)}
    nights.world.types[5] = (2, "Кухлі великі", 4)  # so the category stays, and only goods move
    nights.plan()
    nights.world.rules(MERGE)
    report = nights.sync({})
    assert report.exit_code == 3
    assert "35 of 40 goods would change their category (store shelf)" in report.message
    assert nights.sync({"moved_goods": 35}).outcome == "ok"
    nights.world.rules("")
    assert "(store shelf)" in nights.sync({}).message, "on the night on which it leaves too"


def test_a_good_in_the_quarantine_stays_in_each_store_where_it_was(nights):
    nights.world.settings(retire_after=2, stores=WITH_FEED)
    nights.world.rules(MERGE.replace("only_store: shelf", "only_store: [shelf, site]"))
    nights.plan()
    kept = nights.world.goods[3]
    nights.world.goods[3] = (4, "")
    assert nights.plan() == {"web": {}, "site": {}, "shelf": {}}
    assert (nights.store()[1][3], nights.store("web")[1][3], nights.world.feed()[3][0]) == (3, 4, 3)
    nights.world.goods[3] = kept
    assert nights.plan() == {"web": {}, "site": {}, "shelf": {}}


def test_the_outputs_are_the_shops_with_a_stores_own_in_its_folder_and_explain_says_what_differs(nights):
    nights.world.rules(MERGE)
    nights.plan()
    output = nights.world.folder / "output"
    assert "4," in (output / "categories.csv").read_text(encoding="utf-8")
    assert (output / "shelf" / "categories.csv").read_text(encoding="utf-8").count("\n") == 4
    assert not (output / "web").exists()
    (found,) = explain(output, "3")
    assert found["category"] == "Дім > Посуд > Кухлі [4]"
    assert found["stores"]["shelf"]["category"] == "Дім > Посуд > Чашки [3]"
    assert "на полиці" in found["stores"]["shelf"]["why"]
    assert "stores" not in explain(output, "1")[0]


def test_broken_off_at_any_statement_the_next_run_ends_the_same(nights, tmp_path):
    """The night on which a store gets rules of its own, broken off at every few statements of any database."""
    nights.world.settings(retire_after=2, stores=WITH_FEED)
    nights.plan()
    nights.world.rules(MERGE)
    nights.world.sections[2] = (1, "Кухня", 2)
    expected = None
    for place in [None, *range(3, 900, STEP)]:
        folder = tmp_path / f"shop-{place}"
        other = World(folder, nights.world.types, nights.world.sections, nights.world.goods, nights.world.prices)
        shutil.copytree(nights.world.folder, folder)
        try:
            with fault(place):
                other.sync()
            broken = False
        except Broken:
            broken = True
        if broken or expected is None:
            report = other.sync()
            assert report.outcome == "ok", report.message
            found = Nights(other, nights.monkeypatch)
            state = found.store(), found.store("web"), other.feed()
            expected = expected or state
            assert state == expected, f"after a fault at statement {place}"
        elif place:
            break
    else:
        pytest.fail("the fault never stops")
    assert expected[0][2] == {
        ("Дім", "Посуд"): 2, ("Дім", "Посуд", "Чашки"): 3, ("Дім", "Посуд", "Кухлі"): 3,
    }  # fmt: skip


def test_what_a_run_which_was_broken_off_has_shown_in_one_store_alone_is_remembered_for_that_store(nights, monkeypatch):
    nights.world.rules(MERGE)
    nights.plan()
    nights.world.rules(MERGE.replace("merge: {number: 3}", "rename: Великі кухлі"))
    nights.world.goods[40] = (4, "Новий кухоль")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine.apply, "settle", killed)
        assert nights.sync().outcome == "interrupted"
    assert nights.store()[0][4] == ("Великі кухлі", 2)
    nights.world.rules(MERGE.replace("merge: {number: 3}", "rename: Малі кухлі"))
    del nights.world.goods[40]
    plans = [nights.plan() for _ in range(4)]
    old = {("Дім", "Посуд", "Великі кухлі"): 4}
    assert nights.store()[2] == old
    assert nights.store("web")[2] == {}
    assert plans[0]["shelf"] == {"category rename": 1, "offer hide": 1, "redirect redirect": 1}
    assert [plan["shelf"] for plan in plans[1:]] == [{}, {"offer retire": 1}, {}]
    assert [plan["web"] for plan in plans] == [{"offer hide": 1}, {}, {"offer retire": 1}, {}]
