"""What leaves the catalogue: tombstones, redirects, and what the quarantine holds in its place."""

from __future__ import annotations

import pandas as pd

from schemas.contents import Rows
from stores.feeds.trs_goods import feed_goods
from tests.transforms.catalogues import catalogue
from transforms.absence import Tombstone, by_entity, due, next_tombstones
from transforms.carry_over import carry_over
from transforms.plan import REDIRECT_COLUMNS
from transforms.redirects import Retirement, expired_redirects, next_redirects, redirect_id

TREE = {1: (None, "Дім"), 2: (1, "Посуд"), 3: (2, "Чашки"), 4: (2, "Кухлі"), 5: (None, "Сад")}
GOODS = {n: n % 5 + 1 for n in range(1, 21)}
BEFORE = catalogue(TREE, GOODS)


def without(*numbers: int, goods: dict | None = None, tree: dict | None = None):
    left = {n: row for n, row in (tree or TREE).items() if n not in numbers}
    kept = goods if goods is not None else {g: c for g, c in GOODS.items() if c not in numbers}
    return catalogue(left, kept)


# --- tombstones ---


def test_what_is_gone_gets_a_stone_with_its_last_path_and_what_is_there_gets_none():
    tombstones = next_tombstones({}, BEFORE, without(4), {}, "2026-01-01")
    assert {key for entity, key in tombstones if entity == "category"} == {4}
    assert {key for entity, key in tombstones if entity == "offer"} == {3, 8, 13, 18}
    assert tombstones["category", 4] == Tombstone("category", 4, "2026-01-01", 1, ("Дім", "Посуд", "Кухлі"), 2)
    assert tombstones["offer", 3] == Tombstone("offer", 3, "2026-01-01", 1, (), None)
    assert list(tombstones) == sorted(tombstones)
    mirrored = catalogue(dict(reversed(TREE.items())), dict(reversed(GOODS.items())))
    assert list(next_tombstones({}, mirrored, without(4), {}, "2026-01-01")) == list(tombstones)
    assert next_tombstones({}, None, without(4), {}, "2026-01-01") == {}


def test_a_stone_counts_each_night_once_and_is_gone_when_its_row_is_back():
    now = without(4)
    first = next_tombstones({}, BEFORE, now, {}, "2026-01-01")
    again = next_tombstones(first, now, now, {}, "2026-01-01")
    second = next_tombstones(again, now, now, {}, "2026-01-02")
    assert first == again
    tombstone = second["category", 4]
    assert (tombstone.nights, tombstone.last_night) == (2, "2026-01-02")
    assert next_tombstones(second, now, BEFORE, {}, "2026-01-03") == {}


def test_what_the_quarantine_holds_gets_no_stone_and_grows_no_older():
    held = {"category": [4], "offer": [3, 8, 13, 18]}
    assert next_tombstones({}, BEFORE, without(4), held, "2026-01-01") == {}
    first = next_tombstones({}, BEFORE, without(4), {}, "2026-01-01")
    assert next_tombstones(first, BEFORE, without(4), held, "2026-01-02") == first
    mixed = next_tombstones(first, BEFORE, without(4), {"offer": [4]}, "2026-01-02")
    assert mixed["category", 4].nights == 2, "a good's key holds no category"


def test_what_had_been_absent_for_long_enough_before_tonight_is_due():
    tombstones = [Tombstone("category", n, f"2026-01-0{n}", nights) for n, nights in ((1, 3), (2, 4), (3, 2))]
    assert [s.key for s in due(tombstones, 3, "2026-01-09")] == [1, 2]
    assert [s.key for s in due(tombstones, 3, "2026-01-01")] == [2], "tonight itself does not count"
    assert [s.key for s in due(tombstones, 3, "2026-01-02")] == [1, 2]
    assert by_entity(tombstones) == {"category": {1, 2, 3}, "offer": set()}


# --- redirects ---


def led(found: Rows) -> dict[tuple[str, ...], tuple[int, int]]:
    """Old path → (old number, number)."""
    return {tuple(row[1]): (row[0], row[2]) for row in found.rows.values()}


NONE = Rows(REDIRECT_COLUMNS)


def test_a_renamed_or_moved_category_leaves_its_old_address_to_itself_with_all_below_it():
    after = catalogue({**TREE, 2: (5, "Посуд")}, GOODS)
    found = next_redirects(NONE, BEFORE, after)
    assert led(found.kept) == {
        ("Дім", "Посуд"): (2, 2), ("Дім", "Посуд", "Чашки"): (3, 3), ("Дім", "Посуд", "Кухлі"): (4, 4),
    }  # fmt: skip
    assert found.emitted.rows == found.kept.rows
    assert list(found.kept.rows) == sorted(found.kept.rows)
    assert set(found.kept.rows) == {redirect_id(path) for path in led(found.kept)}
    assert next_redirects(NONE, BEFORE, BEFORE).kept.rows == {}
    assert next_redirects(NONE, None, after).kept.rows == {}


def test_a_category_whose_goods_went_elsewhere_leads_to_where_most_of_them_are():
    goods = {g: (c if c != 4 else 3 if g < 15 else 5) for g, c in GOODS.items()}
    assert led(next_redirects(NONE, BEFORE, without(4, goods=goods)).kept) == {("Дім", "Посуд", "Кухлі"): (4, 3)}
    tie = {g: (c if c != 4 else 5 if g < 10 else 3) for g, c in GOODS.items()}
    assert led(next_redirects(NONE, BEFORE, without(4, goods=tie)).kept) == {("Дім", "Посуд", "Кухлі"): (4, 3)}
    hidden = {g: (c if c != 4 else None) for g, c in GOODS.items()}
    assert led(next_redirects(NONE, BEFORE, without(4, goods=hidden)).kept) == {}, "nobody knows where they are"
    assert led(next_redirects(NONE, BEFORE, without(4)).kept) == {}


def test_a_buried_category_leads_to_its_nearest_living_ancestor():
    retirements = [
        Retirement(3, ("Дім", "Посуд", "Чашки"), 2),
        Retirement(2, ("Дім", "Посуд"), 1),
        Retirement(9, ("Ніде",), None),
    ]
    after = without(2, 3, 4)
    assert led(next_redirects(NONE, after, after, retirements).kept) == {
        ("Дім", "Посуд", "Чашки"): (3, 1), ("Дім", "Посуд"): (2, 1),
    }  # fmt: skip
    lost = [Retirement(3, ("а",), 77)]
    assert led(next_redirects(NONE, after, after, lost).kept) == {}, "nobody knows what stood above it"
    loop = [Retirement(3, ("а",), 2), Retirement(2, ("б",), 3)]
    assert led(next_redirects(NONE, after, after, loop).kept) == {}
    alive = [Retirement(5, ("Сад",), 1)]
    assert led(next_redirects(NONE, after, after, alive).kept) == {}


def known(*rows: tuple[int, tuple[str, ...], int]) -> Rows:
    return Rows(REDIRECT_COLUMNS, {redirect_id(path): (old, list(path), number) for old, path, number in rows})


def test_the_key_of_an_address_is_what_the_states_of_running_shops_hold():
    assert redirect_id(("Дім", "Посуд")) == "930cc4f5dc4fcb46349dce7b8828beaf"
    assert redirect_id(("ab", "c")) != redirect_id(("a", "bc"))


def test_a_category_that_moved_leads_to_where_most_of_its_goods_are():
    goods = {g: (5 if c == 3 else c) for g, c in GOODS.items()}
    tree = {n: row for n, row in TREE.items() if n != 4}
    after = catalogue({**tree, 3: (5, "Чашки")}, {g: c for g, c in goods.items() if c != 4})
    assert led(next_redirects(NONE, BEFORE, after).kept) == {("Дім", "Посуд", "Чашки"): (3, 5)}
    few = {g: (5 if g == 2 else c) for g, c in GOODS.items()}
    after = catalogue({**TREE, 3: (5, "Чашки")}, few)
    assert led(next_redirects(NONE, BEFORE, after).kept) == {("Дім", "Посуд", "Чашки"): (3, 3)}


def test_a_buried_category_that_is_back_under_another_name_leads_nowhere_else():
    back = [Retirement(5, ("Старий сад",), 1)]
    assert led(next_redirects(NONE, BEFORE, BEFORE, back).kept) == {}


def test_an_address_waits_for_what_is_buried_without_a_living_ancestor():
    waiting = known((8, ("Старе",), 4))
    retirements = [Retirement(4, ("Кухлі",), None)]
    assert led(next_redirects(waiting, without(4), without(4), retirements).kept) == {("Старе",): (8, 4)}


def test_chains_are_collapsed_when_what_they_lead_to_is_merged_or_buried():
    merged = without(4, goods={g: 3 if c == 4 else c for g, c in GOODS.items()})
    chain = known((8, ("Старе",), 4), (7, ("Інше",), 5))
    assert led(next_redirects(chain, BEFORE, merged).kept) == {
        ("Старе",): (8, 3), ("Інше",): (7, 5), ("Дім", "Посуд", "Кухлі"): (4, 3),
    }  # fmt: skip
    after = without(3, 4)
    retirements = [Retirement(4, ("Дім", "Посуд", "Кухлі"), 2)]
    assert led(next_redirects(chain, after, after, retirements).kept)["Старе",] == (8, 2)


def test_a_living_categorys_address_is_never_redirected_and_a_dead_ones_target_waits():
    taken = known((8, ("Сад",), 1))
    assert next_redirects(taken, BEFORE, BEFORE).kept.rows == {}
    waiting = known((8, ("Старе",), 4))
    found = next_redirects(waiting, without(4), without(4))
    assert led(found.kept) == {("Старе",): (8, 4)}
    assert found.emitted.rows == {}
    assert led(next_redirects(found.kept, without(4), BEFORE).emitted) == {("Старе",): (8, 4)}


def test_a_known_redirect_of_a_buried_category_stays_where_its_goods_went():
    merged = known((4, ("Дім", "Посуд", "Кухлі"), 3))
    after = without(4)
    retirements = [Retirement(4, ("Дім", "Посуд", "Кухлі"), 2)]
    assert led(next_redirects(merged, after, after, retirements).kept) == {("Дім", "Посуд", "Кухлі"): (4, 3)}


def test_an_expired_redirect_leads_nowhere_and_is_remembered_so_that_a_buried_category_leaves_no_new_one():
    old = known((4, ("Дім", "Посуд", "Кухлі"), 2), (8, ("Старе",), 4), (9, ("Давнє",), 5))
    retirements = [Retirement(4, ("Дім", "Посуд", "Кухлі"), 2)]
    after = without(4)
    expired = {redirect_id(path) for path in (("Дім", "Посуд", "Кухлі"), ("Старе",))}
    found = next_redirects(old, after, after, retirements, expired)
    assert found.kept.rows == old.rows, "as they were, wherever their category went"
    assert led(found.emitted) == {("Давнє",): (9, 5)}
    assert found.new_redirects == frozenset()


def test_an_address_that_expired_and_is_left_again_is_a_fresh_one():
    old, path = known((4, ("Дім", "Посуд", "Кухлі"), 2)), ("Дім", "Посуд", "Кухлі")
    found = next_redirects(old, BEFORE, catalogue({**TREE, 4: (5, "Кухлі")}, GOODS), (), {redirect_id(path)})
    assert led(found.emitted) == {path: (4, 4)}
    assert found.new_redirects == {redirect_id(path)}
    assert next_redirects(found.kept, BEFORE, BEFORE).new_redirects == frozenset(), "one that is shown is none"


def test_a_redirect_expires_by_its_months_and_no_jump_of_the_clock_brings_more_than_a_month_of_that():
    since = {"a": "2026-01-01", "b": "2026-02-20", "c": "2039-01-01"}
    assert expired_redirects(since, "2026-12-27", "2026-12-26", 12) == frozenset()
    assert expired_redirects(since, "2026-12-28", "2026-12-27", 12) == {"a"}
    assert expired_redirects(since, "2038-01-01", "2026-12-01", 12) == {"a"}
    assert expired_redirects(since, "2026-12-27", "2026-11-22", 12) == frozenset()
    assert expired_redirects(since, "2038-01-01", "2038-01-01", 12) == {"a", "b"}
    assert expired_redirects(since, "2038-01-01", None, 12) == {"a", "b"}
    assert expired_redirects(since, "2026-12-28", "2038-01-01", 12) == {"a"}, "the clock is right again"


# --- what the quarantine holds ---


def test_nothing_held_gives_the_very_same_catalogue():
    after = without(4)
    assert carry_over(after, BEFORE, {}) is after
    assert carry_over(after, BEFORE, {"offer": [1], "category": [2]}) is after, "both are there anyway"
    assert carry_over(after, BEFORE, {"offer": [999], "category": [999]}) is after, "nobody knew them"


def test_a_held_good_stays_in_its_place_with_name_category_and_type():
    goods = {g: c for g, c in GOODS.items() if g not in (1, 7, 8, 20)}
    found = carry_over(catalogue(TREE, goods), BEFORE, {"offer": [1, 7, 8, 20]})
    pd.testing.assert_frame_equal(found.offers, BEFORE.offers)
    assert list(found.assignments["good_id"]) == list(GOODS)
    by = dict(zip(found.assignments["good_id"], found.assignments["decided_by"], strict=True))
    assert {good for good, how in by.items() if how == "held"} == {1, 7, 8, 20}
    pd.testing.assert_frame_equal(found.categories, BEFORE.categories)
    assert len(feed_goods(found.offers, found.product_types, found.assignments, found.sections)) == len(GOODS)


def test_a_held_good_of_a_type_that_is_gone_brings_its_type_along():
    types = {n: (None, f"Вид {n}") for n in range(1, 6)}
    after = catalogue(
        TREE, {g: c for g, c in GOODS.items() if c != 4}, types={n: r for n, r in types.items() if n != 4}
    )
    found = carry_over(after, catalogue(TREE, GOODS, types=types), {"offer": [3]})
    assert set(found.product_types["type_id"]) == {1, 2, 3, 4, 5}
    goods = feed_goods(found.offers, found.product_types, found.assignments, found.sections)
    assert goods.set_index("good_id").loc[3, "good_type_name"] == "Вид 4"


def test_a_held_category_keeps_those_above_it_and_takes_todays_names():
    tree = {1: (None, "Оселя"), 5: (None, "Сад")}
    after = catalogue(tree, {g: 5 for g in GOODS})
    found = carry_over(after, BEFORE, {"category": [3]})
    rows = {int(r["number"]): r for r in found.categories.to_dict("records")}
    assert set(rows) == {1, 2, 3, 5}
    assert rows[3]["path"] == ["Оселя", "Посуд", "Чашки"]
    assert (rows[3]["depth"], rows[3]["parent_number"], rows[2]["parent_number"]) == (3, 2, 1)
    assert [rows[n]["goods"] for n in (1, 2, 3, 5)] == [0, 0, 0, 20]
    assert set(found.sections["number"]) == {1, 2, 3, 5}
    order = list(found.categories["number"])
    assert order.index(2) < order.index(3)


def test_a_held_good_whose_category_is_gone_for_another_reason_is_hidden():
    after = without(4)
    found = carry_over(after, BEFORE, {"offer": [3]})
    row = found.offers.set_index("good_id").loc[3]
    assert row["hidden"]
    assert pd.isna(row["category_number"])
    assert pd.isna(found.assignments.set_index("good_id").loc[3, "category_number"])
    both = carry_over(after, BEFORE, {"offer": [3], "category": [4]})
    kept = both.offers.set_index("good_id").loc[3]
    assert (kept["category_number"], kept["hidden"]) == (4, False)
    assert both.categories.set_index("number").loc[4, "goods"] == 1


def test_a_number_that_means_another_section_tonight_is_not_held():
    other = catalogue({**{n: r for n, r in TREE.items() if n != 4}, 4: (1, "Нове")}, GOODS, identities={4: "type:77"})
    assert carry_over(other, BEFORE, {"category": [4]}) is other


def test_a_held_root_and_a_held_category_without_its_parent_stand_at_the_top():
    gone = without(1, 2, 3, 4, goods={g: 5 for g in GOODS})
    found = carry_over(gone, BEFORE, {"category": [1]})
    root = {int(r["number"]): r for r in found.categories.to_dict("records")}[1]
    assert (root["path"], root["depth"], pd.isna(root["parent_number"])) == (["Дім"], 1, True)
    taken = catalogue({5: (None, "Сад"), 2: (5, "Інше")}, {g: 5 for g in GOODS}, identities={2: "type:9"})
    orphan = {int(r["number"]): r for r in carry_over(taken, BEFORE, {"category": [3]}).categories.to_dict("records")}[
        3
    ]
    assert orphan["path"][-1] == "Чашки"


def test_held_goods_follow_todays_order_of_the_others():
    today = {g: GOODS[g] for g in (20, 19, 5, 4, 3, 2)}
    found = carry_over(catalogue(TREE, today), BEFORE, {"offer": [1, 6, 7, 18]})
    assert list(found.offers["good_id"]) == [1, 20, 19, 5, 6, 7, 18, 4, 3, 2]


def test_many_goods_outvote_few_wherever_a_category_was_merged():
    goods = {g: (c if c != 4 else (3 if g == 3 else 5)) for g, c in GOODS.items()}
    assert led(next_redirects(NONE, BEFORE, without(4, goods=goods)).kept)[("Дім", "Посуд", "Кухлі")] == (4, 5)


def test_a_held_category_whose_parent_has_another_number_tonight_stands_at_the_top():
    tree = {1: TREE[1], 22: (1, "Посуд"), 5: TREE[5]}
    found = carry_over(catalogue(tree, {1: 22}, identities={22: "torgsoft:2"}), BEFORE, {"category": [3]})
    rows = {int(r["number"]): r for r in found.categories.to_dict("records")}
    assert set(rows) == {1, 22, 5, 3}
    assert (rows[3]["path"], rows[3]["depth"], pd.isna(rows[3]["parent_number"])) == (["Чашки"], 1, True)
    assert list(found.categories.index) == list(found.sections.index) == [0, 1, 2, 3]


def test_a_held_good_that_was_hidden_stays_hidden():
    before = catalogue(TREE, GOODS)
    before.offers.loc[before.offers["good_id"] == 1, "hidden"] = True
    found = carry_over(catalogue(TREE, {g: c for g, c in GOODS.items() if g > 2}), before, {"offer": [1, 2]})
    assert list(found.offers["hidden"][:3]) == [True, False, False]
