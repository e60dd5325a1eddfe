"""Degraded success: what is told although a run ended ok, once when it appears or grows, and zero rows every night."""

from __future__ import annotations

from schemas.report import RunReport, StoreResult, UnmappedType
from schemas.settings.alerts import AlertsSettings
from transforms.degraded import degraded

QUIET = {"goods_in": 1000, "goods_loaded": 1000, "goods_hidden": 20, "quarantined_rows": 5}
LIMITS = AlertsSettings()


def night(types=(), stores=(), baseline=None, **counts: int) -> RunReport:
    raw = {"raw_goods": 1000, "raw_product_types": 50, "raw_sections": 30}
    return RunReport(
        run="r", shop="s", started_at="2026-11-24T02:30:00.000+02:00", outcome="ok", counts=raw | QUIET | counts,
        quarantine={"name_empty": 5}, unmapped_types=list(types), stores=list(stores), baseline=baseline or {},
    )  # fmt: skip


def saved(type_id: int, goods: int = 3, number: int | None = 7) -> UnmappedType:
    path = ["Посуд"] if number else None
    by = "inherit" if number else "none"
    return UnmappedType(
        type_id=type_id, path=["Посуд", f"Тип {type_id}"], goods=goods, decided_by=by, category_number=number,
        category_path=path,
    )  # fmt: skip


def nights(*reports: RunReport, limits: AlertsSettings = LIMITS) -> list[list[str]]:
    """What each of several nights tells, each judged against the one before it."""
    told, before = [], None
    for report in reports:
        found = degraded(report, before, limits)
        before = report.model_copy(update={"baseline": found.baseline})
        told.append(found.sentences)
    return told


def test_a_quiet_shop_tells_nothing():
    assert nights(night(), night(goods_hidden=25, quarantined_rows=9), night()) == [[], [], []]


def test_a_quarantine_that_jumps_is_told_once_and_again_when_it_grows_further():
    told = nights(*(night(quarantined_rows=n) for n in (5, 40, 40, 45, 60)))
    assert told == [
        [],
        ["the quarantine grew from 5 to 40 rows (name_empty 5)"],
        [],
        [],
        ["the quarantine grew from 40 to 60 rows (name_empty 5)"],
    ]


def test_a_quarantine_that_creeps_is_told_each_time_the_sum_passes_the_limit():
    told = nights(*(night(quarantined_rows=n) for n in range(0, 40, 4)))
    assert [len(sentences) for sentences in told] == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1]


def test_what_shrinks_lowers_the_mark_from_which_growth_is_measured():
    told = nights(*(night(goods_hidden=n) for n in (100, 10, 30)))
    assert told == [[], [], ["goods without a category grew from 10 to 30"]]


def test_a_large_share_without_a_category_is_told_when_it_is_crossed_and_not_every_night():
    limits = AlertsSettings(max_new_hidden=10_000)
    told = nights(*(night(goods_hidden=n) for n in (300, 310, 100, 210)), limits=limits)
    assert told == [
        ["300 of 1000 goods have no category, more than 20%"],
        [],
        [],
        ["210 of 1000 goods have no category, more than 20%"],
    ]


def test_no_good_with_a_category_and_an_empty_file_are_told_every_night():
    empty = StoreResult(name="site", kind="trs", published=True, lines=0)
    report = night(goods_hidden=1000, stores=[empty])
    told = nights(report, report)
    hard = ["none of 1000 goods has a category: the stores show nothing", "the file of store site holds no goods"]
    assert told == [hard, hard]


def test_sections_that_are_all_gone_are_told_every_night_but_not_where_there_never_were_any():
    assert nights(night(raw_sections=0), night(raw_sections=0)) == [[], []]
    gone = ["the base gave no sections at all; it had 30"]
    assert nights(night(), night(raw_sections=0), night(raw_sections=0), night()) == [[], gone, gone, []]
    off = AlertsSettings(sections_expected=False)
    assert nights(night(), night(raw_sections=0), limits=off) == [[], []]


def test_a_type_that_the_policy_saves_is_told_the_night_it_is_new():
    told = nights(
        night([saved(1)]), night([saved(1), saved(2, goods=0)]), night([saved(1), saved(2)]), night([saved(2)])
    )
    assert told == [[], [], ["a new type has no section, the policy saved it: «Посуд › Тип 2» (3 goods)"], []]
    lost = saved(3, number=None)
    assert nights(night(), night([lost])) == [[], []], "its goods are without a category, and counted as such"
    many = nights(night(), night([saved(n) for n in range(1, 6)]))[1][0]
    assert many.startswith("5 new types have no section, the policy saved them: «Посуд › Тип 1»")
    assert many.endswith(" and 2 more")
    assert nights(night(), night([saved(1)]), limits=AlertsSettings(max_new_types=1))[1] == []


def test_a_run_that_read_no_base_is_judged_by_its_stores_and_hands_the_marks_on():
    before = night(baseline={"quarantined_rows": 5})
    resumed = before.model_copy(update={"counts": {"raw_goods": 1000}, "purpose": "resume"})
    found = degraded(resumed, before, LIMITS, untaken=["web"])
    assert found.sentences == ["store web was not reached: it does not hold this catalogue"]
    assert found.baseline == before.baseline
