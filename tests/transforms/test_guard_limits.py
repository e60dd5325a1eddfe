"""Each guard at its limit and one above: what passes and what stops."""

from __future__ import annotations

import pandas as pd
import pytest

from schemas.contents import Contents, Rows
from schemas.errors import GuardStop, QuarantineLimit
from schemas.extract import Extract
from schemas.plan import GuardViolation, Operation
from schemas.registry import Meaning, NumberChange
from tests.pure import goods_frame, sections_frame, types_frame
from tests.transforms.catalogues import branch, catalogue
from transforms.guards import (
    GUARDS,
    Limits,
    catalogue_violations,
    category_violations,
    check_extract,
    check_quarantine,
    check_violations,
    extract_violations,
    history_violations,
    number_violations,
    store_violations,
    taken_violations,
)

LIMITS = Limits()
TREE = branch(40)


def goods(size: int, category: int | None = None) -> dict[int, int | None]:
    return {n: category or n % 40 + 2 for n in range(1, size + 1)}


def violations(before, after, limits: Limits = LIMITS) -> dict[str, tuple[int, int]]:
    """Guard → (measured, limit)."""
    return {t.guard: (t.measured, t.limit) for t in catalogue_violations(after, before, limits)}


def test_the_same_catalogue_again_trips_nothing():
    assert violations(catalogue(TREE, goods(200)), catalogue(TREE, goods(200))) == {}


@pytest.mark.parametrize("table", ["product types", "goods"])
def test_an_empty_table_stops_whatever_is_allowed(table):
    types, items = types_frame((1, None, "Дім")), goods_frame((1, 1))
    raw = Extract(
        types[:0] if table == "product types" else types, sections_frame(), items[:0] if table == "goods" else items
    )
    with pytest.raises(GuardStop, match=f"the base gave no {table}"):
        check_extract(raw)
    check_extract(Extract(types, sections_frame(), items))


@pytest.mark.parametrize(
    ("before", "after", "limit"),
    [(1000, 900, None), (1000, 899, 100), (100, 90, None), (100, 89, 10), (1005, 904, 100), (12, 7, None), (12, 6, 5),
     (3, 2, None), (2, 1, 0), (1, 1, None), (5, 9, None)],
)  # fmt: skip
def test_an_extract_may_lose_a_tenth_or_ten_rows_and_never_half(before, after, limit):
    found = extract_violations({"raw_goods": after}, {"raw_goods": before}, LIMITS)
    assert [t.limit for t in found] == ([] if limit is None else [limit])
    for violation in found:
        assert (violation.guard, violation.measured) == ("short_extract", before - after)
        assert violation.message == f"the base gave {after} rows of goods, {before} in the last run"


def test_a_table_that_the_last_run_did_not_count_cannot_be_short():
    assert extract_violations({"raw_goods": 0}, {}, LIMITS) == []


def test_a_catalogue_that_lost_all_its_goods_is_told_by_every_guard_that_counts_goods():
    assert violations(catalogue(TREE, goods(200)), catalogue(TREE, {})) == {
        "another_base": (200, 100),
        "older_base": (200, 2),
    }


def test_a_share_of_zero_lets_nothing_pass():
    strict = Limits(max_short_share=0, max_moved_share=0, max_removed_share=0, max_renamed_share=0)
    previous = {"raw_goods": 1000}
    assert extract_violations({"raw_goods": 999}, previous, strict)[0].limit == 0
    assert extract_violations({"raw_goods": 1000}, previous, strict) == []
    before = catalogue(TREE, goods(100))
    moved = catalogue(TREE, {**goods(100), 1: 5})
    assert violations(before, moved, strict) == {"moved_goods": (1, 0)}
    renamed = catalogue(TREE, goods(100), names={7: "інше"})
    assert violations(before, renamed, strict) == {"mass_rename": (1, 0)}


@pytest.mark.parametrize(("moved", "found"), [(60, {}), (61, {"moved_goods": (61, 60)})])
def test_three_tenths_of_the_goods_may_move(moved, found):
    after = {n: (41 if n <= moved and number != 41 else number) for n, number in goods(200).items()}
    really = sum(after[n] != number for n, number in goods(200).items())
    extra = moved - really
    for n, number in goods(200).items():
        if extra and n > moved and number != 40:
            after[n] = 40
            extra -= 1
    assert violations(catalogue(TREE, goods(200)), catalogue(TREE, after)) == found


def test_goods_that_lose_or_get_a_category_have_not_moved():
    before = catalogue(TREE, {**goods(100), **dict.fromkeys(range(101, 151))})
    after = catalogue(TREE, {**dict.fromkeys(range(1, 51)), **{n: 3 for n in range(101, 151)},
                             **{n: c for n, c in goods(100).items() if n > 50}})  # fmt: skip
    assert "moved_goods" not in violations(before, after)


@pytest.mark.parametrize(
    ("names", "guards"), [(60, set()), (61, {"mass_rename"}), (101, {"mass_rename", "another_base"})]
)
def test_many_new_names_at_once_look_like_a_wrong_charset_and_most_like_another_base(names, guards):
    after = catalogue(TREE, goods(200), names={n: f"інше {n}" for n in range(1, names + 1)})
    assert set(violations(catalogue(TREE, goods(200)), after)) == guards


@pytest.mark.parametrize(("gone", "guard"), [(100, False), (101, True)])
def test_a_base_of_which_more_than_half_is_gone_or_renamed_is_another_one(gone, guard):
    after = catalogue(TREE, {n: c for n, c in goods(200).items() if n > gone})
    assert ("another_base" in violations(catalogue(TREE, goods(200)), after)) == guard


def test_half_of_an_odd_number_of_rows_is_rounded_down():
    found = violations(catalogue(TREE, goods(201)), catalogue(TREE, {n: c for n, c in goods(201).items() if n > 101}))
    assert found["another_base"] == (101, 100)


def test_a_guard_says_whether_it_means_types_or_goods():
    before = catalogue(TREE, goods(200), types=branch(40))
    goods_named = catalogue(TREE, goods(200), types=branch(40), names={n: "інше" for n in range(1, 102)})
    told = [t.message for t in catalogue_violations(goods_named, before, LIMITS)]
    assert told == [
        "101 of 200 goods of the last run are gone or have another name",
        "101 of 200 goods have another name than in the last run",
    ]
    renamed = {n: (parent, f"інше {n}") for n, (parent, _) in branch(40).items()}
    told = [t.message for t in catalogue_violations(catalogue(TREE, goods(200), types=renamed), before, LIMITS)]
    assert told == [
        "41 of 41 product types of the last run are gone or have another name",
        "41 of 41 product types have another name than in the last run",
    ]


def test_four_types_of_a_tiny_shop_at_once_are_another_base_and_three_are_not():
    small = {n: (None, f"Вид {n}") for n in range(1, 6)}
    before = catalogue({1: (None, "Дім")}, {1: 1}, types=small)
    three = {**small, **{n: (None, f"інше {n}") for n in (1, 2, 3)}}
    assert violations(before, catalogue({1: (None, "Дім")}, {1: 1}, types=three)) == {"mass_rename": (3, 2)}
    four = {n: row for n, row in three.items() if n != 4}
    found = violations(before, catalogue({1: (None, "Дім")}, {1: 1}, types=four))
    assert found == {"another_base": (4, 3), "mass_rename": (3, 1)}


@pytest.mark.parametrize(("last", "newer", "found"), [(198, 0, {}), (197, 0, {"older_base": (3, 2)}), (197, 1, {})])
def test_the_newest_goods_gone_and_none_newer_look_like_an_old_backup(last, newer, found):
    after = {n: c for n, c in goods(200 + newer).items() if n <= last or n > 200}
    assert violations(catalogue(TREE, goods(200)), catalogue(TREE, after)) == found


def test_a_root_with_goods_below_it_may_not_vanish_and_an_empty_one_may():
    tree = {1: (None, "Дім"), 2: (1, "Посуд"), 3: (None, "Сад"), 4: (3, "Насіння"), 5: (None, "Пусте")}
    types = {9: (None, "Вид")}
    before = catalogue(tree, {1: 2, 2: 4}, types=types)
    without = {n: row for n, row in tree.items() if n not in (3, 4)}
    assert violations(before, catalogue(without, {1: 2, 2: 2}, types=types)) == {"root_vanished": (1, 0)}
    empty = {n: row for n, row in tree.items() if n != 5}
    assert violations(before, catalogue(empty, {1: 2, 2: 4}, types=types)) == {}


def test_a_second_root_of_the_types_stops_only_where_there_was_one():
    one, two = {1: (None, "Дім"), 2: (1, "Сад")}, {1: (None, "Дім"), 2: (None, "Сад")}
    three = {**two, 3: (None, "Двір")}
    shown = {1: (None, "Дім")}
    assert violations(catalogue(shown, {1: 1}, types=one), catalogue(shown, {1: 1}, types=two)) == {
        "second_root": (1, 0)
    }
    assert violations(catalogue(shown, {1: 1}, types=one), catalogue(shown, {1: 1}, types=three)) == {
        "second_root": (2, 0)
    }
    assert violations(catalogue(shown, {1: 1}, types=two), catalogue(shown, {1: 1}, types=three)) == {}
    assert violations(catalogue(shown, {1: 1}, types=two), catalogue(shown, {1: 1}, types=one)) == {}


def test_a_category_that_stood_below_the_only_root_may_not_become_another_and_a_new_one_may():
    types = {9: (None, "Вид")}
    tree = {1: (None, "Дім"), 2: (1, "Посуд"), 3: (2, "Чашки"), 4: (1, "Сад")}
    before = catalogue(tree, {1: 2}, types=types)

    def after(**roots: int) -> dict[str, tuple[int, int]]:
        changed = {number: (None, name) for name, number in roots.items()}
        return violations(before, catalogue({**tree, **changed}, {1: 2}, types=types))

    assert after(Чашки=3) == {"second_root": (1, 0)}
    assert after(Посуд=2, Сад=4) == {"second_root": (2, 0), "moved_categories": (2, 1)}
    assert after(Нове=5) == {}
    several = catalogue({**tree, 6: (None, "Інше")}, {1: 2}, types=types)
    lifted = catalogue({**tree, 6: (None, "Інше"), 3: (None, "Чашки")}, {1: 2}, types=types)
    assert violations(several, lifted) == {}, "where there were several already, one more proves nothing"
    turned = violations(before, catalogue({**tree, 1: (4, "Дім"), 4: (None, "Сад")}, {1: 2}, types=types))
    assert turned == {"moved_categories": (2, 1)}


def test_a_path_with_another_number_is_renumbered_unless_it_stands_twice_or_the_number_lives_on():
    types = {9: (None, "Вид")}
    tree = {1: (None, "Дім"), 2: (1, "Посуд"), 3: (1, "Чашки")}
    before = catalogue(tree, {1: 2}, types=types)
    assert violations(before, catalogue({1: tree[1], 7: tree[2], 3: tree[3]}, {1: 7}, types=types)) == {
        "renumbered": (1, 0), }  # fmt: skip
    told = catalogue_violations(catalogue({1: tree[1], 7: tree[2]}, {1: 7}, types=types), before, LIMITS)
    assert told[0].message == "categories have another number than in the last run: «Дім > Посуд» was 2 and is 7"
    swapped = {1: tree[1], 2: tree[3], 3: tree[2]}
    assert "renumbered" not in violations(before, catalogue(swapped, {1: 2}, types=types))
    taken = catalogue({1: tree[1], 3: tree[2]}, {1: 3}, types=types)
    assert violations(before, taken) == {}, "a number that meant something else is for the guard of re-used numbers"
    twice = catalogue({**tree, 4: (1, "Посуд")}, {1: 2}, types=types)
    assert violations(twice, catalogue({1: tree[1], 7: tree[2], 3: tree[3]}, {1: 7}, types=types)) == {}
    lives = {1: tree[1], 2: (1, "Посуд старий"), 7: (1, "Посуд"), 3: tree[3]}
    assert violations(before, catalogue(lives, {1: 2}, types=types)) == {}


def shown(size: int, hidden: int = 0) -> Contents:
    rows = {n: (f"x{n}", n > size) for n in range(1, size + hidden + 1)}
    return Contents(categories=Rows(("name", "hidden"), rows), offers=Rows(("name",), {n: ("x",) for n in rows}))


def hides(entity: str, size: int) -> list[Operation]:
    other = [Operation("update", entity, n) for n in range(900, 990)]
    return [Operation("hide", entity, n) for n in range(1, size + 1)] + other


@pytest.mark.parametrize(
    ("entity", "size", "hide", "limit"),
    [("category", 200, 20, None), ("category", 200, 21, 20), ("category", 30, 10, None), ("category", 30, 11, 10),
     ("offer", 1000, 100, None), ("offer", 1000, 101, 100)],
)  # fmt: skip
def test_a_tenth_of_what_a_store_shows_may_disappear(entity, size, hide, limit):
    found = store_violations("web", shown(size), hides(entity, hide), LIMITS)
    assert [t.limit for t in found] == ([] if limit is None else [limit])
    for violation in found:
        word = "categories" if entity == "category" else "goods"
        assert (violation.guard, violation.measured, violation.store) == (
            f"hidden_{word if word == 'categories' else 'offers'}",
            hide,
            "web",
        )
        assert violation.message == f"{hide} of {size} {word} would disappear"
        assert violation.text == f"{hide} of {size} {word} would disappear from store web"


def test_hidden_rows_are_not_shown_and_a_count_limits_the_share():
    assert store_violations("web", shown(100, hidden=900), hides("category", 11), LIMITS)[0].limit == 10
    assert store_violations("web", shown(1000), hides("category", 6), Limits(max_removed=5))[0].limit == 5
    assert store_violations("web", shown(30), hides("category", 10), Limits(max_removed=50)) == []
    assert store_violations("web", shown(30), hides("category", 1), Limits(max_removed_share=0))[0].limit == 0


def test_only_a_reused_number_stops_not_a_renamed_or_moved_one():
    old, new = Meaning(7, "torgsoft:7", "Помада", None, "torgsoft"), Meaning(7, "torgsoft:7", "Туш", 3, "torgsoft")
    assert number_violations([NumberChange(7, "renamed", old, new), NumberChange(7, "moved", old, new)]) == []
    found = number_violations([NumberChange(7, "number_reused", old, new)])
    assert [(t.guard, t.measured, t.limit) for t in found] == [("number_reused", 1, 0)]
    assert "7 was «Помада» and is «Туш»" in found[0].message


def test_a_lost_history_puts_all_goods_at_stake_and_names_each_run_that_is_missing():
    assert history_violations({}, 36) == []
    found = history_violations({"": "20260110-02", "site": "20260109-02"}, 36)
    assert [(t.guard, t.store, t.measured, t.limit) for t in found] == [("no_history", "", 36, 0)]
    assert "loaded last (run 20260110-02, store site: run 20260109-02) is not in history/" in found[0].message


def test_the_guards_of_one_stores_categories_are_three_of_those_of_the_catalogue():
    before = catalogue(TREE | {90: (None, "Сад")}, {**goods(200), 201: 90}, types={9: (None, "Вид")})
    after = catalogue({(50 if n == 40 else n): row for n, row in TREE.items()},
                      dict.fromkeys(range(1, 150), 3), types={8: (None, "інше")})  # fmt: skip
    whole = catalogue_violations(after, before, LIMITS)
    found = category_violations(after, before, LIMITS)
    assert [t.guard for t in found] == ["moved_goods", "root_vanished", "renumbered"]
    assert [t for t in whole if t in found] == found
    assert len(whole) > 3


TAKEN = {7: ("Помада", 1), 8: ("Туш", 1), 9: ("Креми", 3)}


@pytest.mark.parametrize(
    ("wanted", "origin", "told"),
    [
        ({7: ("Помада", 1)}, "registry", []),
        ({7: ("Лак", 1)}, "registry", ["7 was «Помада» and is «Лак»"]),
        ({7: ("Помада", 3)}, "registry", ["7 was «Помада» and is «Помада»"]),
        ({7: ("Лак", 1), 8: ("Туш", 3)}, "torgsoft", []),
        (
            {7: ("Лак", None), 9: ("Лаки", 1)},
            "torgsoft",
            ["7 was «Помада» and is «Лак»", "9 was «Креми» and is «Лаки»"],
        ),
        ({7: ("Лак", 3)}, "rule", ["7 was «Помада» and is «Лак»"]),
        ({77: ("Лак", 3)}, "registry", []),
    ],
)
def test_a_number_that_a_store_shows_as_something_else_is_reused(wanted, origin, told):
    columns = ("name", "parent_number")
    origins = dict.fromkeys(wanted, origin)
    found = taken_violations("web", Rows(columns, wanted), Rows(columns, TAKEN), origins, ())
    assert [(t.guard, t.store, t.measured, t.limit) for t in found] == [("number_reused", "web", len(told), 0)] * bool(
        told
    )
    assert all(t.message.endswith("; ".join(told)) for t in found)
    assert all(t.text == t.message + " (store web)" for t in found)
    assert taken_violations("web", Rows(columns, wanted), Rows(), origins, ()) == [], "a store that is empty"
    assert taken_violations("web", Rows(columns, wanted), Rows(columns, TAKEN), origins, wanted) == [], "known numbers"


def test_a_store_that_does_not_tell_a_categorys_parent_proves_no_number_of_torgsofts_reused():
    wanted = Rows(("name", "parent_number"), {7: ("Лак", 3)})
    assert taken_violations("web", wanted, Rows(("name",), {7: ("Помада",)}), {7: "torgsoft"}, ()) == []


def violation(guard: str, measured: int, store: str = "") -> GuardViolation:
    return GuardViolation(guard=guard, store=store, measured=measured, limit=2, message=f"{measured} rows")


def test_an_allowance_reaches_as_far_as_its_number_and_says_what_to_type():
    found = [violation("hidden_offers", 7, "web"), violation("hidden_offers", 9, "site"), violation("moved_goods", 3)]
    with pytest.raises(GuardStop) as caught:
        check_violations(found, {"hidden_offers": 8}, "torgsync sync shop")
    assert "moved_goods" in caught.value.message
    assert "web" not in caught.value.message
    assert "nothing was changed in any store" in caught.value.message
    assert caught.value.next_step.endswith("torgsync sync shop --allow hidden_offers=9 --allow moved_goods=3")
    assert check_violations(found, {"hidden_offers": 9, "moved_goods": 3}, "x") == found
    assert check_violations([], {}, "x") == []
    with pytest.raises(GuardStop):
        check_violations([violation("second_root", 1)], {"second_root": 0}, "x")


def test_a_single_row_stops_where_nothing_was_allowed():
    with pytest.raises(GuardStop, match="--allow number_reused=1"):
        check_violations([violation("number_reused", 1)], {}, "torgsync sync x")
    with pytest.raises(GuardStop):
        check_violations([violation("number_reused", 1)], {"moved_goods": 9}, "torgsync sync x")


def test_stores_of_which_a_guard_says_the_same_are_named_in_one_sentence():
    with pytest.raises(GuardStop) as caught:
        check_violations([violation("hidden_offers", 7, "web"), violation("hidden_offers", 7, "site")], {}, "x")
    assert "guard «hidden_offers»: 7 rows from store web, site (limit 2)" in caught.value.message
    moved = [
        GuardViolation(guard="moved_goods", store=s, measured=7, limit=2, message="7 moved") for s in ("web", "site")
    ]
    with pytest.raises(GuardStop) as caught:
        check_violations([*moved, violation("moved_goods", 7)], {}, "x")
    assert caught.value.message.startswith(
        "guard «moved_goods»: 7 moved (store web, site) (limit 2); guard «moved_goods»: 7"
    )


def test_every_guard_that_can_trip_can_be_allowed():
    assert set(GUARDS) == {
        "no_history", "lost_state", "short_extract", "another_base", "older_base", "mass_rename", "broken_text",
        "second_root", "root_vanished", "hidden_categories", "hidden_offers", "empty_feed", "moved_goods",
        "moved_categories", "prices", "sold_out", "growth", "renumbered", "number_reused", "close_to_limits",
        "drift",
    }  # fmt: skip


def rejected(*rows: tuple[str, int, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(table, n, str(n), reason) for table, n, reason in rows],
        columns=["table", "row_number", "row_key", "reason"],
    )


def test_the_quarantine_is_limited_by_count_and_by_the_share_of_each_table():
    some = rejected(*(("raw_goods", n, "name_empty") for n in range(1, 6)), ("raw_goods", 1, "price_negative"))
    sizes = {"raw_goods": 100, "raw_sections": 10}
    check_quarantine(some, sizes, 5, 0.05)
    check_quarantine(some, sizes, None, 0.05)
    with pytest.raises(QuarantineLimit, match=r"5 rows are in the quarantine, more than quarantine.max_rows = 4"):
        check_quarantine(some, sizes, 4, 1)
    with pytest.raises(QuarantineLimit, match=r"5 of 100 rows of raw_goods .* quarantine.max_share = 0.04"):
        check_quarantine(some, sizes, None, 0.04)
    with pytest.raises(QuarantineLimit, match="1 of 10 rows of raw_sections"):
        check_quarantine(rejected(("raw_sections", 1, "name_empty")), sizes, None, 0.05)
    check_quarantine(rejected(), sizes, 0, 0)


def test_accepted_rows_do_not_count_each_by_its_reason():
    some = rejected(("raw_goods", 1, "name_empty"), ("raw_goods", 2, "name_empty"), ("raw_goods", 2, "price_negative"))
    accepted = [("raw_goods", "1", "name_empty"), ("raw_goods", "2", "name_empty")]
    with pytest.raises(QuarantineLimit, match="1 rows are"):
        check_quarantine(some, {}, 0, 1, accepted)
    check_quarantine(some, {}, 0, 1, [*accepted, ("raw_goods", "2", "price_negative")])
