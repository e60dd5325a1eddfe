"""Splitting type paths: names hold the comma that joins them (domain.md section 2.4)."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.trs.types import Ambiguity, Seen, TypePath, build_types, split_paths, type_id


def split(*paths: tuple[str, str], sections: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    seen = {TypePath(*path): Seen(1, frozenset(sections)) for path in paths}
    return [split_paths(seen)[key] for key in seen]


def reasons(*paths: tuple[str, str], sections: tuple[str, ...] = ()) -> list[str]:
    seen = {TypePath(*path): Seen(1, frozenset(sections)) for path in paths}
    return [f"{entry.path}: {entry.reason}" for entry in build_types(seen).ambiguities]


def test_the_goods_own_type_name_is_the_last_level_whatever_commas_it_holds() -> None:
    assert split(("ВЗУТТЯ,КЕДЫ,КРОССОВКИ,СНИКЕРСЫ", "КЕДЫ,КРОССОВКИ,СНИКЕРСЫ")) == [
        ("ВЗУТТЯ", "КЕДЫ,КРОССОВКИ,СНИКЕРСЫ")
    ]
    assert reasons(("ВЗУТТЯ,КЕДЫ,КРОССОВКИ,СНИКЕРСЫ", "КЕДЫ,КРОССОВКИ,СНИКЕРСЫ")) == []


def test_the_path_of_another_goods_type_tells_how_the_beginning_splits() -> None:
    paths = [("А,Б", "А,Б"), ("А,Б,В", "В"), ("А,Б,Г,Д", "Д")]
    assert split(*paths) == [("А,Б",), ("А,Б", "В"), ("А,Б", "Г", "Д")]


def test_the_longest_known_path_tells_more_than_a_shorter_one() -> None:
    assert split(("А", "А"), ("А,Б", "А,Б"), ("А,Б,В,Г", "Г"))[2] == ("А,Б", "В", "Г")


def test_of_two_types_with_one_path_text_the_one_with_more_goods_tells_how_a_longer_path_splits() -> None:
    for goods, levels in ((5, ("А", "Б,В", "x")), (1, ("А", "Б", "В", "x"))):
        seen = {
            TypePath("А,Б,В", "Б,В"): Seen(goods),
            TypePath("А,Б,В", "В"): Seen(3),
            TypePath("А,Б,В,x", "x"): Seen(1),
        }
        assert split_paths(seen)[TypePath("А,Б,В,x", "x")] == levels


def test_a_comma_before_a_blank_lies_inside_a_name() -> None:
    assert split(("Тіло,Гелі, пінки для душу,Masil", "Masil"), ("Тіло,Гелі, пінки для душу", "")) == [
        ("Тіло", "Гелі, пінки для душу", "Masil"),
        ("Тіло", "Гелі, пінки для душу"),
    ]


def test_a_section_of_the_goods_own_chain_tells_where_a_name_with_a_comma_begins_and_ends() -> None:
    path = ("ВЗУТТЯ,БОТФОРТЫ,САПОГИ,Nike", "Nike")
    assert split(path, sections=("ВЗУТТЯ", "БОТФОРТЫ,САПОГИ")) == [("ВЗУТТЯ", "БОТФОРТЫ,САПОГИ", "Nike")]
    assert reasons(path, sections=("ВЗУТТЯ", "БОТФОРТЫ,САПОГИ")) == []


def test_what_one_chain_made_out_holds_for_a_sibling_without_a_chain() -> None:
    seen = {
        TypePath("ВЗУТТЯ,БОТФОРТЫ,САПОГИ,Nike", "Nike"): Seen(1, frozenset({"БОТФОРТЫ,САПОГИ"})),
        TypePath("ВЗУТТЯ,БОТФОРТЫ,САПОГИ,Puma", "Puma"): Seen(1),
    }
    assert {path[:2] for path in split_paths(seen).values()} == {("ВЗУТТЯ", "БОТФОРТЫ,САПОГИ")}
    assert build_types(seen).ambiguities == []


def test_the_name_of_another_type_tells_where_a_name_with_a_comma_ends() -> None:
    paths = [("ЖІНКАМ,КЕДЫ,КРОССОВКИ", "КЕДЫ,КРОССОВКИ"), ("ДІТЯМ,КЕДЫ,КРОССОВКИ,Nike", "Nike")]
    assert split(*paths)[1] == ("ДІТЯМ", "КЕДЫ,КРОССОВКИ", "Nike")


def test_a_bare_comma_without_any_evidence_splits_and_is_listed_once() -> None:
    paths = [("ВЗУТТЯ,КЕДЫ,КРОССОВКИ,Nike", "Nike"), ("ВЗУТТЯ,КЕДЫ,КРОССОВКИ,Puma", "Puma")]
    assert split(*paths)[0] == ("ВЗУТТЯ", "КЕДЫ", "КРОССОВКИ", "Nike")
    assert reasons(*paths) == [
        'ВЗУТТЯ,КЕДЫ: "ВЗУТТЯ" and "КЕДЫ" are two levels, though they could be one name',
        'ВЗУТТЯ,КЕДЫ,КРОССОВКИ: "КЕДЫ" and "КРОССОВКИ" are two levels, though they could be one name',
    ]


def test_two_continuations_are_evidence_of_a_boundary() -> None:
    paths = [("А,Б,x", "x"), ("А,Б,y", "y"), ("А,В,z", "z")]
    assert reasons(*paths) == []


def test_without_type_names_the_known_paths_and_commas_decide() -> None:
    assert split(("Тіло", ""), ("Тіло,Олія", ""), ("Тіло,Олія,Креми, гелі", "")) == [
        ("Тіло",),
        ("Тіло", "Олія"),
        ("Тіло", "Олія", "Креми, гелі"),
    ]


def test_one_text_that_stands_for_two_types_gives_two_types_and_is_listed() -> None:
    seen = {TypePath("А,Б,В", "В"): Seen(5), TypePath("А,Б,В", "Б,В"): Seen(2)}
    tree = build_types(seen)
    assert set(tree.levels.values()) == {("А", "Б", "В"), ("А", "Б,В")}
    assert len(set(tree.type_ids.values())) == 2
    assert sum(entry.reason == "several types have this path" for entry in tree.ambiguities) == 2


def test_a_type_name_that_is_not_the_end_of_the_path_is_left_aside_and_listed() -> None:
    tree = build_types({TypePath("А,Б", "В"): Seen(3)})
    assert list(tree.levels.values()) == [("А", "Б")]
    assert Ambiguity("А,Б", ["А", "Б"], 'GoodTypeName "В" is not the end of the path and was ignored', 3) in (
        tree.ambiguities
    )


@pytest.mark.parametrize("path", [",", ",,", "А,", ",А", "А,,Б", "А, ", " А", "А,\u00a0Б"])
def test_odd_commas_never_make_an_empty_level(path: str) -> None:
    (levels,) = split((path, ""))
    assert ",".join(levels) == path
    assert all(levels)


def test_a_trailing_blank_stays_in_the_name() -> None:
    assert split(("Макіяж,Губи,Flormar ", "Flormar ")) == [("Макіяж", "Губи", "Flormar ")]


def test_an_id_depends_on_nothing_but_the_path() -> None:
    assert type_id(("А", "Б")) == type_id(("А", "Б")) != type_id(("А,Б",))
    assert 0 < type_id(("А",)) < 2**48


names = st.text(alphabet="АБв, ", min_size=1, max_size=5).filter(lambda name: name.strip(", ") != "")
plain = st.text(alphabet="АБВГҐ", min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.lists(names, min_size=1, max_size=4).map(tuple), st.integers(1, 9), min_size=1, max_size=8))
def test_no_split_loses_or_changes_a_character_and_leaf_names_are_kept(trees: dict[tuple[str, ...], int]) -> None:
    seen = {TypePath(",".join(path), path[-1]): Seen(goods) for path, goods in trees.items()}
    tree = build_types(seen)
    assert set(tree.type_ids) == set(seen)
    for key, levels in tree.levels.items():
        assert ",".join(levels) == key.path
        assert levels[-1] == key.leaf
        assert all(levels)
    rebuilt = dict(zip(tree.types["type_id"], tree.types["path"], strict=True))
    assert Counter(",".join(rebuilt[i]) for i in tree.type_ids.values()) == Counter(key.path for key in seen)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(plain, min_size=1, max_size=4).map(tuple), min_size=1, max_size=8, unique=True))
def test_paths_whose_names_hold_no_comma_are_split_rightly(trees: list[tuple[str, ...]]) -> None:
    for leaf in (True, False):
        seen = {TypePath(",".join(path), path[-1] if leaf else ""): Seen(1) for path in trees}
        assert set(split_paths(seen).values()) == set(trees)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(plain | st.tuples(plain, plain).map(", ".join), min_size=1, max_size=4).map(tuple),
        min_size=1,
        max_size=8,
        unique=True,
    )
)
def test_names_with_a_comma_before_a_blank_are_split_rightly_even_without_leaf_names(
    trees: list[tuple[str, ...]],
) -> None:
    assert set(split_paths({TypePath(",".join(path)): Seen(1) for path in trees}).values()) == set(trees)


@settings(max_examples=100, deadline=None)
@given(st.permutations([("А,Б", "А,Б"), ("А,Б,В", "В"), ("А", "А"), ("Х,А,Б,Г", "Г"), ("Х,А,Б", "А,Б")]))
def test_the_order_of_the_goods_does_not_matter(paths: list[tuple[str, str]]) -> None:
    seen = {TypePath(*path): Seen(1) for path in paths}
    assert split_paths(seen) == split_paths(dict(sorted(seen.items())))
    assert build_types(seen).ambiguities == build_types(dict(sorted(seen.items()))).ambiguities
