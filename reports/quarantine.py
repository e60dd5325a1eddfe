"""Rejected rows for the terminal: lists by table and reason, single rows, and the result of a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.command import COMMAND
from schemas.reasons import REASONS

Row = Mapping[str, Any]


def list_text(shop: str, run: str, rows: Sequence[Row], limit: int = 10) -> str:
    """List the rejected rows of a run by table and reason, each reason with its remedy."""
    if not rows:
        return f"run {run}: nothing is in the quarantine"
    number = len({(row["table"], row["row_number"]) for row in rows})
    accepted = len({(row["table"], row["row_number"]) for row in rows if row.get("accepted")})
    lines = [f"run {run}: {_rows(number)} in the quarantine" + (f", {accepted} accepted" if accepted else "")]
    for (table, reason), found in _grouped(rows).items():
        lines.append(f"  {table}  {reason}  {_rows(len({row['row_number'] for row in found}))}: {REASONS[reason][0]}")
        lines.append(f"      to do: {REASONS[reason][1]}")
        for row in found[:limit]:
            mark = "  [accepted]" if row.get("accepted") else ""
            lines.append(f"      {_name(row)}  {row['detail']}{mark}")
        if len(found) > limit:
            lines.append(f"      … and {len(found) - limit} more (quarantine.csv, or --json)")
    lines.append(f"one row: {COMMAND} quarantine show {shop} KEY")
    return "\n".join(lines)


def row_text(row: Row) -> str:
    """Describe one rejected row: reason, remedy, first run, accepted or not, and its cells."""
    meaning, to_do = REASONS[row["reason"]]
    since = row["since"]
    lines = [
        f"{row['table']} {_name(row)}: {row['reason']}",
        f"  {meaning}: {row['detail']}",
        f"  to do: {to_do}",
        f"  in the quarantine since run {since['run']}"
        + (f" ({since['started_at'][:10]})" if since["started_at"] else ""),
    ]
    accepted = row["accepted"]
    note = f"on {accepted['at'][:10]}: {accepted['note']}" if accepted else "no, it counts towards the limits"
    lines.append(f"  accepted: {note}")
    lines += [f"    {name} = {value}" for name, value in row["row"].items()]
    return "\n".join(lines)


def replay_text(
    shop: str, run: str, passes: Sequence[Row], still: Sequence[Row], new: Sequence[Row], over_limit: str
) -> str:
    """Say which rejected rows of a run would pass under today's settings and rules, and which would not."""
    lines = [f"the rows of run {run}, checked again with today's settings and rules:"]
    for rows, word in ((passes, "pass now"), (still, "are still rejected"), (new, "WOULD NEWLY BE REJECTED")):
        lines.append(f"  {_rows(len({(row['table'], row['row_number']) for row in rows}))} {word}")
        for (table, reason), found in _grouped(rows).items():
            was = "was " if rows is passes else ""
            lines += [f"      {table} {_name(row)}  {was}{reason}: {row['detail']}" for row in found[:10]]
            if len(found) > 10:
                lines.append(f"      … and {len(found) - 10} more of {table}: {reason} (all of them with --json)")
    if over_limit:
        lines.append(f"  a run would stop: {over_limit}")
    elif passes and not new:
        lines.append(f"  the next run loads them: {COMMAND} sync {shop}")
    lines.append("  the base was not read, and nothing was changed")
    return "\n".join(lines)


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    out: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["table"], row["reason"], row["row_number"])):
        out.setdefault((row["table"], row["reason"]), []).append(row)
    return out


def _name(row: Row) -> str:
    return str(row["row_key"]) if row["row_key"] else f"row:{row['row_number']}"


def _rows(number: int) -> str:
    return f"{number} row" if number == 1 else f"{number} rows"
