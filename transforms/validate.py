"""Lazy pandera validation of a raw table: valid rows are returned, others go to the quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pandas as pd
from pandera.errors import SchemaErrors
from pandera.pandas import Column, DataFrameSchema

from schemas.command import COMMAND
from schemas.errors import SchemaError
from schemas.reasons import REASONS
from schemas.tables import TABLES, TEXT
from schemas.unreadable import MARK, shown
from transforms.quarantine import empty_quarantine, reject


def validated(frame: pd.DataFrame, schema: DataFrameSchema, lazy: bool = False) -> pd.DataFrame:
    """Return the frame if it passes every check of ``schema``; raises pandera's SchemaError or, ``lazy``, SchemaErrors.

    The result is that of ``schema.validate``, in less time: pandera copies the frame for each of the 49 columns of
    goods, and reads each text column cell by cell although its dtype allows only texts. So this function compares names
    and dtypes itself, and gives pandera only the columns with further checks.
    """
    dtypes = {name: column.dtype.type for name, column in schema.columns.items()}
    if len(frame.columns) != len(dtypes) or dict(frame.dtypes) != dtypes:
        return schema.validate(frame, lazy=lazy)
    checks = _checks(str(schema.name))
    checks.validate(frame[list(checks.columns)], lazy=lazy)
    return frame


@cache
def _checks(table: str) -> DataFrameSchema:
    """Return the columns of a schema with checks beside the dtype, without the dtype."""
    schema = TABLES[table]
    if schema.checks or schema.unique or schema.coerce:
        raise NotImplementedError(f"{table} has checks that are not one column's")
    columns = {
        name: Column(checks=column.checks, nullable=column.nullable, unique=column.unique)
        for name, column in schema.columns.items()
        if column.checks or column.unique or not column.nullable
    }
    return DataFrameSchema(columns, name=schema.name)


def split_valid(frame: pd.DataFrame, schema: DataFrameSchema, key: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that pass every check of ``schema``, and the quarantine rows of the others.

    The index of the valid rows is their position in the extract, from 0. A row may be in the quarantine under
    several reasons. Raises SchemaError when a failure
    belongs to no row (a missing column, or one of another type): then the run must stop.
    """
    # a non-unique index would reject valid rows too (design.md section 5)
    frame = frame.reset_index(drop=True)
    why = set(_unreadable(frame, schema))
    try:
        validated(frame, schema, lazy=True)
    except SchemaErrors as errors:
        why |= _failed(errors.failure_cases, schema)
    if not why:
        return frame, empty_quarantine()
    bad = frame.index.isin([position for position, _, _ in why])
    return frame[~bad], reject(str(schema.name), frame, key, sorted(why))


Why = tuple[int, str, str]
"""A row by its place in the extract from 0, the reason code, the detail."""


def _unreadable(frame: pd.DataFrame, schema: DataFrameSchema) -> Iterator[Why]:
    """The rows with a text that the source could not decode."""
    for name in schema.columns:
        if name in frame and frame[name].dtype == TEXT:
            texts = frame[name][frame[name].str.contains(MARK, regex=False).fillna(False).astype(bool)]
            for position, text in texts.items():
                yield int(str(position)), "text_unreadable", f"{name} = {_short(shown(text))}"


def _failed(cases: pd.DataFrame, schema: DataFrameSchema) -> set[Why]:
    """The rows that failed a check. Raises SchemaError for a failure that belongs to no row."""
    # pandera lists a wrong dtype once per row: it is the table's fault, not the rows'
    shapeless = cases[cases["index"].isna() | cases["check"].astype(str).str.startswith("dtype(")]
    if len(shapeless):
        first = shapeless.iloc[0]
        raise SchemaError(
            f"table {schema.name}: {first['column']}: {first['check']} ({first['failure_case']})",
            f"check the schema map of the shop against its base: {COMMAND} inspect",
        )
    return {
        (int(case["index"]), _reason(str(case["check"])), f"{case['column']} = {_short(case['failure_case'])}")
        for case in cases.to_dict("records")
    }


def _reason(check: str) -> str:
    return check if check in REASONS else "value_out_of_range"


def _short(value: object) -> str:
    text = "empty" if value is None or value is pd.NA or value != value else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
