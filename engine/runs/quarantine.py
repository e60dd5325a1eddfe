"""Rejected rows of a shop's runs: look up, accept, withdraw an acceptance. ``replay`` validates them again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from engine.runs.replay import judged, judged_run
from schemas.errors import SettingsError, closest
from schemas.reasons import REASONS
from schemas.settings.shop import Shop
from state.open import open_state

TABLES = {"product_types": "raw_product_types", "sections": "raw_sections", "goods": "raw_goods"}
"""The word of a table on the command line → the name of the table."""

PARTS = ("table", "row_number", "row_key", "reason", "detail", "row")
"""The shown fields of a rejected row; ``row`` is the row as JSON."""


@dataclass(frozen=True)
class Accepted:
    """Rows as (table, row key, reason) after accept or unaccept; ``changed``: whether that changed anything."""

    rows: tuple[tuple[str, str, str], ...]
    changed: bool


def rejected_rows(shop: Shop, run: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the name of a run, and its rejected rows: PARTS and ``accepted`` (note and at, or None)."""
    name = str(judged_run(shop, run)["run"])
    with open_state(shop) as state:
        accepted = {_identity(row): {"note": row["note"], "at": row["accepted_at"]} for row in state.accepted()}
        rows = state.quarantine(name)
    return name, [{**plain(row), "accepted": accepted.get(_identity(row))} for row in rows]


def rejected_row(shop: Shop, key: str, run: str) -> list[dict[str, Any]]:
    """Return every rejected row of a key, with the row and ``since``: the first run of its unbroken rejection.

    ``key``: the id of the row, or ``row:N`` for its number in the extract. Raises SettingsError with the closest keys.
    """
    name, rows = rejected_rows(shop, run)
    found = _of_key(rows, key, name)
    return [{**row, "row": json.loads(row["row"]), "since": _since(shop, row, name)} for row in found]


def accept(shop: Shop, table: str, key: str, reason: str | None, note: str) -> Accepted:
    """Accept a rejected row of the last run that validated its rows, for one reason or for all its reasons.

    Raises SettingsError for an unknown row, a row without an id, and an empty note.
    """
    run, rows = rejected_rows(shop, "last")
    found = _of_key([row for row in rows if row["table"] == _table(table)], key, run)
    if not found[0]["row_key"]:
        raise SettingsError(
            f"{found[0]['table']} row {found[0]['row_number']} has no id, so the next run could not recognize it",
            "correct it in Torgsoft, or raise the limit in [quarantine]",
        )
    if not note.strip():
        raise SettingsError("the note is empty", "say why the row may stay as it is")
    chosen = _of_reason(found, reason)
    newly_accepted = [row for row in chosen if (row["accepted"] or {}).get("note") != note]
    with open_state(shop) as state:
        state.accept(
            {_identity(row) for row in newly_accepted}, note, datetime.now().astimezone().isoformat("T", "seconds")
        )
    return _accepted(chosen, bool(newly_accepted))


def unaccept(shop: Shop, table: str, key: str, reason: str | None) -> Accepted:
    """Withdraw an acceptance, also of a row that is no longer in the quarantine."""
    with open_state(shop) as state:
        rows = [row for row in state.accepted() if row["table"] == _table(table)]
        found = [row for row in rows if row["row_key"] == key]
        if not found:
            keys = [str(row["row_key"]) for row in rows]
            hint = closest(key, keys[:20]) if keys else f"nothing of {table} is accepted"
            raise SettingsError(f"{_table(table)} {key} is not accepted", hint)
        chosen = _of_reason(found, reason)
        state.unaccept({_identity(row) for row in chosen})
    return _accepted(chosen, True)


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the PARTS of a rejected row, its number as an int."""
    return {name: int(row[name]) if name == "row_number" else row[name] for name in PARTS}


def _since(shop: Shop, row: Mapping[str, Any], run: str) -> dict[str, str]:
    """Return the first of the consecutive runs up to ``run`` that rejected the row for this reason."""
    with open_state(shop) as state:
        runs = [item for item in state.runs() if judged(item)]
        rejected = state.rejections(*_identity(row))
    first = {"run": run, "started_at": ""}
    for item in runs[next(n for n, item in enumerate(runs) if item["run"] == run) :]:
        if item["run"] not in rejected:
            break
        first = {"run": item["run"], "started_at": item["started_at"]}
    return first


def _identity(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(row["table"]), str(row["row_key"]), str(row["reason"])


def _accepted(rows: Iterable[Mapping[str, Any]], changed: bool) -> Accepted:
    return Accepted(tuple(sorted(map(_identity, rows))), changed)


def _table(text: str) -> str:
    if text in TABLES.values():
        return text
    if text not in TABLES:
        raise SettingsError(f'no table "{text}"', closest(text, list(TABLES)))
    return TABLES[text]


def _of_key(rows: list[dict[str, Any]], key: str, run: str) -> list[dict[str, Any]]:
    by_number = key.startswith("row:")
    found = [row for row in rows if (key == f"row:{row['row_number']}" if by_number else row["row_key"] == key)]
    if found:
        return found
    keys = sorted({str(row["row_key"]) for row in rows if row["row_key"]})
    near = get_close_matches(key, keys, n=3, cutoff=0.5) or keys[:5]
    hint = f"did you mean {', '.join(near)}?" if near else "no such table has a row there"
    raise SettingsError(f'no row "{key}" is in the quarantine of run {run}', hint)


def _of_reason(rows: list[dict[str, Any]], reason: str | None) -> list[dict[str, Any]]:
    if reason is None:
        return rows
    found = [row for row in rows if row["reason"] == reason]
    if not found:
        if reason not in REASONS:
            raise SettingsError(f'no reason "{reason}"', closest(reason, list(REASONS)))
        own = ", ".join(sorted({str(row["reason"]) for row in rows}))
        raise SettingsError(f"the row is not there for {reason}", f"its reasons are: {own}")
    return found
