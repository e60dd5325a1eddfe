"""Words of an alert: the reason, the subject and the text."""

from __future__ import annotations

from reports.summary import store_sentence
from schemas.report import Outcome, RunReport
from schemas.settings.alerts import AlertKind

_OF_OUTCOME: dict[Outcome, AlertKind] = {
    "failed": "failed",
    "guard stop": "guard stop",
    "refused": "refused",
    "quarantine over its limit": "quarantine",
    "some stores failed": "stores failed",
    "interrupted": "interrupted",
}


_LONGEST = 3500  # Telegram refuses more than 4096 characters, and escapes make a text longer
_LONGEST_LINE = 600  # a message may name many types: the report has the full text
_CONTROLS = {code: "·" for code in (*range(32), *range(127, 160)) if code != 10}


def alert_kinds(report: RunReport, before: Outcome | None) -> list[AlertKind]:
    """Return the reasons for an alert; none after a good run. ``before``: how the last nightly run ended."""
    kinds = [_OF_OUTCOME[report.outcome]] if report.outcome in _OF_OUTCOME else []
    if report.degraded:
        kinds.append("degraded")
    if report.outcome == "ok" and before not in (None, "ok"):
        kinds.append("recovered")
    return kinds


def subject(shop: str, what: str) -> str:
    """Return the subject, such as ``torgsync: cosmetics: guard stop``."""
    return f"torgsync: {shop}: {what}"


def alert_text(report: RunReport, before: Outcome | None, broken: bool, page: str) -> str:
    """Return the text: what happened, what was changed, what to do next, counts, and where the report is.

    ``broken``: a signal or an unexpected error ended the run, so a store may be half changed.
    """
    blocks = [_happened(report, before), _changed(report, broken)]
    if report.degraded:
        blocks.append("Look at:\n" + "\n".join(f"- {sentence}" for sentence in report.degraded))
    if report.next_step:
        blocks.append(f"What to do: {report.next_step}")
    if counts := _counts(report):
        blocks.append(counts)
    continues = f", continues {report.continues}" if report.continues else ""
    blocks.append(f"Run {report.run} ({report.purpose}{continues}), begun {report.started_at[:19].replace('T', ' ')}")
    blocks.append(f"Report: {page}")
    lines = "\n\n".join(blocks).translate(_CONTROLS).splitlines()
    return _cut("\n".join(_cut(line, _LONGEST_LINE) for line in lines), _LONGEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _happened(report: RunReport, before: Outcome | None) -> str:
    if report.outcome == "ok" and before not in (None, "ok"):
        return f"ok again: the run before ended with «{before}»."
    if report.outcome == "ok":
        return "The run ended ok, but it needs a look."
    return f"{report.outcome}: {report.message}" if report.message else report.outcome


def _changed(report: RunReport, broken: bool) -> str:
    """Say for each store what the run changed there, or that it is unknown."""
    lines = [f"- {store.name}: {store_sentence(store)}" for store in report.stores]
    if broken:
        done = {store.name for store in report.stores}
        lines += [
            f"- {name}: not reached, or half changed: the next run completes it"
            for name in report.plan
            if name not in done
        ]
    return "\n".join(["Changed:", *lines]) if lines else "Changed: nothing in any store."


def _counts(report: RunReport) -> str:
    counts, lines = report.counts, []
    if "goods_in" in counts:
        lines.append(
            f"Goods: {counts['goods_in']} read, {counts['goods_loaded']} in the catalogue, "
            f"{counts.get('goods_hidden', 0)} of them without a category"
        )
    elif "raw_goods" in counts:
        lines.append(f"Goods: {counts['raw_goods']} read")
    if "categories" in counts:
        lines.append(f"Categories: {counts['categories']}, of {counts.get('product_types', '?')} product types")
    if report.quarantine:
        reasons = ", ".join(f"{reason} {number}" for reason, number in report.quarantine.items())
        lines.append(f"Quarantine: {counts.get('quarantined_rows', 0)} rows ({reasons})")
    return "\n".join(lines)
