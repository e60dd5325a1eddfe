"""A run and its plan as Markdown and as rows of tables: what the Prefect UI shows as artifacts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from reports.plan import MOST, Names, blocks, named, row_line, twin
from reports.summary import counted, phrase, store_sentence, title
from schemas.plan import Plan
from schemas.reasons import REASONS
from schemas.report import RunReport, UnmappedType

Table = list[dict[str, Any]]
"""Rows of a table artifact: every row has the same keys, in the order of the columns."""

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~!&@]|:(?=//)|(?<=www)\.|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]", re.IGNORECASE)
"""Markup, entities, what makes an address a link without any markup, and what begins a list or underlines a title."""


def plain(text: object) -> str:
    """A text out of a base as Markdown shows it letter by letter: a name may hold markup, and must not become any."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(str(text).split()))


def summary_text(report: RunReport, page: str = "") -> str:
    """What came of a run, what to do, its counts and its stores. ``page`` is the address of its report."""
    lines = [f"# {plain(title(report))}", ""]
    if report.message:
        lines += [f"**{plain(report.message)}**", ""]
    else:
        lines += [plain(phrase(report)), ""]
    if report.next_step:
        lines += [f"What to do: {plain(report.next_step)}", ""]
    if shown := counted(report):
        lines += ["| | |", "|---|--:|", *(f"| {word} | {number} |" for word, number in shown), ""]
    if report.stores:
        lines += ["| store | kind | what happened |", "|---|---|---|"]
        lines += [f"| {plain(s.name)} | {s.kind} | {plain(store_sentence(s))} |" for s in report.stores]
        lines.append("")
    if report.allowed:
        lines += ["Guards let through: " + ", ".join(f"{guard}={rows}" for guard, rows in report.allowed.items()), ""]
    if report.warnings:
        lines += ["## Warnings", "", *(f"- {plain(text)}" for text in report.warnings[:MOST]), ""]
    if page:
        lines += [f"The whole report: {page}", ""]
    return "\n".join([*lines, f"run `{report.run}`, {sum(report.seconds.values()):.1f} s"])


def plan_table(plan: Plan, names: Names | None = None, limit: int = MOST) -> Table:
    """The operations of a plan, removals first in each store; goods with the same change are one row.

    Prefect shows the cells of a table as Markdown.
    """
    known = {**named(plan), **(names or {})}
    rows: Table = [
        _planned(each.store or "all", each.heading, each.measured, f"{each.text} (limit {each.limit})")
        for each in plan.guards
    ]
    for place, store in enumerate(plan.stores):
        if store.error:
            rows.append(_planned(store.store, store.trouble.upper(), 0, store.error))
            continue
        same = twin(plan.stores[:place], store)
        if same is not None:
            told = f"categories and goods: the same as in store {same.store}"
            rows.append(_planned(store.store, "", len(store.operations), told))
            continue
        for block in blocks(store, known):
            kind = f"REMOVED: {block.kind}" if block.removal else block.kind
            shown = block.rows[:limit]
            rows += [_planned(store.store, kind, len(row.members) + row.more or 1, row_line(row)) for row in shown]
            rest = len(block.rows) - len(shown)
            if rest:
                rows.append(_planned(store.store, kind, rest, "more in plan.json"))
    return rows


def _planned(store: str, what: str, rows: int, told: str) -> dict[str, Any]:
    return {"store": plain(store), "what": what, "rows": rows, "of": plain(told)}


def quarantine_table(rejected: Sequence[Mapping[Any, Any]], limit: int = MOST) -> Table:
    """Rejected rows with their reason and what to do."""
    return [
        {
            "table": row["table"], "row": plain(row["row_key"] or f"row {row['row_number']}"), "reason": row["reason"],
            "detail": plain(row["detail"]), "what to do": REASONS[row["reason"]][1],
        }
        for row in rejected[:limit]
    ]  # fmt: skip


def unmapped_table(types: Sequence[UnmappedType], limit: int = MOST) -> Table:
    """Product types without a section of their own that have goods: those whose goods are hidden first."""
    found = sorted((t for t in types if t.goods), key=lambda t: t.category_number is not None)
    return [
        {
            "product type": plain(" > ".join(item.path)), "goods": item.goods,
            "saved into": plain(" > ".join(item.category_path or [])) or "NOTHING: its goods are hidden",
            "number": "" if item.category_number is None else item.category_number,
        }
        for item in found[:limit]
    ]  # fmt: skip


def approval_text(plan: Plan, told: Sequence[str], hours: float) -> str:
    """What a person reads who is asked to approve a plan."""
    lines = ["# Shall this plan be carried out?", "", *(f"- **{plain(text)}**" for text in told), ""]
    lines += ["| store | " + " | ".join(("removed", "new or shown again", "changed")) + " |", "|---|--:|--:|--:|"]
    for store in plan.stores:
        counts = {"hide": 0, "retire": 0, "create": 0, "restore": 0}
        changed = 0
        for operation in store.operations:
            if operation.kind in counts:
                counts[operation.kind] += 1
            elif operation.entity in ("category", "offer"):
                changed += 1
        lines.append(
            f"| {plain(store.store)} | {counts['hide'] + counts['retire']} "
            f"| {counts['create'] + counts['restore']} | {changed} |"
        )
    return "\n".join([*lines, "", f"Nothing was changed yet. No answer within {hours:g} hours means no."])
