"""What holds for every shop, sound or broken."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RulesError
from schemas.numbers import MAX_NUMBER
from schemas.registry import Registry
from tests.pure import Result, decide, registry_after
from tests.transforms.shops import POLICIES, RandomShop, merge_rules, shops


def run(shop: RandomShop, policy: str, rules: str = "", registry: Registry | None = None) -> Result:
    return decide(shop.types, shop.sections, shop.goods, rules, registry, unmapped=policy)


def shuffled(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def same(left: Result, right: Result) -> bool:
    by = {"categories": "number", "assignments": "good_id"}
    return all(
        getattr(left.catalogue, table)
        .sort_values(key, ignore_index=True)
        .equals(getattr(right.catalogue, table).sort_values(key, ignore_index=True))
        for table, key in by.items()
    )


@given(shops(), POLICIES)
def test_every_good_that_comes_in_is_loaded_once_or_in_the_quarantine(shop, policy):
    result = run(shop, policy)
    assert result.counts["goods_in"] == len(shop.goods)
    assert result.counts["goods_in"] == result.counts["goods_loaded"] + result.counts["goods_quarantined"]
    assert result.catalogue.offers["good_id"].is_unique


@given(shops(), POLICIES)
def test_every_type_and_section_that_comes_in_is_used_or_in_the_quarantine_with_a_reason(shop, policy):
    result = run(shop, policy)
    rejected = result.decided.clean.quarantine.groupby("table")["row_number"].nunique()
    assert len(result.decided.clean.product_types) + rejected.get("raw_product_types", 0) == len(shop.types)
    assert len(result.decided.clean.sections) + rejected.get("raw_sections", 0) == len(shop.sections)


@given(shops(), POLICIES, st.integers(0, 9))
def test_the_order_of_rows_changes_nothing(shop, policy, seed):
    other = RandomShop(shuffled(shop.types, seed), shuffled(shop.sections, seed), shuffled(shop.goods, seed))
    assert same(run(shop, policy), run(other, policy))


@given(shops(), POLICIES)
def test_a_second_run_with_what_the_first_remembered_gives_the_same(shop, policy):
    first = run(shop, policy)
    second = run(shop, policy, registry=registry_after(first))
    assert same(first, second)
    assert second.changes == ()


@given(shops(), POLICIES)
def test_numbers_are_positive_unique_and_fit_32_bits(shop, policy):
    numbers = run(shop, policy).catalogue.categories["number"]
    assert numbers.is_unique
    assert ((numbers >= 1) & (numbers <= MAX_NUMBER)).all()


@given(shops(), shops(), POLICIES)
def test_a_number_given_once_never_means_another_section(before, after, policy):
    first = run(before, policy)
    registry = registry_after(first)
    second = run(after, policy, registry=registry)
    given_by_registry = {m.number: m.identity for m in registry.meanings.values() if m.origin == "registry"}
    for meaning in second.decided.numbered.meanings:
        assert given_by_registry.get(meaning.number, meaning.identity) == meaning.identity


@given(shops(), POLICIES, merge_rules())
def test_the_category_tree_has_no_cycle_and_no_orphan(shop, policy, rules):
    try:
        result = run(shop, policy, rules)
    except RulesError:
        return
    seen: set[int] = set()
    for row in result.catalogue.categories.to_dict("records"):
        parent = row["parent_number"]
        assert parent is None or parent is pd.NA or int(parent) in seen, "parents stand before their children"
        seen.add(int(row["number"]))
        assert row["depth"] == len(row["path"])


@given(shops(broken=False), merge_rules())
def test_merging_and_excluding_conserve_goods(shop, rules):
    try:
        result = run(shop, "create", rules)
    except RulesError:
        return
    assert result.counts["goods_loaded"] == len(shop.goods)
    assigned = result.catalogue.assignments["category_number"]
    assert int(result.catalogue.categories["goods"].sum()) == int(assigned.notna().sum())


@given(shops(broken=False), st.integers(1, 12))
def test_merging_a_type_into_its_parent_moves_its_goods_there_and_no_others(shop, type_id):
    parents = dict(zip(shop.types["type_id"], shop.types["parent_id"], strict=True))
    if parents.get(type_id, pd.NA) is pd.NA:
        return
    plain = run(shop, "create")
    merged = run(shop, "create", f"rules:\n  - {{match: {{type_id: {type_id}}}, do: {{merge: parent}}, reason: x}}\n")
    into = merged.decided.sections.decisions[int(parents[type_id])].section
    assert merged.decided.sections.decisions[type_id].section == into
    linked = plain.decided.sections.decisions
    for other, decision in merged.decided.sections.decisions.items():
        if other != type_id:
            assert decision.section == linked[other].section


@given(shops(broken=False))
def test_inherit_leaves_a_good_without_a_category_only_where_no_ancestor_has_a_section(shop):
    result = run(shop, "inherit")
    parents = {int(t): p for t, p in zip(shop.types["type_id"], shop.types["parent_id"], strict=True)}
    linked = set(shop.types.loc[shop.types["section_key"].notna(), "type_id"])
    for type_id, decision in result.decided.sections.decisions.items():
        above = {type_id}
        up = parents[type_id]
        while up is not pd.NA:
            above.add(int(up))
            up = parents[int(up)]
        assert (decision.section is None) == (not above & linked)
