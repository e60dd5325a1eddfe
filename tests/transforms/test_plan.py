"""The plan's operations: the smallest list of changes, in an order that no store dies of (design.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contents import Contents, Key, Rows
from schemas.plan import Operation
from schemas.tables import DECIMAL
from tests.transforms.catalogues import branch, catalogue
from transforms.plan import (
    CATEGORY_COLUMNS,
    OFFER_COLUMNS,
    REDIRECT_COLUMNS,
    Absent,
    operations,
    unplanned,
    wanted_contents,
)
from transforms.tree import check_tree, paths

OFFER = ("name", "category_number", "price", "hidden", "retired")
NUMBERS = st.integers(1, 9)
GOODS = st.integers(11, 19)
NAMES = st.sampled_from(["Чашки", "Кухлі", "Посуд"])


def category(name: str, parent: int | None = None, hidden: bool = False, retired: bool = False) -> tuple[Any, ...]:
    return (name, parent, [name], 1 if parent is None else 2, hidden, retired)


def contents(categories: dict | None = None, offers: dict | None = None, redirects: dict | None = None) -> Contents:
    return Contents(
        Rows(CATEGORY_COLUMNS, categories or {}), Rows(OFFER, offers or {}), Rows(REDIRECT_COLUMNS, redirects or {})
    )


def told(found: tuple[Operation, ...]) -> list[tuple[str, str, Key]]:
    return [(operation.kind, operation.entity, operation.key) for operation in found]


# --- any two sides ---


@dataclass(frozen=True)
class Two:
    """What a store shall hold, what it holds, and what is held or due."""

    wanted: Contents
    present: Contents
    absent: Absent = field(default_factory=Absent)


def tree(draw: st.DrawFn, shown_only: bool) -> dict[Key, tuple[Any, ...]]:
    """Categories, parents first; what hangs below a hidden one is hidden too."""
    keys = draw(st.lists(NUMBERS, unique=True, max_size=7))
    parents = {key: draw(st.sampled_from([None, *keys[:place]])) for place, key in enumerate(keys)}
    chains = paths(check_tree(parents).order, parents, {key: draw(NAMES) for key in keys})
    rows: dict[Key, tuple[Any, ...]] = {}
    for key in keys:
        above = parents[key]
        hidden = not shown_only and (draw(st.booleans()) or (above is not None and rows[above][4]))
        retired = bool(hidden and draw(st.booleans()))
        rows[key] = (chains[key][-1], above, chains[key], len(chains[key]), hidden, retired)
    return rows


def goods(draw: st.DrawFn, categories: dict[Key, tuple[Any, ...]], shown_only: bool) -> dict[Key, tuple[Any, ...]]:
    rows: dict[Key, tuple[Any, ...]] = {}
    for key in draw(st.lists(GOODS, unique=True, max_size=7)):
        number = draw(st.sampled_from([None, *categories]))
        hidden = number is None or categories[number][4] or (not shown_only and draw(st.booleans()))
        retired = bool(hidden and not shown_only and draw(st.booleans()))
        rows[key] = (draw(NAMES), number, draw(st.sampled_from([None, Decimal("1.5"), Decimal(2)])), hidden, retired)
    return rows


@st.composite
def sides(draw: st.DrawFn) -> Two:
    """A sound catalogue with its redirects and files, and a store that holds anything sound of ours."""
    both = []
    for shown_only in (True, False):
        categories = tree(draw, shown_only)
        redirects = draw(st.dictionaries(st.sampled_from("abc"), st.tuples(NUMBERS, st.just(["x"]), NUMBERS)))
        files = draw(st.dictionaries(st.just("feed.xml"), st.sampled_from("pq")))
        both.append(replace(contents(categories, goods(draw, categories, shown_only), redirects), files=files))
    some = st.sets(NUMBERS), st.sets(GOODS)
    held, retire = ({"category": draw(some[0]), "offer": draw(some[1])} for _ in range(2))
    return Two(both[0], both[1], Absent(held, retire))


Table = dict[Key, dict[str, Any]]


def table(rows: Rows) -> Table:
    return {key: rows.row(key) for key in rows}


def kept(two: Two) -> set[tuple[str, Key]]:
    """What is held: the goods and categories themselves and all above those categories."""
    out: set[tuple[str, Key]] = {("offer", key) for key in two.absent.held["offer"]}
    for start in two.absent.held["category"]:
        step: Key | None = start
        while step is not None and step in two.present.categories.rows:
            out.add(("category", step))
            step = two.present.categories.value(step, "parent_number")
    return out


class Store:
    """A plain store that does what an operation says, and complains where a real one could not."""

    def __init__(self, two: Two) -> None:
        self.two = two
        self.tables: dict[str, Table] = {
            entity: table(two.present.table(entity)) for entity in ("category", "offer", "redirect")
        }  # fmt: skip
        self.files = dict(two.present.files)

    def run(self, found: tuple[Operation, ...]) -> None:
        for operation in found:
            rows = self.tables.get(operation.entity, {})
            wanted = self.two.wanted.table(operation.entity)
            if operation.kind == "publish":
                self.files[str(operation.key)] = operation.changes["sha256"][1]
            elif operation.kind == "unredirect":
                del rows[operation.key]
            elif operation.kind == "create":
                assert operation.key not in rows
                rows[operation.key] = wanted.row(operation.key)
            else:
                row = rows.setdefault(operation.key, {}) if operation.kind == "redirect" else rows[operation.key]
                for name, (_, new) in operation.changes.items():
                    row[name] = wanted.value(operation.key, name) if operation.key in wanted.rows else new
            self.check(operation)

    def check(self, operation: Operation) -> None:
        categories = self.tables["category"]
        row = self.tables.get(operation.entity, {}).get(operation.key, {})
        if operation.kind in ("create", "move", "assign", "restore"):
            above = row["parent_number" if operation.entity == "category" else "category_number"]
            if not row["hidden"]:
                assert above is None or not categories[above]["hidden"], "what comes has a place to come to"
        if operation.kind == "hide" and operation.entity == "category":
            below = [r for r in categories.values() if r["parent_number"] == operation.key]
            inside = [r for key, r in self.tables["offer"].items()
                      if r["category_number"] == operation.key and ("offer", key) not in kept(self.two)]  # fmt: skip
            assert all(r["hidden"] for r in [*below, *inside]), "what leaves is empty by then"


@given(sides())
def test_a_store_that_does_what_the_plan_lists_holds_what_is_wanted(two):
    store = Store(two)
    store.run(operations(two.wanted, two.present, two.absent))
    for entity in ("category", "offer"):
        wanted, present, found = two.wanted.table(entity), two.present.table(entity), store.tables[entity]
        assert set(found) == set(wanted) | set(present), "nothing is deleted"
        for key, row in found.items():
            if key in wanted.rows:
                assert row == wanted.row(key)
            elif (entity, key) in kept(two):
                assert row == present.row(key)
            else:
                before = present.row(key)
                due = before["hidden"] and key in two.absent.retire[entity]
                assert row == before | {"hidden": True, "retired": before["retired"] or due}
    assert store.tables["redirect"] == table(two.wanted.redirects)
    assert store.files == {**two.present.files, **two.wanted.files}


@given(sides())
def test_the_plan_lists_each_row_once_with_what_differs_and_no_other(two):
    found = operations(two.wanted, two.present, two.absent)
    assert len({(operation.entity, operation.key) for operation in found}) == len(found)
    for operation in found:
        present = two.present.table(operation.entity)
        if operation.key in present.rows and operation.kind != "unredirect":
            assert operation.changes
            before = {"old_path": None} | present.row(operation.key)
            assert all(new != old == _plain(before[name]) for name, (old, new) in operation.changes.items())


def _plain(value: Any) -> Any:
    return {Decimal("1.5"): "1.5", Decimal(2): "2"}.get(value, value) if isinstance(value, Decimal) else value


@given(sides())
def test_equal_sides_need_nothing(two):
    assert operations(two.wanted, two.wanted, two.absent) == ()


@given(sides(), st.randoms(use_true_random=False))
def test_the_order_in_which_a_store_lists_its_rows_changes_no_plan(two, random):
    def mixed(rows: Rows) -> Rows:
        items = list(rows.rows.items())
        random.shuffle(items)
        return Rows(rows.columns, dict(items))

    other = Contents(*(mixed(two.present.table(entity)) for entity in ("category", "offer", "redirect")),
                     files=two.present.files)  # fmt: skip
    held, retire = ({name: sorted(keys, reverse=True) for name, keys in side.items()}
                    for side in (two.absent.held, two.absent.retire))  # fmt: skip
    lines = [[operation.line() for operation in operations(two.wanted, *more)]
             for more in ((two.present, two.absent), (other, Absent(held, retire)))]  # fmt: skip
    assert lines[0] == lines[1]


# --- order ---


def test_what_comes_stands_before_what_leaves_and_redirects_and_files_come_last():
    present = contents(
        {1: category("Дім"), 2: (*category("Посуд", 1)[:3], 2, False, False), 3: ("Чашки", 2, [], 3, False, False)},
        {11: ("а", 3, None, False, False), 12: ("б", 1, None, False, False), 13: ("в", 1, None, False, False)},
        {"old": (9, ["a"], 9), "gone": (8, ["b"], 8)},
    )
    wanted = contents(
        {1: category("Хата"), 5: category("Нова", 1), 6: category("Нижче", 5)},
        {13: ("в", None, None, True, False), 21: ("новий", 6, None, False, False), 12: ("б", 5, None, False, False)},
        {"new": (3, ["Дім"], 1)},
    )
    found = operations(replace(wanted, files={"a.xml": "q", "b.xml": "s"}), replace(present, files={"b.xml": "s"}),
                       Absent())  # fmt: skip
    assert told(found) == [
        ("rename", "category", 1), ("create", "category", 5), ("create", "category", 6),
        ("create", "offer", 21), ("assign", "offer", 12),
        ("hide", "offer", 13), ("hide", "offer", 11),
        ("hide", "category", 3), ("hide", "category", 2),
        ("redirect", "redirect", "new"), ("unredirect", "redirect", "gone"), ("unredirect", "redirect", "old"),
        ("publish", "feed", "a.xml"),
    ]  # fmt: skip


def test_what_comes_keeps_the_catalogues_order_and_what_leaves_goes_by_number():
    wanted = contents({7: category("а"), 2: category("б"), 5: category("в")})
    assert [operation.key for operation in operations(wanted, Contents(), Absent())] == [7, 2, 5]
    assert [operation.key for operation in operations(Contents(), wanted, Absent())] == [2, 5, 7]


# --- kinds ---


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (("а", 1, 1, False, False), ("б", 1, 1, False, False), "rename"),
        (("а", 1, 1, False, False), ("а", 2, 1, False, False), "move"),
        (("а", 1, 1, False, False), ("б", 2, 1, False, False), "move"),
        (("а", 1, 1, False, False), ("а", 1, 2, False, False), "update"),
        (("а", 1, 1, True, False), ("б", 2, 2, False, False), "restore"),
        (("а", 1, 1, True, True), ("а", 1, 1, False, False), "restore"),
        (("а", 1, 1, True, True), ("а", 1, 1, True, False), "restore"),
        (("а", 1, 1, False, False), ("б", 2, 1, True, False), "hide"),
        (("а", 1, 1, True, False), ("б", 2, 1, True, True), "retire"),
    ],
)
def test_a_categorys_operation_is_called_by_the_most_telling_change(before, after, kind):
    columns = ("name", "parent_number", "depth", "hidden", "retired")
    found = operations(Contents(Rows(columns, {3: after})), Contents(Rows(columns, {3: before})), Absent())
    assert told(found) == [(kind, "category", 3)]
    assert set(found[0].changes) == {c for c, old, new in zip(columns, before, after, strict=True) if old != new}


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (("а", 1, Decimal(1), False, False), ("б", 2, Decimal(2), False, False), "assign"),
        (("а", 1, Decimal(1), False, False), ("б", 1, Decimal(2), False, False), "update"),
        (("а", 1, Decimal(1), False, False), ("а", None, Decimal(1), True, False), "hide"),
        (("а", 1, Decimal(1), True, False), ("а", 2, Decimal(1), False, False), "restore"),
    ],
)
def test_a_goods_operation_is_called_by_the_most_telling_change(before, after, kind):
    found = operations(contents(offers={11: after}), contents(offers={11: before}), Absent())
    assert told(found) == [(kind, "offer", 11)]


def test_an_operation_says_what_was_and_what_will_be_under_the_new_name():
    before, after = (Rows(OFFER, {11: ("а", 1, Decimal(price), False, False)}) for price in ("1.50", "2"))
    after = Rows(OFFER, {11: ("новий", *after.rows[11][1:])})
    assert operations(Contents(offers=after), Contents(offers=before), Absent()) == (
        Operation("update", "offer", 11, "новий", {"name": ("а", "новий"), "price": ("1.5", "2")}),
    )


def test_what_is_new_is_listed_by_what_identifies_it():
    wanted = contents({2: category("Чашки", 1), 3: category("Дім")}, {11: ("чашка", 2, Decimal(5), False, False)},
                      {"k": (2, ["Старе", "Чашки"], 2)})  # fmt: skip
    assert operations(wanted, Contents(), Absent()) == (
        Operation("create", "category", 2, "Чашки",
                  {"name": (None, "Чашки"), "parent_number": (None, 1), "hidden": (None, False)}),
        Operation("create", "category", 3, "Дім", {"name": (None, "Дім"), "hidden": (None, False)}),
        Operation("create", "offer", 11, "чашка",
                  {"name": (None, "чашка"), "category_number": (None, 2), "hidden": (None, False)}),
        Operation("redirect", "redirect", "k", "Старе > Чашки",
                  {"old_number": (None, 2), "old_path": (None, ["Старе", "Чашки"]), "number": (None, 2)}),
    )  # fmt: skip


def test_what_leaves_is_listed_by_its_old_name_with_what_changes():
    present = contents({2: category("Чашки")}, {11: ("чашка", 2, None, False, False)}, {"k": (2, ["Старе", "Ч"], 2)})
    assert operations(Contents(), present, Absent()) == (
        Operation("hide", "offer", 11, "чашка", {"hidden": (False, True)}),
        Operation("hide", "category", 2, "Чашки", {"hidden": (False, True)}),
        Operation("unredirect", "redirect", "k", "Старе > Ч"),
    )
    hidden = contents({2: category("Чашки", hidden=True)}, {11: ("чашка", 2, None, True, False)})
    assert operations(Contents(), hidden, Absent(retire={"category": {2}, "offer": {11}})) == (
        Operation("retire", "offer", 11, "чашка", {"retired": (False, True)}),
        Operation("retire", "category", 2, "Чашки", {"retired": (False, True)}),
    )


def test_a_redirect_that_leads_elsewhere_is_written_again_with_what_changed():
    before, after = ({"k": (2, ["Старе"], number)} for number in (2, 3))
    found = operations(contents(redirects=after), contents(redirects=before), Absent())
    assert found == (Operation("redirect", "redirect", "k", "Старе", {"number": (2, 3)}),)


def test_a_file_is_published_where_its_content_differs_from_what_lies_there():
    wanted = Contents(files={"a": "new", "b": "same", "c": "first"})
    found = operations(wanted, Contents(files={"a": "old", "b": "same", "other": "x"}), Absent())
    assert found == (
        Operation("publish", "feed", "a", "a", {"sha256": ("old", "new")}),
        Operation("publish", "feed", "c", "c", {"sha256": (None, "first")}),
    )


# --- what a store can hold ---


def test_only_the_columns_that_a_store_holds_are_compared():
    present = Contents(Rows(("name", "color"), {1: ("а", "red"), 2: ("б", "red")}))
    wanted = contents({1: category("а", 9), 2: category("нова")})
    assert operations(wanted, present, Absent()) == (
        Operation("rename", "category", 2, "нова", {"name": ("б", "нова")}),
    )


def test_columns_are_compared_by_their_names_and_not_by_their_places():
    wanted = Contents(Rows(("name", "title", "hidden"), {1: ("а", "б", False), 2: ("в", "в", False)}))
    present = Contents(Rows(("title", "name", "hidden"), {1: ("а", "б", False), 2: ("в", "в", False)}))
    assert operations(wanted, present, Absent()) == (
        Operation("rename", "category", 1, "а", {"name": ("б", "а"), "title": ("а", "б")}),
    )


def test_a_new_row_is_told_by_those_columns_that_the_store_has():
    wanted = Contents(Rows(("name", "hidden"), {1: ("а", False)}))
    assert operations(wanted, Contents(), Absent()) == (
        Operation("create", "category", 1, "а", {"name": (None, "а"), "hidden": (None, False)}),
    )


def test_a_store_that_cannot_hide_rows_loses_them_and_retires_none():
    present = Contents(offers=Rows(("name",), {11: ("а",), 12: ("б",)}))
    found = operations(Contents(), present, Absent(retire={"offer": {11, 12}}))
    assert told(found) == [("hide", "offer", 11), ("hide", "offer", 12)]


def test_a_store_that_cannot_retire_rows_is_left_alone_once_they_are_hidden():
    present = Contents(offers=Rows(("name", "hidden"), {11: ("а", True)}))
    assert operations(Contents(), present, Absent(retire={"offer": {11}})) == ()


# --- what is absent ---


@pytest.mark.parametrize(
    ("hidden", "retired", "due", "kinds"),
    [
        (False, False, False, ["hide"]), (False, False, True, ["hide"]), (True, False, False, []),
        (True, False, True, ["retire"]), (True, True, True, []),
    ],
)  # fmt: skip
def test_only_what_is_hidden_and_due_is_retired(hidden, retired, due, kinds):
    present = contents({1: category("а", hidden=hidden, retired=retired)})
    found = operations(Contents(), present, Absent(retire={"category": {1}} if due else {}))
    assert [operation.kind for operation in found] == kinds


def test_what_is_held_stays_as_it_is_and_so_do_the_categories_above_it():
    present = contents(
        {
            1: category("Дім"),
            2: category("Посуд", 1),
            3: category("Чашки", 2),
            4: category("Інше", 1),
            5: category("К"),
        },
        {11: ("а", 3, None, False, False), 12: ("б", 4, None, False, False)},
    )
    found = operations(Contents(), present, Absent(held={"category": [3, 77], "offer": [11]}))
    assert told(found) == [("hide", "offer", 12), ("hide", "category", 4), ("hide", "category", 5)]


def test_what_is_held_is_not_retired():
    present = contents({1: category("а", hidden=True)}, {11: ("а", 1, None, True, False)})
    keys = {"category": [1], "offer": [11]}
    assert operations(Contents(), present, Absent(held=keys, retire=keys)) == ()


def test_a_loop_of_parents_that_an_editor_made_hangs_no_plan():
    present = contents({1: category("а", 2), 2: category("б", 1), 3: category("в", 9)})
    assert operations(Contents(), present, Absent(held={"category": [1, 3]})) == ()
    assert operations(Contents(), Contents(), Absent(held={"category": [1]})) == ()


# --- a plan that is old ---


@given(sides(), st.sets(st.integers(0, 30)))
def test_what_the_plan_lists_may_be_done_already_and_anything_else_makes_it_stale(two, done):
    planned = operations(two.wanted, two.present, two.absent)
    left = [operation for place, operation in enumerate(planned) if place not in done]
    assert unplanned(planned, left) == []
    assert unplanned(left, planned) == [operation for operation in planned if operation not in left]


def test_an_operation_with_another_old_or_new_value_is_not_the_planned_one():
    hide = Operation("hide", "offer", 1, "а", {"hidden": (False, True)})
    others = [
        replace(hide, key=2), replace(hide, kind="update"), replace(hide, entity="category"), replace(hide, name="б"),
        replace(hide, changes={"hidden": (None, True)}), replace(hide, changes={"hidden": (False, False)}),
    ]  # fmt: skip
    assert unplanned([hide], [hide, *others]) == others


# --- the catalogue as rows ---


def test_every_category_and_good_of_the_catalogue_is_wanted_living_with_plain_values():
    made = catalogue(branch(1), {11: 2, 12: None})
    made.offers["retail_price"] = pd.array(["12.50", None], dtype=DECIMAL)
    redirects = Rows(REDIRECT_COLUMNS, {"k": (1, ["а"], 1)})
    found = wanted_contents(made, redirects)
    assert found.categories == Rows(
        ("name", "parent_number", "path", "depth", "hidden", "retired"),
        {1: ("Дім", None, ["Дім"], 1, False, False), 2: ("Розділ 2", 1, ["Дім", "Розділ 2"], 2, False, False)},
    )
    assert found.offers.columns == OFFER_COLUMNS
    assert list(found.offers) == [11, 12]
    row = found.offers.row(11)
    assert {name: row[name] for name in row if row[name] is not None} == {
        "name": "Товар 11", "category_number": 2, "retail_price": Decimal("12.5"), "hidden": False, "retired": False,
    }  # fmt: skip
    assert (found.offers.value(12, "category_number"), found.offers.value(12, "hidden")) == (None, True)
    assert found.redirects is redirects
    assert operations(found, wanted_contents(made, redirects), Absent()) == ()
