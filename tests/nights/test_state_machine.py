"""Any sequence of nights, edits, faults, resumes and rollbacks ends in the store that a plain model expects."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import engine.session
from tests.nights.world import Broken, World, fault

NAMES = st.sampled_from(["Посуд", "Тарілки", "Їдальня", "Ґудзики’", "Білизна & Co", "Набори", "Сад"])
BEGIN = datetime(2026, 1, 1, 2, 30, tzinfo=timezone(timedelta(hours=2)))
Store = tuple[dict[int, tuple[str, int | None, list[str]]], dict[int, tuple[int | None, str]]]


class Nights(RuleBasedStateMachine):
    """The base, the rules and an editor change; runs succeed or break; ``expected`` is what a visitor must see."""

    @initialize()
    def a_shop(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="torgsync-nights-"))
        self.world = World(self.home / "shop")
        self.world.settings(retire_after=2)
        self.world.types = {1: (None, "Магазин", 1), 2: (1, "Посуд", 2)}
        self.world.sections = {1: (None, "Магазин", 1), 2: (1, "Посуд", 2)}
        self.world.goods = {1: (1, "Кухоль"), 2: (2, "Миска")}
        self.merged: int | None = None
        self.next = 10
        self.expected: Store | None = None
        self.past: dict[str, Store] = {}
        self.foreign: list[dict[str, object]] = []
        self.dirty = False
        self.night = BEGIN
        self.real_now = engine.session.now
        seconds = itertools.count()  # no two runs begin at once
        engine.session.now = lambda: self.night + timedelta(seconds=next(seconds))
        self.sync()

    def teardown(self) -> None:
        engine.session.now = self.real_now
        shutil.rmtree(self.home, ignore_errors=True)

    # --- edits in Torgsoft ---

    def fresh(self) -> int:
        self.next += 1
        return self.next

    @rule(name=NAMES, linked=st.booleans(), data=st.data())
    def a_type_is_added(self, name: str, linked: bool, data: st.DataObject) -> None:
        parent = data.draw(st.sampled_from(sorted(self.world.types)))
        key = self.fresh()
        section = None
        if linked:
            above = data.draw(st.sampled_from([None, *sorted(self.world.sections)]))
            self.world.sections[key] = (above, f"{name} {key}", key)
            section = key
        self.world.types[key] = (parent, f"{name} {key}", section)
        self.world.goods[key] = (key, f"{name}, товар {key}")

    @rule(name=NAMES, data=st.data())
    def a_type_is_renamed(self, name: str, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.world.types)))
        parent, _, section = self.world.types[key]
        self.world.types[key] = (parent, f"{name} {self.fresh()}", section)

    @rule(data=st.data())
    def a_type_is_moved(self, data: st.DataObject) -> None:
        movable = [key for key, (parent, _, _) in self.world.types.items() if parent is not None]
        key = data.draw(st.sampled_from(sorted(movable)))
        free = [k for k in self.world.types if key not in self.types_above(k)]
        _, name, section = self.world.types[key]
        self.world.types[key] = (data.draw(st.sampled_from(sorted(free))), name, section)

    @rule(name=NAMES, data=st.data())
    def a_section_is_renamed(self, name: str, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.world.sections)))
        parent, _, number = self.world.sections[key]
        self.world.sections[key] = (parent, f"{name} {self.fresh()}", number)

    @rule(data=st.data())
    def a_section_is_moved(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.world.sections)))
        free = [k for k in self.world.sections if key not in self.above(k)]
        _, name, number = self.world.sections[key]
        self.world.sections[key] = (data.draw(st.sampled_from([None, *sorted(free)])), name, number)

    @rule(data=st.data())
    def a_good_is_added_or_moved(self, data: st.DataObject) -> None:
        good = data.draw(st.sampled_from([self.fresh(), *sorted(self.world.goods)]))
        type_id = data.draw(st.sampled_from(sorted(self.world.types)))
        self.world.goods[good] = (type_id, f"Товар {good}")

    @rule(data=st.data())
    def a_section_is_deleted_and_its_types_still_name_it(self, data: st.DataObject) -> None:
        under = {parent for parent, _, _ in self.world.sections.values()}
        leaves = [key for key in self.world.sections if key > 2 and key not in under]
        if leaves:
            del self.world.sections[data.draw(st.sampled_from(sorted(leaves)))]

    @rule(name=NAMES, data=st.data())
    def a_good_is_renamed(self, name: str, data: st.DataObject) -> None:
        good = data.draw(st.sampled_from(sorted(self.world.goods)))
        self.world.goods[good] = (self.world.goods[good][0], f"{name} {self.fresh()}")

    @rule(data=st.data())
    def a_good_is_deleted(self, data: st.DataObject) -> None:
        if len(self.world.goods) > 1:
            del self.world.goods[data.draw(st.sampled_from(sorted(self.world.goods)))]

    @rule(data=st.data())
    def a_leaf_type_is_deleted_with_its_section(self, data: st.DataObject) -> None:
        parents = {parent for parent, _, _ in self.world.types.values()}
        leaves = [k for k in self.world.types if k not in parents and k > 2 and k != self.merged]
        if not leaves:
            return
        key = data.draw(st.sampled_from(sorted(leaves)))
        section = self.world.types.pop(key)[2]
        self.world.goods = {g: row for g, row in self.world.goods.items() if row[0] != key} or {1: (1, "Кухоль")}
        linked = {section for _, _, section in self.world.types.values()}
        under = {parent for parent, _, _ in self.world.sections.values()}
        if section in self.world.sections and section not in linked and section not in under:
            del self.world.sections[section]

    @rule(data=st.data())
    def the_analyst_merges_a_type_or_takes_the_rule_away(self, data: st.DataObject) -> None:
        choices = [None, *sorted(key for key, (parent, _, _) in self.world.types.items() if parent is not None)]
        self.merged = data.draw(st.sampled_from(choices))
        text = "" if self.merged is None else (
            f"rules:\n  - match: {{type_id: {self.merged}}}\n    do: {{merge: parent}}\n    reason: test\n"
        )  # fmt: skip
        self.world.rules(text)

    # --- an editor in the store ---

    @rule(data=st.data())
    def an_editor_changes_our_rows(self, data: st.DataObject) -> None:
        rows = self.world.rows("categories")
        number = data.draw(st.sampled_from([row["number"] for row in rows]))
        self.world.execute("update categories set name = 'правка', hidden = not hidden where number = ?", number)
        self.dirty = True

    @rule()
    def an_editor_adds_rows_of_his_own(self) -> None:
        key = 900_000 + self.fresh()
        self.world.execute(
            "insert into categories (number, name, path, depth, hidden, retired) values (?, 'своя', '[]', 1, 0, 0)", key
        )
        self.world.execute("insert into offers (good_id, name, hidden, retired) values (?, 'свій', 0, 0)", key)
        self.foreign = [*self.world.rows("categories", "not managed"), *self.world.rows("offers", "not managed")]

    # --- nights ---

    @rule(days=st.integers(1, 3))
    def days_pass(self, days: int) -> None:
        """What is absent grows older by a night with the next run, and is retired after two."""
        self.night += timedelta(days=days)

    @rule()
    def sync(self) -> None:
        report = self.world.sync()
        assert report.outcome == "ok", report.message
        self.expected = self.model()
        self.past[report.run] = self.expected
        self.dirty = False
        assert self.world.plan().empty, "a plan right after an apply is empty"

    @rule(at=st.integers(1, 80), resumed=st.booleans())
    def a_night_breaks_and_is_gone_on_with(self, at: int, resumed: bool) -> None:
        try:
            with fault(at):
                report = self.world.sync()
            assert report.outcome == "ok", report.message
            self.past[report.run] = self.model()
        except Broken:
            if resumed and self.world.runs()[0]["catalogue"]:
                report = self.world.resume()
                assert report.outcome == "ok", report.message
        self.sync()

    @precondition(lambda self: len(self.past) > 1)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        to = data.draw(st.sampled_from(sorted(self.past)))
        report = self.world.rollback(to)
        assert report.outcome == "ok", report.message
        self.expected = self.past[to]
        self.dirty = False

    # --- what must hold ---

    def above(self, section: int) -> list[int]:
        out, step = [], section
        while step is not None:
            out.append(step)
            step = self.world.sections[step][0]
        return out

    def types_above(self, type_id: int) -> list[int]:
        out, step = [], type_id
        while step is not None:
            out.append(step)
            step = self.world.types[step][0]
        return out

    def category_of(self, type_id: int) -> int | None:
        parent, _, section = self.world.types[type_id]
        if type_id == self.merged or section not in self.world.sections:
            return None if parent is None else self.category_of(parent)
        return self.world.sections[section][2]

    def model(self) -> Store:
        linked = {section for key, (_, _, section) in self.world.types.items() if key != self.merged}
        only = {self.world.types[self.merged][2]} - linked if self.merged is not None else set()
        under = {key for start in self.world.sections if start not in only for key in self.above(start)}
        categories = {
            number: (name, None if parent is None else self.world.sections[parent][2],
                     [self.world.sections[key][1] for key in reversed(self.above(section))])
            for section, (parent, name, number) in self.world.sections.items()
            if section not in only or section in under
        }  # fmt: skip
        offers = {good: (self.category_of(type_id), name) for good, (type_id, name) in self.world.goods.items()}
        return categories, {good: row for good, row in offers.items() if row[0] is not None}

    @invariant()
    def the_store_shows_what_the_model_expects(self) -> None:
        if self.expected is None or self.dirty:
            return
        categories, offers = self.world.shown()
        assert categories == self.expected[0]
        assert offers == self.expected[1]
        feed = {good: row for good, row in self.world.feed().items() if row[0] != -1}
        assert feed == self.expected[1]

    @invariant()
    def the_tree_is_sound(self) -> None:
        if self.expected is None or self.dirty:
            return
        categories, offers = self.world.shown()
        for name, parent, path in categories.values():
            assert path == [*(categories[parent][2] if parent is not None else []), name]
        assert {category for category, _ in offers.values()} <= set(categories)

    @invariant()
    def only_what_is_hidden_is_retired(self) -> None:
        if self.expected is not None and not self.dirty:
            for table in ("categories", "offers"):
                assert self.world.rows(table, "managed and retired and not hidden") == []

    @invariant()
    def rows_of_others_are_as_they_were(self) -> None:
        if self.expected is not None:
            found = [*self.world.rows("categories", "not managed"), *self.world.rows("offers", "not managed")]
            assert found == self.foreign

    @invariant()
    def addresses_that_redirect_lead_to_living_categories(self) -> None:
        if self.expected is None or self.dirty:
            return
        categories, _ = self.world.shown()
        living = {tuple(path) for _, _, path in categories.values()}
        for row in self.world.rows("redirects"):
            assert row["number"] in categories
            assert tuple(json.loads(row["old_path"])) not in living


TestNights = Nights.TestCase
TestNights.settings = settings(stateful_step_count=12, max_examples=settings.default.max_examples, deadline=None)
