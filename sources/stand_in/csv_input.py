"""Reads three CSV files as if they were a Torgsoft base: ``torgsync base build --from-csv``.

``product_types.csv`` (type_id, parent_id, name, section_key), ``sections.csv`` (section_key, parent_key, name, number),
``goods.csv`` (good_id, type_id, good_name, then any good's field of ``schemas.trs``, and ``position``). An empty cell
is NULL, a text may hold line breaks inside quotes, a missing position is the row's number in the file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
from pandera.pandas import DataFrameSchema

from schemas.errors import SourceError, closest
from schemas.tables import DECIMAL, INTEGER, RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, TEXT, conform
from schemas.trs import DECIMAL_PRECISION, DECIMAL_SCALE

FILES: dict[str, tuple[DataFrameSchema, tuple[str, ...]]] = {
    "product_types.csv": (RAW_PRODUCT_TYPES, ("type_id", "parent_id", "name", "section_key")),
    "sections.csv": (RAW_SECTIONS, ("section_key", "parent_key", "name", "number")),
    "goods.csv": (RAW_GOODS, ("good_id", "type_id", "good_name")),
}
"""Every file with its schema and its required columns."""

_EXACT = Context(prec=DECIMAL_PRECISION, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation])
_STEP = Decimal(1).scaleb(-DECIMAL_SCALE)


def read_csv_dir(folder: Path, encoding: str = "utf-8-sig") -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Product types, sections and goods of a folder of CSV files, in the columns and dtypes of their RAW schemas.

    Raises SourceError that names file, line and column: a missing file, an unknown column (with the closest one), a
    value that is not a number. Broken data (duplicates, cycles, missing ids) passes: validation finds it later.
    """
    types, sections, goods = (_read(folder / name, encoding) for name in FILES)
    return types, sections, goods


def _read(path: Path, encoding: str) -> pd.DataFrame:
    schema, required = FILES[path.name]
    header, rows, lines = _cells(path, encoding)
    expected = list(schema.columns)
    for name in header:
        if name not in expected:
            raise SourceError(f'{path}, line 1: unknown column "{name}"', closest(name, expected))
        if header.count(name) > 1:
            raise SourceError(f'{path}, line 1: column "{name}" is there twice', "remove one of them")
    for name in required:
        if name not in header:
            raise SourceError(f'{path}, line 1: no column "{name}"', f"the file needs {', '.join(required)}")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise SourceError(
                f"{path}, line {line}: {len(row)} cells, but the header has {len(header)}",
                "put texts with a comma, a quote or a line break in double quotes",
            )
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    frame = pd.DataFrame(
        {
            name: _column(cells, schema.columns[name].dtype.type, lines, f"{path}", name)
            for name, cells in zip(header, columns, strict=True)
        }
    )
    if "position" in expected and "position" not in header:
        frame["position"] = pd.Series(range(1, len(frame) + 1), dtype=INTEGER)
    return conform(frame, schema)


def _cells(path: Path, encoding: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, rows and the line on which each row begins; blank lines are skipped."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            rows, lines = [], []
            begins = reader.line_num + 1
            for row in reader:
                if row:
                    rows.append(row)
                    lines.append(begins)
                begins = reader.line_num + 1
            return header, rows, lines
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file", f"the folder must hold {', '.join(FILES)}") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, LookupError) as error:
        raise SourceError(
            f"{path}: not {encoding}: {error}", "name the right encoding, for instance --encoding cp1251"
        ) from error
    except csv.Error as error:
        raise SourceError(
            f"{path}, line {reader.line_num}: not valid CSV: {error}", "double every quote inside a text"
        ) from error


def _column(cells: tuple[str, ...], dtype: Any, lines: list[int], path: str, name: str) -> pd.Series[Any]:
    """Convert one column to the dtype of the schema; an empty cell is NULL."""
    if dtype == TEXT:
        return pd.Series([cell or None for cell in cells], dtype=TEXT)
    one: Callable[[str], Any] = _decimal if dtype == DECIMAL else _integer
    values: list[Any] = []
    for cell, line in zip(cells, lines, strict=True):
        try:
            values.append(one(cell.strip()) if cell.strip() else None)
        except (ValueError, ArithmeticError) as error:
            noun = f"a number with at most {DECIMAL_SCALE} decimals" if dtype == DECIMAL else "an integer"
            raise SourceError(
                f'{path}, line {line}, column {name}: "{cell}" is not {noun}', "correct the cell"
            ) from error
    if dtype == DECIMAL:
        return pd.Series(pd.arrays.ArrowExtensionArray(pyarrow.array(values, type=DECIMAL.pyarrow_dtype)))
    return pd.Series(values, dtype=INTEGER)


def _integer(cell: str) -> int:
    number = int(cell)
    if "_" in cell or not -(2**63) <= number < 2**63:
        raise ValueError(cell)
    return number


def _decimal(cell: str) -> Decimal:
    """Parse a number exactly, with decimal point or comma; refuses one that would lose a digit."""
    if "_" in cell:
        raise ValueError(cell)
    number = Decimal(cell.replace(",", "."))
    if not number.is_finite():
        raise ValueError(cell)
    return number.quantize(_STEP, context=_EXACT)
