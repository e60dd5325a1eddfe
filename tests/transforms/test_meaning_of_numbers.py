"""A number means its goods: when a section is the same, when its number means another, and where its address leads."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import Catalogue
from schemas.contents import Rows
from schemas.registry import Meaning, Registry
from tests.transforms.catalogues import branch, catalogue
from transforms.goods_flow import goods_flow
from transforms.numbers import meanings_of, number_changes
from transforms.plan import REDIRECT_COLUMNS
from transforms.redirects import Retirement, next_redirects, redirect_id
from transforms.values import key_or_none

NONE = Rows(REDIRECT_COLUMNS)
TREE = {1: (None, "Дім"), 2: (1, "Посуд"), 3: (2, "Чашки"), 4: (2, "Кухлі"), 5: (1, "Сад")}
GOODS = {n: 3 for n in range(1, 9)} | {n: 4 for n in range(9, 17)}
BEFORE = catalogue(TREE, GOODS)


def changes(after: Catalogue, before: Catalogue = BEFORE) -> dict[int, str]:
    """Number → kind, for a shop whose numbers mean what the catalogue before says."""
    known = Registry({meaning.number: meaning for meaning in meanings_of(before.sections)})
    found = number_changes(meanings_of(after.sections), known, goods_flow(before, after))
    return {change.number: change.kind for change in found}


def led(known: Rows) -> dict[tuple[str, ...], int]:
    return {tuple(row[1]): row[2] for row in known.rows.values()}


def kept(number: int, count: int) -> dict[int, int | None]:
    """The goods with so many of the number's still in it; the others are in 5."""
    mine = [good for good, where in GOODS.items() if where == number]
    return {good: (5 if good in mine[count:] else where) for good, where in GOODS.items()}


# --- meaning ---


@pytest.mark.parametrize("identity", ["torgsoft:3", "type:77"])
def test_a_section_keeps_its_meaning_while_half_of_its_goods_are_in_it(identity):
    renamed_and_moved = {**TREE, 3: (5, "Скло")}
    half = catalogue(renamed_and_moved, kept(3, 4), identities={3: identity})
    assert changes(half) == {3: "renamed"}
    fewer = catalogue(renamed_and_moved, kept(3, 3), identities={3: identity})
    assert changes(fewer) == {3: "number_reused"}


def test_a_section_that_lost_its_goods_and_kept_its_name_is_the_same():
    assert changes(catalogue(TREE, kept(3, 0))) == {}
    assert changes(catalogue({**TREE, 3: (5, "Чашки")}, kept(3, 0))) == {3: "moved"}
    assert changes(catalogue({**TREE, 3: (2, " ЧАШКИ")}, kept(3, 0))) == {3: "renamed"}, "case and blanks are no name"


def test_another_key_alone_is_no_other_meaning_and_with_another_parent_and_without_the_goods_it_is():
    anew = {3: "torgsoft:9"}
    assert changes(catalogue(TREE, kept(3, 0), identities=anew)) == {}
    assert changes(catalogue({**TREE, 3: (5, "Чашки")}, kept(3, 0), identities=anew)) == {3: "number_reused"}
    assert changes(catalogue({**TREE, 3: (5, "Чашки")}, GOODS, identities=anew)) == {3: "moved"}


def test_goods_that_are_there_on_one_night_only_say_nothing():
    after = catalogue({**TREE, 3: (2, "Скло")}, {**{n: 3 for n in (1, 2)}, **{n: 3 for n in range(30, 40)}})
    assert changes(after) == {3: "renamed"}
    gone = catalogue({**TREE, 3: (2, "Скло")}, {1: 5, **{n: 3 for n in range(30, 40)}})
    assert changes(gone) == {3: "number_reused"}, "the one good of both nights is elsewhere"


def test_a_hidden_good_has_not_stayed():
    hidden = {good: (None if where == 3 else where) for good, where in GOODS.items()}
    assert changes(catalogue({**TREE, 3: (2, "Скло")}, hidden)) == {3: "number_reused"}


@pytest.mark.parametrize(
    ("name", "parent", "identity", "kind"),
    [
        ("Чашки", 2, "torgsoft:3", None),
        ("Скло", 2, "torgsoft:3", "renamed"),
        ("Чашки", 5, "torgsoft:3", "moved"),
        ("Скло", 5, "torgsoft:3", "number_reused"),
        ("чашки ", 5, "torgsoft:3", "renamed"),
        ("Чашки", 2, "torgsoft:9", None),
        ("Скло", 2, "torgsoft:9", "number_reused"),
        ("Чашки", 5, "torgsoft:9", "number_reused"),
    ],
)
def test_without_goods_two_of_name_parent_and_key_decide(name, parent, identity, kind):
    before = Registry({3: Meaning(3, "torgsoft:3", "Чашки", 2, "torgsoft")})
    after = [Meaning(3, identity, name, parent, "torgsoft")]
    assert [change.kind for change in number_changes(after, before)] == ([kind] if kind else [])
    empty = goods_flow(catalogue(TREE, {}), catalogue(TREE, {}))
    assert [change.kind for change in number_changes(after, before, empty)] == ([kind] if kind else [])


def test_a_category_without_goods_is_judged_by_the_goods_below_it():
    moved = {**TREE, 2: (5, "Кухня")}
    assert changes(catalogue(moved, GOODS)) == {2: "renamed"}
    taken = {1: TREE[1], 2: (5, "Кухня"), 3: (1, "Чашки"), 4: (1, "Кухлі"), 5: TREE[5]}
    assert changes(catalogue(taken, GOODS)) == {2: "number_reused", 3: "moved", 4: "moved"}


def test_sections_that_exchange_their_names_have_other_meanings_two_or_more_of_them():
    two = {**TREE, 3: (2, "Кухлі"), 4: (2, "ЧАШКИ")}
    assert changes(catalogue(two, GOODS)) == {3: "number_reused", 4: "number_reused"}
    three = {**TREE, 3: (2, "Кухлі"), 4: (2, "Сад"), 5: (1, "Чашки")}
    assert changes(catalogue(three, GOODS)) == dict.fromkeys((3, 4, 5), "number_reused")
    chain = {**TREE, 3: (2, "Кухлі"), 4: (2, "Горщики")}
    assert changes(catalogue(chain, GOODS)) == {3: "renamed", 4: "renamed"}
    same = {**TREE, 3: (2, "Сад"), 5: (1, "Чашки")}
    assert changes(catalogue(same, GOODS)) == {3: "number_reused", 5: "number_reused"}, "without goods, too"


# --- addresses ---


def test_the_old_address_of_a_number_that_is_used_again_leads_to_where_its_goods_are():
    before = catalogue({1: (None, "Парфумерія"), 2: (1, "Чоловіча")}, {1: 2, 2: 2})
    after = catalogue(
        {1: (None, "Парфумерія"), 7: (None, "Обличчя"), 2: (7, "Догляд за порожниною рота")}, {1: 1, 2: 1},
        identities={2: "torgsoft:3"},
    )  # fmt: skip
    assert changes(after, before) == {2: "number_reused"}
    found = next_redirects(NONE, before, after)
    assert found.emitted.rows == {redirect_id(("Парфумерія", "Чоловіча")): (2, ["Парфумерія", "Чоловіча"], 1)}


def test_without_goods_it_leads_to_what_stood_above_it_and_never_to_the_number():
    before = catalogue(TREE, {})
    after = catalogue({**TREE, 3: (5, "Насіння")}, {})
    assert led(next_redirects(NONE, before, after).emitted) == {("Дім", "Посуд", "Чашки"): 2}
    root = catalogue({**TREE, 9: (None, "Сад")}, {})
    other = catalogue({**TREE, 9: (1, "Гараж")}, {})
    assert next_redirects(NONE, root, other).kept.rows == {}, "nothing stood above it"


def test_older_addresses_of_the_number_follow_its_goods_too_or_are_forgotten():
    known = Rows(REDIRECT_COLUMNS, {redirect_id(("Старе",)): (8, ["Старе"], 3)})
    taken = {**TREE, 3: (5, "Насіння")}
    moved = catalogue(taken, {good: (4 if where == 3 else where) for good, where in GOODS.items()})
    assert led(next_redirects(known, BEFORE, moved).emitted)["Старе",] == 4
    empty = {good: where for good, where in GOODS.items() if where != 3}
    before = catalogue({3: (None, "Чашки"), 5: (None, "Сад"), 4: (None, "Кухлі")}, empty)
    after = catalogue({3: (5, "Насіння"), 5: (None, "Сад"), 4: (None, "Кухлі")}, empty)
    assert led(next_redirects(known, before, after).kept) == {}
    same = catalogue({**TREE, 3: (5, "Чашки")}, GOODS)
    assert led(next_redirects(known, BEFORE, same).emitted)["Старе",] == 3


def test_a_number_that_the_registry_knows_as_another_section_gets_no_old_address():
    waiting = Rows(REDIRECT_COLUMNS, {redirect_id(("Старе",)): (8, ["Старе"], 9)})
    after = catalogue({**TREE, 9: (1, "Нове")}, GOODS)
    assert led(next_redirects(waiting, BEFORE, after).emitted) == {("Старе",): 9}
    assert led(next_redirects(waiting, BEFORE, after, reused=[9]).kept) == {}


def test_a_buried_category_does_not_lead_to_an_ancestors_number_that_is_used_again():
    retired = [Retirement(7, ("Дім", "Посуд", "Виделки"), 3)]
    after = catalogue({**TREE, 3: (5, "Насіння")}, kept(3, 0))
    assert ("Дім", "Посуд", "Виделки") not in led(next_redirects(NONE, BEFORE, after, retired).kept)
    assert led(next_redirects(NONE, BEFORE, BEFORE, retired).kept) == {("Дім", "Посуд", "Виделки"): 3}


def test_a_category_without_goods_leaves_its_address_to_what_holds_the_goods_below_it():
    tree = {1: TREE[1], 8: (1, "Кухня"), 3: (8, "Чашки"), 4: (8, "Кухлі"), 5: TREE[5]}
    found = led(next_redirects(NONE, BEFORE, catalogue(tree, GOODS)).emitted)
    assert found["Дім", "Посуд"] == 8
    apart = {1: TREE[1], 3: (1, "Чашки"), 4: (5, "Кухлі"), 5: TREE[5]}
    assert led(next_redirects(NONE, BEFORE, catalogue(apart, GOODS)).emitted)["Дім", "Посуд"] == 1


NUMBERS = st.integers(2, 7)
HELD = st.dictionaries(st.integers(1, 12), st.one_of(st.none(), NUMBERS), max_size=12)
NAMES = st.lists(st.sampled_from(["А", "Б", "В", "Г", "Ґ", "Д", "Е"]), min_size=6, max_size=6)


@st.composite
def nights(draw: st.DrawFn) -> Catalogue:
    """Six categories below one root, all or some of them there, with names that may repeat."""
    names, goods = draw(NAMES), draw(HELD)
    there = draw(st.sets(NUMBERS)) | {number for number in goods.values() if number}
    parents = {n: draw(st.sampled_from([1, *sorted(m for m in there if m < n)])) for n in sorted(there)}
    tree = {1: (None, "Дім"), **{n: (parents[n], f"{names[n - 2]}") for n in sorted(there)}}
    return catalogue(tree, goods)


def category_of(made: Catalogue) -> dict[int, int | None]:
    pairs = zip(made.assignments["good_id"], made.assignments["category_number"], strict=True)
    return {int(good): key_or_none(number) for good, number in pairs}


@given(nights(), nights())
def test_an_address_never_leads_to_a_category_that_fewer_of_its_goods_are_in_than_in_another(before, after):
    found = next_redirects(NONE, before, after)
    now = category_of(after)
    living = {int(n) for n in after.categories["number"]}
    shown = {tuple(path) for path in after.categories["path"]}
    reused = {n for n, kind in changes(after, before).items() if kind == "number_reused"}
    goods: dict[int, Counter[int]] = {}
    for good, number in category_of(before).items():
        target = now.get(good)
        if number is not None and target is not None:
            goods.setdefault(number, Counter())[target] += 1
    for number, path, target in found.kept.rows.values():
        assert target in living
        assert tuple(path) not in shown
        votes = goods.get(number, Counter())
        if votes:
            assert votes[target] == max(votes.values())
        elif target == number:
            assert number not in reused or goods_flow(before, after).heir(number) == number
    assert next_redirects(found.kept, after, after).kept.rows == found.kept.rows, "the next quiet night changes none"


@given(nights())
def test_a_night_without_change_reuses_no_number_and_leaves_no_address(night):
    assert changes(night, night) == {}
    assert next_redirects(NONE, night, night).kept.rows == {}


@given(nights(), nights())
def test_goods_are_counted_once(before, after):
    flow = goods_flow(before, after)
    both = set(before.assignments["good_id"]) & set(after.assignments["good_id"])
    held = before.assignments[before.assignments["good_id"].isin(both)]["category_number"].dropna()
    assert sum(sum(counts.values()) for counts in flow.now.values()) == len(held)
    for number in before.categories["number"]:
        had, stayed = flow.stayed(int(number))
        assert 0 <= stayed <= had


def test_a_root_with_many_categories_below_it_counts_them_all():
    tree = branch(40)
    flow = goods_flow(catalogue(tree, {n: n % 40 + 2 for n in range(200)}),
                      catalogue(tree, {n: n % 40 + 2 for n in range(200)}))  # fmt: skip
    assert flow.stayed(1) == (200, 200)
    assert flow.stayed(99) == (0, 0)
    assert flow.heir(99) is None
