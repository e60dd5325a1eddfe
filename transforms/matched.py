"""Matches the rows of two nights by key, over whole columns (no Python object per row)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Matched:
    """A table of two nights: ``at_before`` and ``at_after`` are the positions of the rows that are in both, pairwise.

    ``new`` are the positions of the rows of ``after`` whose key ``before`` has not.
    """

    before: pd.DataFrame
    after: pd.DataFrame
    at_before: np.ndarray[Any, Any]
    at_after: np.ndarray[Any, Any]
    new: np.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.at_before)

    @property
    def gone(self) -> int:
        """Return how many rows of ``before`` are not in ``after``."""
        return len(self.before) - len(self)

    def pair(self, column: str) -> tuple[Any, Any]:
        """Return a column of both nights as Arrow arrays, for the rows that are in both."""
        return take(self.before, column, self.at_before), take(self.after, column, self.at_after)

    def changed(self, column: str) -> np.ndarray[Any, Any]:
        """Return a mask of the rows in both with another value; a missing value counts as unchanged."""
        old, new = self.pair(column)
        return mask(pc.not_equal(old, new))


def match_rows(before: pd.DataFrame, after: pd.DataFrame, key: str) -> Matched:
    """Match the rows of two nights; ``key`` is a column of unique integers without missing values."""
    old, new = before[key].to_numpy("int64"), after[key].to_numpy("int64")
    if np.array_equal(old, new):
        every = np.arange(len(old))
        return Matched(before, after, every, every, every[:0])
    found = pd.Index(new).get_indexer(pd.Index(old))
    at_before = np.flatnonzero(found >= 0)
    at_after = found[at_before]
    is_new = np.ones(len(new), bool)
    is_new[at_after] = False
    return Matched(before, after, at_before, at_after, np.flatnonzero(is_new))


def take(frame: pd.DataFrame, column: str, at: np.ndarray[Any, Any] | None = None) -> Any:
    """Return a column as an Arrow array: all rows, or those at these positions."""
    values = pa.array(frame[column])
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return values if at is None or _is_everything(at, len(values)) else values.take(pa.array(at))


def mask(condition: Any) -> np.ndarray[Any, Any]:
    """Return an Arrow condition as a numpy mask; null is false."""
    return np.asarray(pc.fill_null(condition, False).to_numpy(zero_copy_only=False), dtype=bool)


def _is_everything(at: np.ndarray[Any, Any], size: int) -> bool:
    return len(at) == size and (size == 0 or bool((at[1:] > at[:-1]).all()))
