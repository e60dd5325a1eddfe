"""Reads ``TSGoods.trs``, the sync file, in every dialect seen in real exports (domain.md section 4).

Values stay exact: texts keep every blank, an empty number becomes NULL, decimals keep every digit. ``sources.trs.base``
derives product types and sections from them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import SettingsError, SourceError, closest
from schemas.settings.stores import Encoding, TrsDialect
from schemas.tables import DECIMAL, TEXT
from schemas.trs import ALL_COLUMNS, DECIMAL_PRECISION, DECIMAL_SCALE, LAYOUTS, TrsColumn
from sources.trs.chain import sniff_separator
from sources.trs.lexer import EXPORT_AGAIN, read_rows

Layout = Literal[50, 48, 40] | list[str]

_INTEGER = r"^-?\d{1,18}\z"
_DECIMAL = r"^-?\d+(,\d+)?\z"


@dataclass(frozen=True)
class TrsFile:
    """A sync file as read: ``frame`` has one column per field of ``schemas.trs``, in the file's order.

    ``dialect``: the detected (or given) one; ``path``: the file; ``notes``: sentences about unusual content.
    """

    frame: pd.DataFrame
    dialect: TrsDialect
    path: Path
    notes: tuple[str, ...] = ()


def read_trs(
    path: str | Path,
    *,
    encoding: Encoding | None = None,
    header: bool | None = None,
    layout: Layout | None = None,
    chain_separator: Literal[";", "|"] | None = None,
) -> TrsFile:
    """Read a sync file; parameters that are None are detected from the file.

    Integers and flags become ``Int64``, decimals DECIMAL(18, 8), texts TEXT. A header names the columns in any set and
    order; a column that we do not know is left out with a note. Without a header the layout follows from the number of
    columns: 50, 48 or 40.

    Raises SourceError, naming file, line and column, where the file cannot be read completely (see also
    ``lexer.read_rows``): an invalid number, a decimal that would lose digits, unknown columns.
    """
    path = Path(path)
    rows, found, notes = read_rows(path, encoding)
    has_header = _is_header(rows[0]) if header is None else header
    names, more = _columns(path, rows[0], has_header, layout)
    body = rows[1:] if has_header else rows
    if not body:
        more = (*more, "the file has a header, but no goods")
    cells: Sequence[Sequence[str]] = list(zip(*body, strict=True)) if body else [()] * len(names)
    columns = {
        ALL_COLUMNS[name].field: _values(path, ALL_COLUMNS[name], values, 2 if has_header else 1)
        for name, values in zip(names, cells, strict=True)
        if name
    }
    doubt: tuple[str, ...] = ()
    if chain_separator is None:
        chains: set[str] = set(columns.get("synchronization_section_full", ()))
        chain_separator, doubt = sniff_separator(chains)
    dialect = TrsDialect(
        layout=_named_layout([name for name in names if name]),
        header=has_header,
        encoding=found,
        chain_separator=chain_separator,
    )
    return TrsFile(pd.DataFrame(columns), dialect, path, (*notes, *more, *doubt))


def _is_header(cells: list[str]) -> bool:
    """Tell whether half of the cells are column names; a good may have one by chance (a colour «Display»)."""
    return 2 * sum(cell in ALL_COLUMNS for cell in cells) >= len(cells)


def _columns(path: Path, cells: list[str], header: bool, layout: Layout | None) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of the columns in order, "" for one that is left out, and notes."""
    return _header_names(path, cells, layout) if header else (_layout_names(path, len(cells), layout), ())


def _header_names(path: Path, cells: list[str], layout: Layout | None) -> tuple[list[str], tuple[str, ...]]:
    """Return the columns of the header, "" for an unknown column, and notes about those."""
    notes = tuple(
        f'column {position} "{cell}" is unknown and was left out{_guess(cell)}'
        for position, cell in enumerate(cells, 1)
        if cell not in ALL_COLUMNS
    )
    names = [cell if cell in ALL_COLUMNS else "" for cell in cells]
    _check_fields(path, names)
    if layout is not None and [name for name in names if name] != _names(layout):
        raise SourceError(f"{path}, line 1: the header names other columns than the layout given", "leave --layout out")
    return names, notes


def _guess(cell: str) -> str:
    hint = closest(cell, list(ALL_COLUMNS))
    return f"; {hint}" if hint.startswith("did you mean") else ""


def _layout_names(path: Path, width: int, layout: Layout | None) -> list[str]:
    """Return the columns of a file without a header."""
    if layout is not None:
        names = _names(layout)
        _check_fields(path, names)
        if len(names) != width:
            raise SourceError(
                f"{path}, line 1: wrong number of columns: {width}, but the layout has {len(names)}",
                "give the layout that Torgsoft exports with",
            )
        return names
    if width not in LAYOUTS:
        raise SourceError(
            f"{path}, line 1: wrong number of columns: {width}; without a header a file has 50, 48 or 40",
            "switch the header on in Torgsoft's export, or give the columns as a layout",
        )
    return [column.name for column in LAYOUTS[width]]


def _names(layout: Layout) -> list[str]:
    if isinstance(layout, int):
        return [column.name for column in LAYOUTS[layout]]
    for name in layout:
        if name not in ALL_COLUMNS:
            raise SettingsError(f'no column "{name}": {closest(name, list(ALL_COLUMNS))}')
    return list(layout)


def _named_layout(names: list[str]) -> Layout:
    """Return 50, 48 or 40 where the columns are exactly those, else the list."""
    layouts: tuple[Literal[50, 48, 40], ...] = (50, 48, 40)
    return next((layout for layout in layouts if names == _names(layout)), names)


def _check_fields(path: Path, names: list[str]) -> None:
    fields = [ALL_COLUMNS[name].field for name in names if name]
    double = sorted({field for field in fields if fields.count(field) > 1})
    if double:
        raise SourceError(f"{path}, line 1: a column is there twice: {', '.join(double)}", "name each column once")
    if "good_id" not in fields:
        raise SourceError(f"{path}, line 1: no column GoodID", "switch the column on in Torgsoft's export")


def _values(path: Path, column: TrsColumn, values: Sequence[str], first: int) -> pd.Series[Any]:
    """Convert one column to its dtype. ``first``: the line of the first value, for messages."""
    if column.kind == "text":
        return pd.Series(list(values), dtype=TEXT)
    texts = pa.array(values, pa.string())
    empty = pc.equal(texts, "")
    valid = pc.or_(empty, pc.match_substring_regex(texts, _DECIMAL if column.kind == "decimal" else _INTEGER))
    if not pc.all(valid, min_count=0).as_py():
        position = pc.index(valid, False).as_py()
        raise _fault(path, first + position, column, f'not {_what(column)}: "{_short(values[position])}"')
    filled = pc.if_else(empty, pa.scalar(None, pa.string()), texts)
    if column.kind != "decimal":
        numbers = filled.cast(pa.int64())
        mask = np.asarray(numbers.is_null())
        return pd.Series(pd.arrays.IntegerArray(np.asarray(numbers.fill_null(0)), mask))
    try:
        exact = pc.replace_substring(filled, ",", ".").cast(pa.decimal128(DECIMAL_PRECISION, DECIMAL_SCALE))
    except pa.ArrowInvalid as error:
        position = next(i for i, value in enumerate(values) if value and not _fits(Decimal(value.replace(",", "."))))
        what = f'"{_short(values[position])}" does not fit DECIMAL({DECIMAL_PRECISION}, {DECIMAL_SCALE})'
        raise _fault(path, first + position, column, f"{what}: it would lose digits") from error
    return pd.Series(pd.arrays.ArrowExtensionArray(exact), dtype=DECIMAL)


def _fits(value: Decimal) -> bool:
    _, digits, exponent = value.normalize().as_tuple()
    scale = max(0, -int(exponent))
    whole = len(digits) + int(exponent) if value else 0
    return scale <= DECIMAL_SCALE and whole <= DECIMAL_PRECISION - DECIMAL_SCALE


def _what(column: TrsColumn) -> str:
    return "a number with a decimal comma" if column.kind == "decimal" else "an integer"


def _short(value: str) -> str:
    return re.sub(r"[\x00-\x1f]", " ", value if len(value) <= 40 else value[:39] + "…")


def _fault(path: Path, line: int, column: TrsColumn, what: str) -> SourceError:
    return SourceError(f"{path}, line {line}, column {column.name}: {what}", EXPORT_AGAIN)
