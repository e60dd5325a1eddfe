"""Values of a frame's columns as plain Python objects; decimals stay exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow

from schemas.numbers import format_decimal
from schemas.tables import DECIMAL, INTEGER, TEXT


def decimals(column: pd.Series) -> list[Decimal | None]:
    """Return a DECIMAL column as exact Decimals without trailing zeros, None for empty."""
    found = pyarrow.array(column).to_pylist()
    return [None if value is None else Decimal(format_decimal(value)) for value in found]


def plain_values(column: pd.Series) -> list[Any]:
    """Return the values of a column as int, str, bool, list or Decimal; None for empty."""
    if column.dtype == DECIMAL:
        return list(decimals(column))
    if column.dtype in (INTEGER, TEXT):
        return list(column.array.to_numpy(dtype=object, na_value=None))
    values = column.astype(object)
    return [None if value is pd.NA or value is None or value != value else value for value in values]
