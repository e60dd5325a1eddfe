"""Rejected rows as a frame with the columns QUARANTINE_COLUMNS (design.md promise P5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from schemas.reasons import REASONS
from schemas.tables import INTEGER, QUARANTINE_COLUMNS, TEXT
from schemas.unreadable import shown
from transforms.values import missing

_DTYPES = {name: INTEGER if name == "row_number" else TEXT for name in QUARANTINE_COLUMNS}
_EMPTY = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in _DTYPES.items()})


def empty_quarantine() -> pd.DataFrame:
    """Return a quarantine without rows."""
    return _EMPTY.copy()


def row_json(row: Mapping[Any, Any]) -> str:
    """Return a row as JSON without empty fields; decimals and dates are texts, unreadable bytes are ``<98>``."""
    return shown(json.dumps({k: v for k, v in row.items() if not missing(v)}, ensure_ascii=False, default=str))


def _without_nul(detail: str) -> str:
    """Replace NUL characters, which the database of the state may refuse, and show unreadable bytes."""
    return shown(detail).replace("\0", " ")


def reject(
    table: str, frame: pd.DataFrame, key: str, why: Mapping[int, tuple[str, str]] | Iterable[tuple[int, str, str]]
) -> pd.DataFrame:
    """Return the quarantine rows for some rows of a frame, whose index counts the rows of the extract from 0.

    ``why`` maps a row's index label to (reason code, detail); a row may be listed with several reasons.
    """
    items = [(i, *pair) for i, pair in why.items()] if isinstance(why, Mapping) else list(why)
    if not items:
        return empty_quarantine()
    for _, reason, _ in items:
        if reason not in REASONS:
            raise KeyError(f"unknown reason code {reason}")
    records = frame.loc[[label for label, _, _ in items]].to_dict("records")
    rows = [
        (
            table,
            label + 1,
            "" if missing(record[key]) else str(record[key]),
            reason,
            _without_nul(detail),
            row_json(record),
        )
        for record, (label, reason, detail) in zip(records, items, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(QUARANTINE_COLUMNS)).astype(_DTYPES)


def join(*parts: pd.DataFrame) -> pd.DataFrame:
    """Join quarantine rows in a stable order."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return empty_quarantine()
    whole = pd.concat(filled, ignore_index=True)
    return whole.sort_values(["table", "row_number", "reason", "detail"], ignore_index=True, kind="stable")
