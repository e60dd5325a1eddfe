"""Which plans wait for a person."""

from __future__ import annotations

import pytest

from schemas.plan import Operation, Plan, StorePlan
from schemas.settings.schedule import ApprovalSettings
from transforms.approval import not_approved, to_approve


def plan(**stores: list[tuple[str, str]]) -> Plan:
    """A plan of (kind, entity) by store."""
    return Plan(
        shop="test", catalogue="c", settings="s",
        stores=tuple(
            StorePlan(
                store=name, kind="sql",
                operations=tuple(Operation(kind, entity, key) for key, (kind, entity) in enumerate(rows, 1)),
            )
            for name, rows in stores.items()
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "rows", "sentence"),
    [
        ({"removed_goods": 1}, [("hide", "offer")] * 2, "2 goods would disappear from store web (asked above 1)"),
        ({"removed_goods": 1}, [("hide", "offer"), ("retire", "offer")], "2 goods would disappear"),
        ({"removed_categories": 0}, [("hide", "category")], "1 categories would disappear from store web"),
        ({"moved_goods": 1}, [("assign", "offer")] * 2, "2 goods would come into another category of store web"),
    ],
)
def test_one_row_above_a_limit_asks_and_the_limit_itself_does_not(limit, rows, sentence):
    (told,) = to_approve(plan(web=rows), ApprovalSettings(**limit))
    assert sentence in told
    assert to_approve(plan(web=rows[1:]), ApprovalSettings(**limit)) == []


def test_each_store_is_measured_by_itself():
    both = plan(web=[("hide", "offer")], site=[("hide", "offer")] * 2)
    (told,) = to_approve(both, ApprovalSettings(removed_goods=1))
    assert "store site" in told


def test_what_comes_or_changes_asks_nobody_and_without_limits_nothing_does():
    rows = [("create", "offer"), ("update", "offer"), ("restore", "offer"), ("rename", "category")] * 50
    strict = ApprovalSettings(removed_goods=0, removed_categories=0, moved_goods=0)
    assert to_approve(plan(web=rows), strict) == []
    assert to_approve(plan(web=[("hide", "offer")] * 1000), ApprovalSettings()) == []


def test_what_was_approved_for_one_store_is_not_approved_for_another_nor_one_row_more():
    asked = plan(web=[("hide", "offer")] * 3)
    assert not_approved(plan(web=[("hide", "offer")] * 2), [asked]) == []
    assert [op.key for op in not_approved(plan(web=[("hide", "offer")] * 4), [asked])] == [4]
    assert len(not_approved(plan(site=[("hide", "offer")]), [asked])) == 1
    assert len(not_approved(asked, [])) == 3
