"""What each action of a rule does to the sections, and what it may not do (docs/rules.md)."""

from __future__ import annotations

import pytest

from schemas.errors import RulesError
from schemas.registry import Meaning, Registry
from tests.pure import Result, decide, goods_frame, sections_frame, types_frame
from transforms.sections import Decision

TYPES = types_frame(
    (1, None, "Посуд", 10), (2, 1, "Тарілки", 20), (3, 2, "Глибокі"), (4, None, "Біжутерія"), (5, 4, "|||")
)
SECTIONS = sections_frame((10, None, "Посуд", 10), (20, 10, "Тарілки", 20), (30, None, "Порожня", 30))
GOODS = goods_frame(*((100 + n, n) for n in range(1, 6)))


def rules(*pairs: tuple[str, str]) -> str:
    """Rules of (match, do); the N-th begins in line 3 N - 1 of the file."""
    return "rules:\n" + "".join(f"  - match: {match}\n    do: {do}\n    reason: test\n" for match, do in pairs)


def after(*pairs: tuple[str, str], registry: Registry | None = None, unmapped: str = "inherit") -> Result:
    return decide(TYPES, SECTIONS, GOODS, rules(*pairs), registry, unmapped=unmapped, first_number=500)


def fails(message: str, *pairs: tuple[str, str], **more: object) -> None:
    with pytest.raises(RulesError, match=f"^{message}") as caught:
        after(*pairs, **more)
    assert caught.value.next_step == "edit the rule, then run the same command again"


def origins(result: Result) -> dict[int, str]:
    sections = result.decided.numbered.sections
    return dict(zip(sections["number"].astype(int), sections["number_origin"], strict=True))


def test_each_type_is_told_who_decided_it():
    found = after(("{type_id: 2}", "{rename: Тарелі}"), ("{type_id: 5}", "{place: root}")).decided.sections.decisions
    assert found == {
        1: Decision(1, "torgsoft:10", "link"), 2: Decision(2, "torgsoft:20", "rule 1"),
        3: Decision(3, "torgsoft:20", "inherit"), 4: Decision(4, None, "none"), 5: Decision(5, None, "none"),
    }  # fmt: skip
    made = after(unmapped="create").decided.sections.decisions
    assert (made[3], made[5]) == (Decision(3, "type:3", "create"), Decision(5, "type:4", "inherit"))
    assert after(unmapped="hide").decided.sections.decisions[3] == Decision(3, None, "hide")


def test_a_name_that_cannot_name_a_section_leaves_the_type_to_its_ancestors_unless_a_rule_renames_it():
    above = ("{type_id: 4}", "{number: 70}")
    left = after(above, ("{type_id: 5}", "{number: 77}"))
    assert left.decided.sections.unusable_names == {5: "name_unusable"}
    assert left.category_of[105] == ("Біжутерія",)
    assert left.decided.sections.decisions[5] == Decision(5, "type:4", "inherit")
    mended = after(above, ("{type_id: 5}", "{rename: Каблучки}"))
    assert mended.category_of[105] == ("Біжутерія", "Каблучки")
    assert mended.decided.sections.unusable_names == {}


def test_a_renamed_section_keeps_its_place_and_its_number():
    result = after(("{type_id: 2}", "{rename: Тарелі}"))
    assert result.paths == {10: ("Посуд",), 20: ("Посуд", "Тарелі"), 30: ("Порожня",)}
    assert origins(result) == {10: "torgsoft", 20: "torgsoft", 30: "torgsoft"}


def test_a_name_is_kept_in_the_goods_names_only_where_the_rule_says_so():
    result = after(("{type_id: 3}", "{merge: parent}"))
    assert list(result.catalogue.offers["name"]) == [f"good {n}" for n in range(101, 106)]


def test_a_number_of_a_rule_is_a_rules_and_other_rules_may_merge_into_it():
    result = after(("{type_id: 3}", "{number: 77}"), ("{type_id: 4}", "{merge: {number: 77}}"))
    assert origins(result) == {10: "torgsoft", 20: "torgsoft", 30: "torgsoft", 77: "rule"}
    assert result.category_of[104] == result.category_of[103] == ("Посуд", "Тарілки", "Глибокі")


def test_a_number_cannot_be_given_to_two_sections():
    fails("rules.yaml:5: number 77 belongs to another section", ("{type_id: 3}", "{number: 77}"),
          ("{type_id: 4}", "{number: 77}"))  # fmt: skip


def test_two_rules_may_share_a_free_standing_section_and_one_of_them_gives_its_number():
    sale = "{create: {name: Розпродаж, under: {number: 10}}"
    for first, second in ((", number: 900}", "}"), ("}", ", number: 900}")):
        result = after(("{type_id: 3}", sale + first), ("{type_id: 4}", sale + second))
        assert result.paths[900] == result.category_of[103] == result.category_of[104] == ("Посуд", "Розпродаж")
        assert origins(result)[900] == "rule"
    without = after(("{type_id: 3}", sale + "}"))
    assert origins(without)[500] == "registry"
    assert without.paths[500] == ("Посуд", "Розпродаж")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [("{rename: А}", "{rename: Б}", 'the section is already renamed to "А" by another rule'),
     ("{place: root}", "{place: {number: 30}}", "rules.yaml:2 places the same section elsewhere")],
)  # fmt: skip
def test_two_rules_may_say_the_same_of_one_section_and_not_otherwise(first, second, message):
    types = types_frame((1, None, "Посуд", 10), (2, 1, "Тарілки", 20), (3, 2, "Глибокі", 20))
    one, other = ("{type_id: 2}", first), ("{type_id: 3}", second)
    with pytest.raises(RulesError, match=f"^rules.yaml:5: {message}"):
        decide(types, SECTIONS, goods_frame((1, 3)), rules(one, other))
    same = decide(types, SECTIONS, goods_frame((1, 3)), rules(one, ("{type_id: 3}", first)))
    assert set(same.paths) == {10, 20, 30}


def test_root_is_the_topmost_type_and_parent_the_next():
    assert after(("{type_id: 3}", "{merge: root}")).category_of[103] == ("Посуд",)
    assert after(("{type_id: 3}", "{merge: parent}")).category_of[103] == ("Посуд", "Тарілки")


@pytest.mark.parametrize("path", ["[Порожня]", "[' Порожня ']"])
def test_a_path_may_be_that_of_a_section_which_no_type_has(path):
    assert after(("{type_id: 4}", f"{{merge: {{path: {path}}}}}")).category_of[104] == ("Порожня",)
    assert after(("{type_id: 2}", f"{{place: {{path: {path}}}}}")).paths[20] == ("Порожня", "Тарілки")


def test_a_path_of_two_sections_is_ambiguous():
    sections = sections_frame((10, None, "Посуд", 10), (31, None, "Двійник", 31), (30, None, "Двійник", 30))
    types = types_frame((1, None, "Посуд", 10), (2, None, "Інше"))
    with pytest.raises(RulesError, match=r'"Двійник" is ambiguous: \[\'torgsoft:30\', \'torgsoft:31\'\]; name it by'):
        decide(types, sections, goods_frame((1, 2)), rules(("{type_id: 2}", "{merge: {path: [Двійник]}}")))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("{type_id: 2}", "{exclude: type}"), ("{type_id: 3}", "{merge: parent}")],
         'rules.yaml:5: "Посуд > Тарілки > Глибокі" is merged into a type that has no section itself'),
        ([("{type_id: 2}", "{place: {path: [Біжутерія]}}")],
         "rules.yaml:2: the section is placed under a type that has no section itself"),
        ([("{type_id: 4}", "{merge: {number: 60}}")], "rules.yaml:2: no section has the number 60"),
    ],
)  # fmt: skip
def test_a_rule_that_points_to_where_no_section_is_names_its_line(pairs, message):
    gone = Registry({60: Meaning(60, "type:99", "Було", None, "registry")})
    fails(message, *pairs, registry=gone)


def test_a_made_section_hangs_below_the_nearest_ancestor_that_has_one():
    result = after(("{type_id: 2}", "{exclude: type}"), unmapped="create")
    assert result.category_of[103] == ("Посуд", "Глибокі")


def test_a_section_without_types_of_its_own_stays_while_one_below_it_is_used():
    parent = after(("{type_id: 1}", "{merge: {number: 30}}"))
    assert parent.paths == {10: ("Посуд",), 20: ("Посуд", "Тарілки"), 30: ("Порожня",)}
    assert parent.decided.sections.merged_away == ()
    both = after(("{type_id: [1, 2]}", "{merge: {number: 30}}"))
    assert both.paths == {30: ("Порожня",)}
    assert both.decided.sections.merged_away == ("torgsoft:10", "torgsoft:20")


def test_a_loop_of_merges_names_its_types_and_not_those_that_lead_to_it():
    fails(
        r"rules.yaml:5: the merges form a loop over types \[2\]\n",  # 3 takes the section of 2 without a rule
        ("{type_id: 1}", "{merge: {path: [Посуд, Тарілки]}}"),
        ("{type_id: 2}", "{merge: {path: [Посуд, Тарілки, Глибокі]}}"),
    )


def test_a_loop_of_two_merges_names_the_rule_of_the_first_type():
    pairs = [("{type_id: 3}", "{merge: parent}"), ("{type_id: 2}", "{merge: {path: [Посуд, Тарілки, Глибокі]}}")]
    fails(r"rules.yaml:5: the merges form a loop over types \[2, 3\]\n", *pairs)


def test_a_loop_of_places_names_the_first_rule_that_takes_part():
    types = types_frame((1, None, "А", 10), (2, None, "Б", 20))
    sections = sections_frame((20, None, "Б", 20), (10, None, "А", 10))
    pairs = [("{type_id: 2}", "{place: {number: 10}}"), ("{type_id: 1}", "{place: {number: 20}}")]
    with pytest.raises(RulesError, match=r"^rules.yaml:2: the sections form a loop: torgsoft:10, torgsoft:20\n"):
        decide(types, sections, goods_frame((1, 1)), rules(*pairs))
    more = types_frame((1, None, "А", 10), (2, None, "Б", 20), (3, None, "В", 20))
    with pytest.raises(RulesError, match=r"^rules.yaml:5: the sections form a loop"):
        decide(more, sections, goods_frame((1, 1)), rules(("{type_id: 3}", "{rename: Б}"), *pairs))


def test_a_type_merged_below_itself_makes_a_loop_that_names_the_merge():
    types = types_frame((1, None, "А"), (2, 1, "Б"), (3, 2, "В"), (4, None, "Г"))
    pairs = [("{type_id: 4}", "{rename: Ґ}"), ("{type_id: 1}", "{merge: {path: [А, Б, В]}}")]
    with pytest.raises(RulesError, match=r"^rules.yaml:5: the sections form a loop: type:2, type:3\n"):
        decide(types, sections_frame(), goods_frame((1, 1)), rules(*pairs), unmapped="create")
