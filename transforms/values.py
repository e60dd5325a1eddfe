"""Scalars out of nullable columns."""

from __future__ import annotations

from typing import Any


def missing(value: Any) -> bool:
    """Whether a scalar is empty: None, pandas' NA, or NaN. Never raises on lists or text."""
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)


def key_or_none(value: Any) -> int | None:
    """A key as int, or None where it is empty."""
    return None if missing(value) else int(value)
