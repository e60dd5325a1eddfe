"""Scalars of nullable columns."""

from __future__ import annotations

from typing import Any


def missing(value: Any) -> bool:
    """Tell whether a scalar is empty: None, pandas' NA, or NaN. Accepts lists and texts."""
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)


def key_or_none(value: Any) -> int | None:
    """Return a key as int, or None where it is empty."""
    return None if missing(value) else int(value)
