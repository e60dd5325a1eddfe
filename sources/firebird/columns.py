"""How one column is selected and turned into our dtypes, without losing a digit or a letter.

Integers stay integers, scaled integers become Decimal, bytes of charset NONE are decoded by the shop's ``charset``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow

from schemas.errors import SourceError
from schemas.tables import DECIMAL, INTEGER, TEXT
from schemas.trs import DECIMAL_PRECISION, DECIMAL_SCALE
from sources.firebird.catalog import BaseColumn, quoted
from sources.firebird.text import TextReader

Kind = Literal["text", "integer", "decimal", "key"]

_STEP = Decimal(1).scaleb(-DECIMAL_SCALE)
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_GREATEST = Decimal(10) ** (DECIMAL_PRECISION - DECIMAL_SCALE)
_WIDE_NUMBERS = ("INT128", "DECFLOAT(16)", "DECFLOAT(34)")


@dataclass(frozen=True)
class Wanted:
    """One field that is read: our name, its kind, the base's column, and the values that mean «none»."""

    field: str
    kind: Kind
    column: BaseColumn
    empty: tuple[int, ...] = ()

    @property
    def sql(self) -> str:
        """The column as it must be selected so that fdb neither guesses nor replaces anything."""
        name = quoted(self.column.name)
        if self.column.type in _WIDE_NUMBERS:
            return f"CAST({name} AS VARCHAR(64))"  # fdb knows neither type
        if not self.column.has_no_charset:
            return name
        if self.column.type == "BLOB":
            return f"CAST({name} AS BLOB SUB_TYPE BINARY)"
        # As OCTETS the server passes the bytes on; as they are, fdb would put U+FFFD for what is not UTF-8.
        return f"CAST({name} AS VARCHAR({max(self.column.width, 1)}) CHARACTER SET OCTETS)"

    def convert(self, values: Sequence[Any], keys: Sequence[Any], table: str, reader: TextReader) -> list[Any]:
        """The values as str, int or Decimal, None for NULL. Raises SourceError that names table, key and column."""
        one: Callable[[Any, str], Any] = {"text": _text, "integer": _integer, "key": _integer, "decimal": _decimal}[
            self.kind
        ]
        if self.kind == "text" and self.column.is_text:
            reader.look_for_losses(values, keys, table, self.column)
        if self.kind == "text" and self.column.type == "VARCHAR" and not self.column.has_no_charset:
            return list(values)
        if self.kind in ("integer", "key") and not self.column.scale and self._plain_integer:
            return [None if value in self.empty else value for value in values] if self.empty else list(values)
        out: list[Any] = []
        for value, key in zip(values, keys, strict=True):
            if value is None:
                out.append(None)
                continue
            where = f"table {table}, key {key}, column {self.column.name}"
            try:
                result = one(self._bare(value, where, reader), where)
            except (ValueError, InvalidOperation, ArithmeticError) as error:
                raise SourceError(
                    f"{reader.place}: {where}: {value!r} is not {_NOUN[self.kind]}",
                    "mend it in Torgsoft, or map another column",
                ) from error
            out.append(None if result in self.empty else result)
        return out

    @property
    def _plain_integer(self) -> bool:
        return self.column.type in ("SMALLINT", "INTEGER", "BIGINT") and not self.column.subtype

    def _bare(self, value: Any, where: str, reader: TextReader) -> Any:
        """The value without what its storage added: bytes decoded, CHAR's padding off, floats by their digits."""
        if isinstance(value, bytes):
            value = reader.decode(value, where)
        if self.column.type == "CHAR":
            value = value.rstrip(" ")
        if self.column.type == "FLOAT":
            return Decimal(str(np.float32(value)))  # a single float widened to a double shows digits nobody wrote
        return Decimal(repr(value)) if isinstance(value, float) else value


_NOUN = {"text": "a text", "integer": "an integer", "key": "an integer", "decimal": "a decimal number of 18 digits"}


def _text(value: Any, _where: str) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Decimal):
        return format(value.normalize(_EXACT) if value else Decimal(0), "f")
    return value if isinstance(value, str) else str(value)


def _integer(value: Any, where: str) -> int | None:
    if isinstance(value, str):
        value = Decimal(value.strip()) if value.strip() else None
    if value is None:
        return None
    number = int(value)
    if number != value or not -(2**63) <= number < 2**63:
        raise ValueError(where)
    return number


def _decimal(value: Any, where: str) -> Decimal | None:
    if isinstance(value, str):
        value = value.strip().replace(",", ".") or None
    if value is None:
        return None
    number = Decimal(value).quantize(_STEP, context=_EXACT)
    if abs(number) >= _GREATEST or not number.is_finite():
        raise ValueError(where)
    return number


def series(kind: Kind, values: list[Any]) -> pd.Series[Any]:
    """The values in the dtype of the schema: Int64, text, or exact decimals; None becomes the dtype's NA."""
    if kind == "decimal":
        array = pyarrow.array(values, type=DECIMAL.pyarrow_dtype)
        return pd.Series(pd.arrays.ArrowExtensionArray(array))
    return pd.Series(values, dtype=TEXT if kind == "text" else INTEGER)
