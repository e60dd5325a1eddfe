"""Numbers and their registry (design.md promise P7)."""

import pytest

from schemas.errors import RulesError, TorgsyncError
from schemas.numbers import MAX_NUMBER
from schemas.registry import Meaning, Registry
from tests.pure import decide, goods_frame, registry_after, sections_frame, types_frame
from transforms.numbers import assign_numbers, meanings_of
from transforms.sections import Section

GOODS = goods_frame((1, 1))
SHOP = (
    types_frame((1, None, "А", 1), (2, 1, "Б"), (3, 1, "В", 2)),
    sections_frame((1, None, "А", 1), (2, 1, "В", 2)),
    goods_frame((1, 1), (2, 3)),
)
ONE_UNMAPPED = types_frame((1, None, "А")), sections_frame(), goods_frame((1, 1))
TYPES = types_frame((1, None, "А"), (2, 1, "Б"))


def test_a_missing_number_is_given_by_the_registry_and_a_present_one_is_kept():
    result = decide(TYPES, sections_frame((1, None, "А", 5), (2, 1, "Б", None)), GOODS, first_number=100)
    assert result.paths == {5: ("А",), 100: ("А", "Б")}


def test_new_numbers_go_by_the_paths_of_the_sections_and_not_by_ids():
    types = types_frame((1, None, "Я"), (2, 1, "Б"), (3, 1, "А"), (4, None, "Г"))
    assert decide(types, sections_frame(), GOODS, unmapped="create", first_number=1).paths == {
        1: ("Г",), 2: ("Я",), 3: ("Я", "А"), 4: ("Я", "Б"),
    }  # fmt: skip


def test_a_new_number_is_never_one_that_a_rule_gives_tonight():
    rules = "rules:\n  - {match: {type_id: 2}, do: {number: 500}, reason: x}\n"
    found = decide(TYPES, sections_frame(), GOODS, rules, unmapped="create", first_number=500)
    assert found.paths == {501: ("А",), 500: ("А", "Б")}


def test_a_chain_names_torgsofts_own_sections_by_their_keys_and_others_by_their_numbers():
    found = decide(TYPES, sections_frame((1, None, "А", 5), (2, 1, "Б", None)), GOODS, first_number=100)
    sections = found.decided.numbered.sections
    assert dict(zip(sections["number"], sections["chain_key"], strict=True)) == {5: 1, 100: 100}


def test_torgsoft_may_take_over_the_number_that_the_registry_gave_to_that_very_section():
    first = decide(TYPES, sections_frame((9, None, "А", None)), GOODS, first_number=100)
    typed = decide(TYPES, sections_frame((9, None, "А", 100)), GOODS, registry=registry_after(first))
    assert typed.paths == first.paths == {100: ("А",)}
    assert typed.reasons == set()
    assert typed.changes == ()


def test_changes_of_meaning_are_told_in_the_order_of_the_numbers():
    first = decide(TYPES, sections_frame((1, None, "А", 7), (2, None, "Б", 5)), GOODS)
    after = decide(TYPES, sections_frame((1, None, "В", 7), (2, None, "Г", 5)), GOODS, registry=registry_after(first))
    assert [change.number for change in after.changes] == [5, 7]


def test_a_retired_number_is_never_given_again():
    first = decide(TYPES, sections_frame(), GOODS, unmapped="create", first_number=1)
    assert set(first.paths) == {1, 2}
    registry = registry_after(first)
    alone = decide(
        types_frame((1, None, "А")), sections_frame(), GOODS, registry=registry, unmapped="create", first_number=1
    )
    registry = registry_after(alone, registry)
    third = decide(
        types_frame((1, None, "А"), (3, 1, "В")),
        sections_frame(),
        GOODS,
        registry=registry,
        unmapped="create",
        first_number=1,
    )
    assert third.paths == {1: ("А",), 3: ("А", "В")}
    back = decide(
        TYPES, sections_frame(), GOODS, registry=registry_after(third, registry), unmapped="create", first_number=1
    )
    assert back.paths == {1: ("А",), 2: ("А", "Б")}, "a section that comes back has its number again"


def pinned(*numbers: tuple[int, int]) -> str:
    """Rules that give product types numbers."""
    lines = [f"  - {{match: {{type_id: {key}}}, do: {{number: {number}}}, reason: x}}\n" for key, number in numbers]
    return "rules:\n" + "".join(lines)


@pytest.mark.parametrize("number", [2, 500])
def test_a_section_keeps_the_number_that_a_rule_gave_it_when_the_rule_is_gone(number):
    fresh = Registry()
    if number == 2:  # the rule says the number that the registry gave already
        fresh = registry_after(decide(TYPES, sections_frame(), GOODS, unmapped="create", first_number=1))
    ruled = decide(TYPES, sections_frame(), GOODS, pinned((2, number)), fresh, unmapped="create", first_number=1)
    registry = registry_after(ruled, fresh)
    after = decide(TYPES, sections_frame(), GOODS, registry=registry, unmapped="create", first_number=1)
    assert after.paths == ruled.paths == {1: ("А",), number: ("А", "Б")}
    assert after.changes == ()
    late = decide(
        TYPES, sections_frame((9, None, "Нова", number)), GOODS,
        registry=registry_after(after, registry), unmapped="create", first_number=1,
    )  # fmt: skip
    assert ("raw_sections", "9", "number_taken") in late.reasons, "it is the registry's number from then on"


def test_the_number_that_the_registry_gave_goes_before_one_that_a_rule_gave_once():
    known = decide(ONE_UNMAPPED[0], sections_frame(), GOODS, unmapped="create", first_number=1)
    first = registry_after(known)
    ruled = decide(TYPES, sections_frame(), GOODS, pinned((1, 400), (2, 500)), first, unmapped="create")
    registry = registry_after(ruled, first)
    assert set(registry.meanings) == {1, 400, 500}
    after = decide(TYPES, sections_frame(), GOODS, registry=registry, unmapped="create")
    assert after.paths == {1: ("А",), 500: ("А", "Б")}


def test_a_rules_number_that_torgsoft_gives_to_another_section_today_is_that_sections():
    rules = pinned((1, 400), (2, 500))
    ruled = decide(TYPES, sections_frame(), GOODS, rules, unmapped="create", first_number=1)
    after = decide(
        types_frame((1, None, "А"), (2, 1, "Б"), (3, None, "Я", 9)), sections_frame((9, None, "Я", 500)), GOODS,
        registry=registry_after(ruled), unmapped="create", first_number=1,
    )  # fmt: skip
    assert after.paths == {400: ("А",), 1: ("А", "Б"), 500: ("Я",)}
    assert [(c.number, c.kind) for c in after.changes] == [(500, "number_reused")], "a guard stops it"


def test_a_new_number_is_never_one_that_torgsoft_uses_even_on_a_rejected_section():
    sections = sections_frame((1, None, "А", 100), (2, None, "Б", 100), (3, None, "В", None))
    assert set(decide(TYPES, sections, GOODS, first_number=100).paths) == {101}


@pytest.mark.parametrize(
    ("number", "reason"),
    [("0", "number_not_positive"), ("-5", "number_not_positive"), ("1.5", "number_not_integer"),
     ("сім", "number_not_integer"), ("٣", "number_not_integer"), ("2147483648", "number_too_large")],
)  # fmt: skip
def test_a_number_that_cannot_be_used_sends_the_section_to_the_quarantine(number, reason):
    result = decide(TYPES, sections_frame((1, None, "А", number)), GOODS)
    assert ("raw_sections", "1", reason) in result.reasons
    assert result.paths == {}


def test_both_sections_with_one_number_are_rejected_with_the_sections_below_them():
    sections = sections_frame((1, None, "А", 7), (2, None, "Б", 7), (3, 1, "В", 8))
    reasons = decide(TYPES, sections, GOODS).reasons
    assert {(key, why) for _, key, why in reasons} == {
        ("1", "number_duplicate"), ("2", "number_duplicate"), ("3", "parent_quarantined"),
    }  # fmt: skip


def test_torgsoft_may_not_take_a_number_that_the_registry_gave_to_another_section():
    first = decide(TYPES, sections_frame(), GOODS, unmapped="create", first_number=7)
    taken = decide(
        TYPES,
        sections_frame((9, None, "Нова", 7)),
        GOODS,
        registry=registry_after(first),
        unmapped="create",
        first_number=7,
    )
    assert ("raw_sections", "9", "number_taken") in taken.reasons
    assert taken.paths == first.paths


@pytest.mark.parametrize(
    ("name", "parent", "kind"),
    [("Інша", None, "renamed"), ("Б", 1, "moved"), ("Інша", 1, "number_reused")],
)
def test_a_number_whose_meaning_changed_is_noticed(name, parent, kind):
    first = decide(TYPES, sections_frame((1, None, "А", 1), (2, None, "Б", 2)), GOODS)
    after = decide(
        TYPES, sections_frame((1, None, "А", 1), (2, parent, name, 2)), GOODS, registry=registry_after(first)
    )
    assert [(c.number, c.kind) for c in after.changes] == [(2, kind)]


def test_a_number_that_went_over_to_another_section_is_noticed():
    first = decide(TYPES, sections_frame((1, None, "А", 1)), GOODS)
    after = decide(TYPES, sections_frame((8, None, "Я", 1)), GOODS, registry=registry_after(first))
    assert [c.kind for c in after.changes] == ["number_reused"]


def test_a_section_that_torgsoft_made_anew_with_name_and_parent_as_they_were_is_the_same():
    first = decide(TYPES, sections_frame((1, None, "А", 1)), GOODS)
    after = decide(TYPES, sections_frame((8, None, "А", 1)), GOODS, registry=registry_after(first))
    assert after.changes == ()


def test_a_rule_may_not_give_a_number_that_was_used_before():
    first = decide(TYPES, sections_frame(), GOODS, unmapped="create", first_number=1)
    rules = "rules:\n  - {match: {type_id: 1}, do: {number: 2}, reason: x}\n"
    with pytest.raises(RulesError, match="number 2"):
        decide(TYPES, sections_frame(), GOODS, rules, registry_after(first), unmapped="create")


def test_the_kept_sections_say_again_what_each_number_means():
    result = decide(*SHOP, unmapped="create")
    assert meanings_of(result.decided.numbered.sections) == result.decided.numbered.meanings
    assert {meaning.parent_number for meaning in result.decided.numbered.meanings} > {None}


def test_a_rule_cannot_give_a_number_that_belonged_to_another_section():
    rules = 'rules:\n  - match: {type_id: 3}\n    do: {create: {name: "Нове"}, number: 500}\n    reason: test\n'
    fresh = decide(*SHOP, rules=rules)
    assert 500 in fresh.paths
    again = decide(*SHOP, rules=rules, registry=registry_after(fresh))
    assert again.paths == fresh.paths
    other = Registry({500: Meaning(500, "torgsoft:77", "Старе", None, "torgsoft")})
    with pytest.raises(RulesError, match="number 500 belongs to another section"):
        decide(*SHOP, rules=rules, registry=other)


def test_numbers_that_run_out_are_an_error_and_the_greatest_is_still_given():
    assert MAX_NUMBER in decide(*ONE_UNMAPPED, unmapped="create", first_number=MAX_NUMBER).paths
    taken = Registry({MAX_NUMBER: Meaning(MAX_NUMBER, "type:99", "Старе", None, "registry")})
    with pytest.raises(TorgsyncError, match="no section number is left"):
        decide(*ONE_UNMAPPED, unmapped="create", first_number=MAX_NUMBER, registry=taken)


def test_a_rules_number_is_refused_once_more_where_the_numbers_are_given():
    mine = {"rule:x": Section("rule:x", "Нове", None, 5, "rule")}
    held = Registry({5: Meaning(5, "type:1", "Старе", None, "registry")})
    with pytest.raises(RulesError, match="a rule gives number 5 to «Нове», it belonged to «Старе»"):
        assign_numbers(mine, held, 100, ())
    own = Registry({5: Meaning(5, "rule:x", "Було", None, "rule")})
    assert list(assign_numbers(mine, own, 100, ()).sections["number"]) == [5]
