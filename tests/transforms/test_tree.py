"""Trees of keys and parents: what is sound comes in a fixed order, what is not has a reason (design.md section 4)."""

from __future__ import annotations

from transforms.tree import check_tree, paths

UNKNOWN, SELF, ABOVE, CYCLE = "parent_unknown", "parent_self", "parent_quarantined", "parent_cycle"


def test_parents_come_first_and_siblings_by_their_keys_whatever_the_order_was():
    parents = {5: 1, 10: None, 3: 2, 2: 1, 1: None, 4: 2, 9: 10, 7: None}
    found = check_tree(parents)
    assert found.order == [1, 2, 3, 4, 5, 7, 10, 9]
    assert found.bad == {}
    assert check_tree(dict(reversed(parents.items()))) == found
    assert check_tree({"b": None, "a": None, "ab": "b"}).order == ["a", "b", "ab"]


def test_a_parent_that_is_not_there_takes_the_whole_subtree_along():
    found = check_tree({1: None, 2: 77, 3: 2, 4: 3, 5: 88, 6: 1}, quarantined=[88])
    assert found.order == [1, 6]
    assert found.bad == {
        2: (UNKNOWN, "parent 77"), 3: (ABOVE, "below 2"), 4: (ABOVE, "below 2"), 5: (ABOVE, "parent 88"),
    }  # fmt: skip


def test_a_key_that_is_its_own_parent_is_bad_with_all_below_it():
    assert check_tree({1: 1, 2: 1, 3: 2}).bad == {
        1: (SELF, "parent 1"), 2: (ABOVE, "below 1"), 3: (ABOVE, "below 1"),
    }  # fmt: skip


def test_the_members_of_a_cycle_are_told_from_what_hangs_below_it():
    parents = {1: None, 2: 4, 3: 2, 4: 3, 5: 4, 6: 5, 7: 8, 8: 7}
    found = check_tree(parents)
    assert check_tree(dict(reversed(parents.items()))) == found
    assert found.order == [1]
    loop, other = (CYCLE, "2 → 4 → 3 → 2"), (CYCLE, "7 → 8 → 7")
    assert found.bad == {2: loop, 3: loop, 4: loop, 5: (ABOVE, "below 4"), 6: (ABOVE, "below 5"), 7: other, 8: other}
    assert check_tree({1: 3, 3: 4, 4: 3}).bad == {
        1: (ABOVE, "below 3"), 3: (CYCLE, "3 → 4 → 3"), 4: (CYCLE, "3 → 4 → 3"),
    }  # fmt: skip


def test_a_path_is_the_names_from_the_root_down():
    parents = {1: None, 2: 1, 3: 2, 4: None}
    names = {1: "Дім", 2: "Посуд", 3: "Чашки", 4: "Сад"}
    assert paths([1, 2, 3, 4], parents, names) == {
        1: ["Дім"], 2: ["Дім", "Посуд"], 3: ["Дім", "Посуд", "Чашки"], 4: ["Сад"],
    }  # fmt: skip
