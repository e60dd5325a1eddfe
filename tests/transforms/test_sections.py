"""The section of a type: rule, link, policy (design.md section 4)."""

import pytest

from schemas.errors import RulesError, SchemaError, TorgsyncError
from tests.pure import decide, goods_frame, sections_frame, types_frame

TYPES = types_frame((1, None, "Посуд", 10), (2, 1, "Тарілки", 20), (3, 2, "Глибокі"), (4, None, "Біжутерія"))
SECTIONS = sections_frame((10, None, "Посуд", 10), (20, 10, "Тарілки", 20), (30, None, "Порожня", 30))
GOODS = goods_frame((101, 1), (102, 2), (103, 3), (104, 4))


def rule(match: str, do: str, more: str = "") -> str:
    return f"rules:\n  - match: {match}\n    do: {do}\n    reason: test\n{more}"


def test_the_vendors_example_gives_exactly_three_categories_and_keeps_10_lite_in_the_name():
    types = types_frame((1, None, "Trade Equipment"), (2, 1, "Torgsoft"), (3, 2, "Product"), (4, 3, "10 Lite"))
    rules = rule("{name: 10 Lite}", "{merge: parent}", "    keep_in_name: true\n    expect: 1\n")
    goods = goods_frame((1, 3, "Torgsoft"), (2, 4, "Torgsoft"), (3, 4, "Torgsoft 10 lite, box"))
    result = decide(types, sections_frame(), goods, rules, unmapped="create", first_number=1)
    assert result.paths == {
        1: ("Trade Equipment",),
        2: ("Trade Equipment", "Torgsoft"),
        3: ("Trade Equipment", "Torgsoft", "Product"),
    }
    assert set(result.category_of.values()) == {("Trade Equipment", "Torgsoft", "Product")}
    assert list(result.catalogue.offers["name"]) == ["Torgsoft", "Torgsoft 10 Lite", "Torgsoft 10 lite, box"]


def test_a_forgotten_type_inherits_the_nearest_ancestors_section_and_one_without_ancestors_is_hidden():
    result = decide(TYPES, SECTIONS, GOODS, unmapped="inherit")
    assert result.category_of == {101: ("Посуд",), 102: ("Посуд", "Тарілки"), 103: ("Посуд", "Тарілки"), 104: None}
    assert result.decided.sections.decisions[3].decided_by == "inherit"
    assert result.decided.sections.decisions[4].decided_by == "none"


def test_create_makes_a_section_for_every_type_without_one_below_its_nearest_ancestors():
    result = decide(TYPES, SECTIONS, GOODS, unmapped="create", first_number=500)
    assert result.category_of[103] == ("Посуд", "Тарілки", "Глибокі")
    assert result.category_of[104] == ("Біжутерія",)
    assert {n for n in result.paths if n >= 500} == {500, 501}


def test_hide_leaves_types_without_a_section_out_of_every_category():
    result = decide(TYPES, SECTIONS, GOODS, unmapped="hide")
    assert [result.category_of[g] for g in (103, 104)] == [None, None]
    assert result.counts == {"goods_in": 4, "goods_loaded": 4, "goods_quarantined": 0}


def test_error_names_the_types_without_a_section():
    with pytest.raises(TorgsyncError, match=r"2 product types.*3 Посуд > Тарілки > Глибокі"):
        decide(TYPES, SECTIONS, GOODS, unmapped="error")


def test_the_first_rule_that_matches_decides_and_the_shadowed_one_is_told():
    rules = rule("{type_id: 3}", "{exclude: type}") + rule("{path: [Посуд, '*', '**']}", "{merge: root}")[7:]
    result = decide(TYPES, SECTIONS, GOODS, rules)
    assert (result.category_of[102], result.category_of[103]) == (("Посуд",), None)
    first, second = result.decided.matching.uses
    assert first.decided == (3,)
    assert (second.matched, second.decided, second.shadowed_by) == ((2, 3), (2,), (0,))


def test_a_merge_chain_ends_in_a_kept_section():
    rules = rule("{type_id: 3}", "{merge: parent}") + rule("{type_id: 2}", "{merge: root}")[7:]
    result = decide(TYPES, SECTIONS, GOODS, rules)
    assert result.category_of[103] == result.category_of[102] == ("Посуд",)
    assert 20 not in result.paths, "the section that lost all its types is no category any more"
    assert result.decided.sections.merged_away == ("torgsoft:20",)


def test_a_section_that_nobody_ever_linked_stays_as_torgsoft_has_it():
    assert decide(TYPES, SECTIONS, GOODS).paths[30] == ("Порожня",)


@pytest.mark.parametrize("target", ["{number: 20}", "{path: [Посуд, Тарілки]}"])
def test_a_type_can_be_merged_into_a_section_by_number_or_by_path(target):
    result = decide(TYPES, SECTIONS, GOODS, rule("{type_id: 4}", f"{{merge: {target}}}"))
    assert result.category_of[104] == ("Посуд", "Тарілки")


def test_rename_place_and_number_act_on_the_types_own_section():
    result = decide(TYPES, SECTIONS, GOODS, rule("{type_id: 3}", "{rename: Глибокі тарілки, place: root, number: 77}"))
    assert result.paths[77] == ("Глибокі тарілки",)
    assert result.category_of[103] == ("Глибокі тарілки",)


def test_create_gives_one_free_standing_section_to_all_matched_types():
    rules = rule("{type_id: [3, 4]}", "{create: {name: Розпродаж, under: {number: 10}}, number: 900}")
    result = decide(TYPES, SECTIONS, GOODS, rules)
    assert result.category_of[103] == result.category_of[104] == ("Посуд", "Розпродаж")
    assert result.paths[900] == ("Посуд", "Розпродаж")


def test_exclude_hides_a_type_alone_or_with_all_below_it():
    alone = decide(TYPES, SECTIONS, GOODS, rule("{type_id: 2}", "{exclude: type}"))
    assert (alone.category_of[102], alone.category_of[103]) == (None, ("Посуд",))
    below = decide(TYPES, SECTIONS, GOODS, rule("{type_id: 1}", "{exclude: subtree}"))
    assert [below.category_of[g] for g in (101, 102, 103)] == [None, None, None]


def test_goods_below_matches_types_with_few_goods():
    result = decide(TYPES, SECTIONS, GOODS, rule("{goods_below: 2, depth: 3}", "{merge: parent}"))
    assert result.decided.matching.uses[0].decided == (3,)


@pytest.mark.parametrize(
    ("match", "do", "message"),
    [
        (
            "{name: Тарілка}",
            "{merge: parent}",
            r'rules.yaml:2: the rule matches no product type; did you mean "Тарілки"',
        ),
        ("{type_id: 2}", "{merge: {number: 99}}", r"rules.yaml:2: no section has the number 99"),
        ("{type_id: 2}", "{merge: {path: [Немає]}}", r'no product type and no section has the path "Немає"'),
        ("{type_id: 1}", "{merge: parent}", r"is a root type"),
        ("{type_id: 1}", "{place: {number: 20}}", r"the sections form a loop"),
        ("{type_id: 2}", "{number: 10}", r"number 10 belongs to another section"),
        ("{type_id: 2}", "{rename: '|||'}", r"cannot name a section"),
        ("{type_id: 3}", "{merge: parnt}", r"rules.yaml:3: do.merge: expected parent, root"),
        ("{typ_id: 3}", "{merge: parent}", r'rules.yaml:2: unknown key "typ_id"; did you mean "type_id"'),
        ("{type_id: 3}", "{merge: parent, rename: x}", r"cannot be used together"),
        ("{name: {regex: '('}}", "{merge: parent}", r"not a regular expression"),
        ("{}", "{merge: parent}", r"empty match"),
    ],
)
def test_a_faulty_rule_is_an_error_that_names_file_and_line(match, do, message):
    with pytest.raises(RulesError, match=message) as caught:
        decide(TYPES, SECTIONS, GOODS, rule(match, do), unmapped="inherit")
    assert "rules.yaml:" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_missed_expectation_is_an_error_that_names_the_types():
    with pytest.raises(RulesError, match=r"rules.yaml:2: the rule expects 5 types and matches 1: \[3\]"):
        decide(TYPES, SECTIONS, GOODS, rule("{type_id: 3}", "{merge: parent}", "    expect: 5\n"))


def test_two_merges_that_go_round_in_a_loop_are_an_error():
    rules = (
        rule("{type_id: 2}", "{merge: {path: [Посуд, Тарілки, Глибокі]}}") + rule("{type_id: 3}", "{merge: parent}")[7:]
    )
    with pytest.raises(RulesError, match="loop"):
        decide(TYPES, SECTIONS, GOODS, rules)


def test_an_ambiguous_path_must_be_named_by_number():
    types = types_frame((1, None, "А"), (2, None, "А"), (3, None, "Б"))
    with pytest.raises(RulesError, match=r"ambiguous: \[1, 2\]"):
        decide(
            types,
            sections_frame(),
            goods_frame((1, 3)),
            rule("{type_id: 3}", "{merge: {path: [А]}}"),
            unmapped="create",
        )


def test_another_number_of_roots_than_expected_stops_the_run():
    with pytest.raises(SchemaError, match="2 roots, 1 expected"):
        decide(TYPES, SECTIONS, GOODS, expected_roots=1)


def test_a_link_to_an_unknown_section_falls_to_the_policy():
    types = types_frame((1, None, "Посуд", 10), (2, 1, "Чашки", 777))
    assert decide(types, SECTIONS, goods_frame((1, 2))).category_of == {1: ("Посуд",)}


def test_a_type_whose_name_cannot_name_a_section_inherits_instead_of_losing_its_goods():
    types = types_frame((1, None, "Посуд"), (2, 1, "|||"), (3, 1, "х" * 400))
    result = decide(types, sections_frame(), goods_frame((1, 2), (2, 3)), unmapped="create")
    assert result.category_of == {1: ("Посуд",), 2: ("Посуд",)}
    assert result.decided.sections.unusable_names == {2: "name_unusable", 3: "name_too_long"}
