"""Degraded success: what an operator must look at although the run loaded the stores.

Growth is measured from a *baseline*: the count at the last report, lowered when the count falls. So a problem is
reported once when it appears or gets worse, and also when it grows slowly over many nights. Zero rows, and rows that a
store refused, are reported every night.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from schemas.report import RunReport, UnmappedType
from schemas.settings.alerts import AlertsSettings

FULL = "goods_in"
"""Only a run that read and validated the base has this count."""


@dataclass(frozen=True)
class Degraded:
    """Sentences for the operator, and the baseline for the next run."""

    sentences: list[str] = field(default_factory=list)
    baseline: dict[str, int] = field(default_factory=dict)


def degraded(
    report: RunReport, previous: RunReport | None, limits: AlertsSettings, untaken: Collection[str] = ()
) -> Degraded:
    """Return the warnings about a run that ended ok or left out some stores.

    ``previous``: the report of the last such run that read the base. ``untaken``: stores without this run's catalogue
    although nothing failed in them. For a run that did not read the base (resume, retry) only stores are checked.
    """
    sentences = (
        list(report.guard_notes)
        + _nothing_shown(report)
        + _refused(report)
        + [f"store {name} was not reached: it does not hold this catalogue" for name in untaken]
    )
    if FULL not in report.counts:
        return Degraded(sentences, dict(previous.baseline) if previous else {})
    baseline = dict(previous.baseline) if previous else {}
    sentences += _sections(report, baseline, limits)
    rows = _grown("quarantined_rows", report, baseline, limits.max_new_quarantined)
    if rows is not None:
        reasons = ", ".join(f"{reason} {number}" for reason, number in report.quarantine.items())
        sentences.append(f"the quarantine grew from {rows} to {report.counts['quarantined_rows']} rows ({reasons})")
    goods = _grown("goods_hidden", report, baseline, limits.max_new_hidden)
    share = _hidden_share(report)
    before = _hidden_share(previous) if previous else 0.0
    if goods is not None:
        sentences.append(f"goods without a category grew from {goods} to {report.counts['goods_hidden']}")
    elif limits.max_hidden_share < share < 1 and before <= limits.max_hidden_share:
        hidden, loaded = report.counts["goods_hidden"], report.counts["goods_loaded"]
        sentences.append(f"{hidden} of {loaded} goods have no category, more than {limits.max_hidden_share:.0%}")
    return Degraded(sentences + _new_types(report, previous, limits), baseline)


def _nothing_shown(report: RunReport) -> list[str]:
    """Return what is reported every night: an empty table or file, or no good in any category."""
    counts = report.counts
    sentences = [
        f"the base gave no {word} at all"
        for table, word in (("raw_goods", "goods"), ("raw_product_types", "product types"))
        if counts.get(table) == 0
    ]
    if counts.get("goods_loaded") and counts["goods_loaded"] == counts.get("goods_hidden"):
        sentences.append(f"none of {counts['goods_loaded']} goods has a category: the stores show nothing")
    return sentences + [
        f"the file of store {store.name} holds no goods"
        for store in report.stores
        if store.published and not store.lines
    ]


def _refused(report: RunReport) -> list[str]:
    """Told every night: rows that a store did not take."""
    told = []
    for store in report.stores:
        if number := len(store.refused):
            first = "; ".join(map(str, store.refused[:3])) + ("; …" if number > 3 else "")
            told.append(f"store {store.name} does not hold {number} {'row' if number == 1 else 'rows'}: {first}")
    return told


def _sections(report: RunReport, baseline: dict[str, int], limits: AlertsSettings) -> list[str]:
    """Report a base that lost all its sections every night; a base that never had any is normal."""
    number = report.counts.get("raw_sections", 0)
    before = baseline.get("raw_sections", 0)
    if number or not limits.sections_expected:
        baseline["raw_sections"] = number
        return []
    return [f"the base gave no sections at all; it had {before}"] if before else []


def _grown(count: str, report: RunReport, baseline: dict[str, int], most: int) -> int | None:
    """Return the old baseline if the count grew by more than ``most`` above it, else None. Updates the baseline."""
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
    """Report types with goods that the policy saves for the first time: somebody forgot to link them."""
    if previous is None:  # the first run: all of them are new, and in its report
        return []
    before = {item.type_id for item in previous.unmapped_types if item.goods}
    new = [item for item in report.unmapped_types if item.goods and item.type_id not in before and _saved(item)]
    if len(new) <= limits.max_new_types:
        return []
    names = ", ".join(f"«{' › '.join(item.path)}» ({item.goods} goods)" for item in new[:3])
    more = f" and {len(new) - 3} more" if len(new) > 3 else ""
    if len(new) == 1:
        return [f"a new type has no section, the policy saved it: {names}"]
    return [f"{len(new)} new types have no section, the policy saved them: {names}{more}"]


def _saved(item: UnmappedType) -> bool:
    return item.category_number is not None
