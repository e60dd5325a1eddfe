"""Which product types a rule's conditions are for (docs/rules.md)."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RulesError
from schemas.rules import Rules, parse_rules
from transforms.matching import match_rules, path_matches

ROWS = [
    (1, None, "Посуд", ["Посуд"], 40),
    (2, 1, "Тарілки", ["Посуд", "Тарілки"], 9),
    (3, 2, "№5 Глибокі", ["Посуд", "Тарілки", "№5 Глибокі"], 3),
    (4, 3, "Набір 6", ["Посуд", "Тарілки", "№5 Глибокі", "Набір 6"], 1),
    (5, None, "Текстиль", ["Текстиль"], 12),
    (6, 5, "Набір 2", ["Текстиль", "Набір 2"], 2),
]
TYPES = pd.DataFrame(
    [(key, parent, name, path, len(path), goods) for key, parent, name, path, goods in ROWS],
    columns=["type_id", "parent_id", "name", "path", "depth", "goods_below"],
).astype({"parent_id": "Int64"})


def matched(match: str, do: str = "{merge: parent}", more: str = "") -> tuple[int, ...]:
    rules = parse_rules(f"rules:\n  - match: {match}\n    do: {do}\n    reason: test\n{more}")
    return match_rules(TYPES, rules).uses[0].matched


@pytest.mark.parametrize(
    ("match", "types"),
    [
        ("{type_id: 3}", (3,)),
        ("{type_id: [3, 6]}", (3, 6)),
        ("{name: Тарілки}", (2,)),
        ("{name: ' Тарілки '}", (2,)),
        ("{name: {glob: 'Набір*'}}", (4, 6)),
        ("{name: {glob: 'набір*'}, type_id: [4, 6]}", None),
        ("{name: {glob: 'Набір ?'}}", (4, 6)),
        ("{name: {glob: ' Набір  ?'}}", (4, 6)),
        ("{name: {regex: '^№ ?[0-9]'}}", (3,)),
        ("{name: {regex: '[0-9]$'}}", (4, 6)),
        ("{depth: 2}", (2, 6)),
        ("{goods_below: 3}", (4, 6)),
        ("{goods_below: 4}", (3, 4, 6)),
        ("{goods_below: 4, depth: 2}", (6,)),
        ("{path: [Посуд]}", (1,)),
        ("{path: [' Посуд ', '№5  Глибокі ']}", None),
        ("{path: [' Посуд ', ' *', '№5  Глибокі ']}", (3,)),
        ("{path: [Посуд, '*']}", (2,)),
        ("{path: [Посуд, '**']}", (1, 2, 3, 4)),
        ("{path: ['**', 'Набір 6']}", (4,)),
        ("{path: ['*', '*']}", (2, 6)),
        ("{path: [Посуд, '**', '*']}", (2, 3, 4)),
    ],
)
def test_a_rule_is_for_the_types_that_meet_every_condition_of_it(match, types):
    if types is None:
        with pytest.raises(RulesError, match="matches no product type"):
            matched(match)
    else:
        assert matched(match) == types


def test_an_excluded_subtree_has_every_type_below_it_and_no_other():
    assert matched("{type_id: 2}", "{exclude: subtree}") == (2, 3, 4)
    assert matched("{type_id: [3, 5]}", "{exclude: subtree}") == (3, 4, 5, 6)
    assert matched("{type_id: 2}", "{exclude: type}") == (2,)


def test_a_rule_may_expect_that_nothing_matches_any_more():
    assert matched("{type_id: 77}", more="    expect: 0\n") == ()
    with pytest.raises(RulesError, match=r"rules.yaml:2: the rule expects 0 types and matches 1: \[3\]"):
        matched("{type_id: 3}", more="    expect: 0\n")


@pytest.mark.parametrize(
    ("match", "hint"),
    [
        ("{name: Тарилки}", '; did you mean "Тарілки"?'),
        ("{path: [Посуд, Тарілкі]}", '; did you mean "Посуд > Тарілки"?'),
        ("{path: [Посуда, Тарілка, №6 Глибока]}", '; did you mean "Посуд > Тарілки > №5 Глибокі"?'),
        ("{name: Тара}", ""),
        ("{name: Зовсім інше}", ""),
        ("{type_id: 77}", ""),
    ],
)
def test_a_rule_that_matches_nothing_is_told_the_closest_name_that_exists(match, hint):
    with pytest.raises(RulesError) as caught:
        matched(match)
    assert caught.value.message == f"rules.yaml:2: the rule matches no product type{hint}"


def test_a_rule_is_told_once_each_by_which_earlier_ones_it_is_shadowed():
    first, second = "{match: {type_id: [5, 6]}", "{match: {type_id: [1, 2]}"
    both = [
        f"  - {match}, do: {{merge: parent}}, reason: x}}\n"
        for match in (first, second, "{match: {depth: 1}", "{match: {goods_below: 99}")
    ]
    uses = match_rules(TYPES, parse_rules("rules:\n" + "".join(both))).uses
    assert [use.shadowed_by for use in uses] == [(), (), (0, 1), (0, 1)]
    assert (uses[3].matched, uses[3].decided) == ((1, 2, 3, 4, 5, 6), (3, 4))


def test_a_pattern_may_begin_again_from_each_place_that_it_reached():
    assert path_matches(("**", "а", "**", "б", "*"), ("а", "б", "а"))
    assert not path_matches(("**", "а", "**", "б", "*"), ("б", "а", "а"))


NAMES = st.sampled_from(["а", "б"])
PARTS = st.sampled_from(["а", "б", "*", "**"])


@given(pattern=st.lists(PARTS, max_size=5), path=st.lists(NAMES, max_size=6))
def test_a_pattern_of_names_means_what_the_same_regular_expression_means(pattern: list[str], path: list[str]):
    one: dict[str, Any] = {"*": "[аб]", "**": "[аб]*"}
    expected = re.fullmatch("".join(one.get(part, part) for part in pattern), "".join(path)) is not None
    assert path_matches(tuple(pattern), tuple(path)) == expected


def expression(pattern: str) -> Rules:
    text = "rules:\n  - match: {type_id: 1}\n    do: {merge: root}\n    reason: a\n"
    return parse_rules(
        text + f"  - match: {{name: {{regex: '{pattern}'}}}}\n    do: {{merge: parent}}\n    reason: b\n"
    )


def test_a_repetition_in_a_repetition_is_matched_in_time():
    """The night hung on the first long name."""
    with pytest.raises(RulesError, match=r"^rules\.yaml:5: the rule matches no product type"):
        match_rules(TYPES.assign(name="а" * 200 + "!"), expression("^(а+)+$"))


def test_a_regular_expression_that_would_run_for_years_is_told_with_its_line():
    told = r"^rules\.yaml:5: the regular expression takes longer than 1 s for one name: "
    with pytest.raises(RulesError, match=told):
        match_rules(TYPES.assign(name="а" * 200 + "!"), expression("^(а|аа)+$"))


def test_a_regular_expression_means_what_python_means_by_it():
    """Letters, digits and blanks of every alphabet; ``(?i)`` and what stands around a match."""
    for pattern, types in [("^\\w+$", (1, 2, 5)), ("(?i)ТАРІЛКИ", (2,)), ("(?<=Набір )\\d", (4, 6)), ("\\bГ", (3,))]:
        assert matched(f"{{name: {{regex: '{pattern}'}}}}") == types


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
RULE = "rules:\n  - match: {{name: {}}}\n    do: {{merge: parent}}\n    reason: test\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: 5", "rules.yaml:1: rules: expected a list of rules, found 5"),
        ("# a\nrules: {a: 1}", "rules.yaml:2: rules: expected a list of rules, found keys and values"),
        ("rules: text", "rules.yaml:1: rules: expected a list of rules, found 'text'"),
        ("5", 'rules.yaml:1: expected one key "rules" with a list, found 5'),
        ("- a", 'rules.yaml:1: expected one key "rules" with a list, found a list'),
        ("rules:\n  " + "[" * 500 + "]" * 500, "rules.yaml:2: more than 20 levels of brackets or indents"),
        ("rules:\n" + "- " * 500 + "a", "rules.yaml:2: more than 20 levels of brackets or indents"),
        (BOMB, "rules.yaml:6: aliases and values stand for more than 500,000 values"),
        ("rules: &a [*a]", "rules.yaml:1: the alias *a stands for nothing that ends before it"),
        ("rules:\n  - !!python/object/apply:os.system [ls]",
         "rules.yaml:2: the tag tag:yaml.org,2002:python/object/apply:os.system is not allowed: write plain values"),
        (RULE.format("!secret x"), "rules.yaml:2: the tag !secret is not allowed: write plain values"),
        ("rules:\n  - match: \x00", "rules.yaml:2: not valid YAML: the character U+0000 is not allowed"),
        ("rules: " + "9" * 5000, "rules.yaml:1: not valid YAML: Exceeds the limit (4300 digits)"),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_hostile_file_of_rules_is_refused_in_one_sentence_with_file_and_line(text, told):
    with pytest.raises(RulesError) as caught:
        parse_rules(text)
    assert caught.value.message.startswith(told)
    assert "\n" not in caught.value.message
    assert caught.value.next_step


def test_aliases_of_a_sound_size_are_still_read():
    text = "rules:\n  - &a\n    match: {type_id: 1}\n    do: {merge: root}\n    reason: x\n  - *a\n"
    assert len(parse_rules(text).rules) == 2
