"""Degraded success: what an operator must look at although the run loaded the stores.

Growth is measured from a *baseline*: the count when it was told last, lowered when the count falls. So a sentence is
said once when something appears or gets worse, and a problem that grows by a little every night is told as well. Zero
rows are told every night.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from schemas.report import RunReport, UnmappedType
from schemas.settings.alerts import AlertsSettings

FULL = "goods_in"
"""The count that only a run has which read the base and judged its rows."""


@dataclass(frozen=True)
class Degraded:
    """Sentences for the operator, and the baseline for the next run."""

    sentences: list[str] = field(default_factory=list)
    baseline: dict[str, int] = field(default_factory=dict)


def degraded(
    report: RunReport, previous: RunReport | None, limits: AlertsSettings, untaken: Collection[str] = ()
) -> Degraded:
    """Judge a run that ended ok or left out some stores.

    ``previous`` is the newest earlier one of them that read the base; ``untaken`` names stores that do not hold this
    run's catalogue though nothing failed in them. A run that did not read the base (resume, retry) is judged by its
    stores only.
    """
    told = [*report.guard_notes, *_nothing_shown(report)] + [
        f"store {name} was not reached: it does not hold this catalogue" for name in untaken
    ]
    if FULL not in report.counts:
        return Degraded(told, dict(previous.baseline) if previous else {})
    baseline = dict(previous.baseline) if previous else {}
    told += _sections(report, baseline, limits)
    rows = _grown("quarantined_rows", report, baseline, limits.max_new_quarantined)
    if rows is not None:
        reasons = ", ".join(f"{reason} {number}" for reason, number in report.quarantine.items())
        told.append(f"the quarantine grew from {rows} to {report.counts['quarantined_rows']} rows ({reasons})")
    goods = _grown("goods_hidden", report, baseline, limits.max_new_hidden)
    share = _hidden_share(report)
    before = _hidden_share(previous) if previous else 0.0
    if goods is not None:
        told.append(f"goods without a category grew from {goods} to {report.counts['goods_hidden']}")
    elif limits.max_hidden_share < share < 1 and before <= limits.max_hidden_share:
        hidden, loaded = report.counts["goods_hidden"], report.counts["goods_loaded"]
        told.append(f"{hidden} of {loaded} goods have no category, more than {limits.max_hidden_share:.0%}")
    return Degraded(told + _new_types(report, previous, limits), baseline)


def _nothing_shown(report: RunReport) -> list[str]:
    """Told every night: a table or a store's file without any row, no good in any category."""
    counts = report.counts
    told = [
        f"the base gave no {word} at all"
        for table, word in (("raw_goods", "goods"), ("raw_product_types", "product types"))
        if counts.get(table) == 0
    ]
    if counts.get("goods_loaded") and counts["goods_loaded"] == counts.get("goods_hidden"):
        told.append(f"none of {counts['goods_loaded']} goods has a category: the stores show nothing")
    return told + [
        f"the file of store {store.name} holds no goods"
        for store in report.stores
        if store.published and not store.lines
    ]


def _sections(report: RunReport, baseline: dict[str, int], limits: AlertsSettings) -> list[str]:
    """A base that never had sections is a usual one; one that lost them all is told every night."""
    number = report.counts.get("raw_sections", 0)
    before = baseline.get("raw_sections", 0)
    if number or not limits.sections_expected:
        baseline["raw_sections"] = number
        return []
    return [f"the base gave no sections at all; it had {before}"] if before else []


def _grown(count: str, report: RunReport, baseline: dict[str, int], most: int) -> int | None:
    """The old baseline where the count grew by more than ``most`` above it; else None. Moves the baseline."""
    number = report.counts.get(count, 0)
    before = baseline.setdefault(count, number)
    if number > before + most:
        baseline[count] = number
        return before
    baseline[count] = min(before, number)
    return None


def _hidden_share(report: RunReport) -> float:
    loaded = report.counts.get("goods_loaded", 0)
    return report.counts.get("goods_hidden", 0) / loaded if loaded else 0.0


def _new_types(report: RunReport, previous: RunReport | None, limits: AlertsSettings) -> list[str]:
    """Types with goods that the policy saves tonight and did not in the run before: somebody forgot to link them."""
    if previous is None:  # the first run: all of them are new, and in its report
        return []
    known = {item.type_id for item in previous.unmapped_types if item.goods}
    new = [item for item in report.unmapped_types if item.goods and item.type_id not in known and _saved(item)]
    if len(new) <= limits.max_new_types:
        return []
    names = ", ".join(f"«{' › '.join(item.path)}» ({item.goods} goods)" for item in new[:3])
    more = f" and {len(new) - 3} more" if len(new) > 3 else ""
    if len(new) == 1:
        return [f"a new type has no section, the policy saved it: {names}"]
    return [f"{len(new)} new types have no section, the policy saved them: {names}{more}"]


def _saved(item: UnmappedType) -> bool:
    return item.category_number is not None
