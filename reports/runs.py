"""A table of runs, and the difference of two catalogues, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reports.plan import Names, blocks, row_line
from reports.summary import phrase
from schemas.plan import Operation, StorePlan
from schemas.report import RunReport


def run_facts(row: Mapping[str, Any], loaded: str | None, last_successful: str | None, held: bool) -> dict[str, Any]:
    """Return the facts of one row of ``runs`` for a person.

    ``held``: a process has the lock of the shop now. A run with the outcome "running" and no such process has died.
    """
    outcome, did = row["outcome"], row["message"]
    if row["report"]:
        did = phrase(RunReport.model_validate(row["report"]))
    elif outcome == "running" and not held:
        outcome, did = "interrupted", "the process was killed, or the power failed"
    seconds = None
    if row["finished_at"]:
        begin, end = (datetime.fromisoformat(row[name]) for name in ("started_at", "finished_at"))
        seconds = max(0.0, (end - begin).total_seconds())
    return {
        "run": row["run"], "purpose": row["purpose"], "continues": row["continues"], "started_at": row["started_at"],
        "seconds": seconds, "outcome": outcome, "exit_code": row["exit_code"], "did": did,
        "allowed": row["allowed"] or {}, "loaded": row["run"] == loaded,
        "last_successful": row["run"] == last_successful,
    }  # fmt: skip


def runs_text(shop: str, runs: Sequence[Mapping[str, Any]], more: int) -> str:
    """Return the table of runs, newest first."""
    if not runs:
        return f"{shop}: no run yet"
    width = {name: max(len(str(run[name])) for run in runs) for name in ("run", "purpose", "outcome")}
    lines = [f"{shop}: {len(runs)} of {len(runs) + more} runs, newest first"]
    for run in runs:
        words = {"LOADED NOW": run["loaded"], "last successful": run["last_successful"]}
        marks = [word for word, on in words.items() if on]
        marks += [f"allowed {guard}={rows}" for guard, rows in run["allowed"].items()]
        seconds = "      –" if run["seconds"] is None else f"{run['seconds']:5.0f} s"
        started = run["started_at"][:16].replace("T", " ")
        head = "  ".join(f"{run[name]!s:<{width[name]}}" for name in ("run", "purpose"))
        end = f"{run['outcome']:<{width['outcome']}}  {', '.join(marks)}".rstrip()
        lines.append(f"  {head}  {started} {seconds}  {end}")
        if run["did"]:
            lines.append(f"      {run['did']}")
    return "\n".join(lines)


def diff_text(title: str, operations: Sequence[Operation], names: Names, limit: int = 30) -> str:
    """Return the difference of two catalogues, removals first."""
    if not operations:
        return f"{title}: no difference"
    lines = [title]
    for block in blocks(StorePlan(store="", kind="", operations=tuple(operations)), names):
        lines.append(f"  {'REMOVED: ' if block.removal else ''}{block.kind} {block.count}: {block.meaning}")
        lines += [f"    {row_line(row)}" for row in block.rows[:limit]]
        if block.follow:
            lines.append(f"    {block.follow} more follow from the moves above")
        if len(block.rows) > limit:
            lines.append(f"    … and {len(block.rows) - limit} more (all of them with --json)")
    return "\n".join(lines)
