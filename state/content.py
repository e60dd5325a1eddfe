"""The fingerprint of the content of tables, independent of the version of a library.

Only names, types and values count. How Arrow holds a column (chunks, dictionaries, wide or narrow offsets, bytes below
a null) differs between versions and does not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def fingerprint_of(tables: Mapping[str, pa.Table]) -> str:
    """Return 64 hexadecimal digits of names, types and values of every column, in their order.

    Columns hold booleans, integers, decimals, texts, or lists of those. Raises TypeError for any other type.
    """
    digest = hashlib.sha256()
    for name, table in tables.items():
        _note(digest, "table", name, table.num_rows, table.num_columns)
        for column, values in zip(table.column_names, table.columns, strict=True):
            _note(digest, "column", column)
            _add(digest, values.cast(_plain(values.type)).combine_chunks())
    return digest.hexdigest()


def _note(digest: Any, *facts: str | int) -> None:
    digest.update(json.dumps(facts, ensure_ascii=False).encode() + b"\n")


def _plain(kind: Any) -> Any:
    """Return one common type for all types that hold the same values."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_decimal(kind) and kind.precision <= 38:
        return pa.decimal128(38, kind.scale)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.large_list(_plain(kind.value_type))
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        return kind
    raise TypeError(f"no fingerprint for a column of type {kind}")


def _add(digest: Any, values: Any) -> None:
    """Add a column: the mask of nulls, then the other values without gaps."""
    kind = values.type
    _note(digest, _name(kind), len(values), values.null_count)
    if pa.types.is_null(kind):
        return
    if values.null_count:
        digest.update(_bytes(values.is_valid().cast(pa.uint8()), 1))
        values = values.drop_null()
    if pa.types.is_large_list(kind):
        digest.update(_bytes(pc.list_value_length(values).cast(pa.int64()), 8))
        _add(digest, pc.list_flatten(values))
    elif pa.types.is_large_string(kind):
        digest.update(_bytes(pc.binary_length(values).cast(pa.int64()), 8))
        digest.update(_text(values))
    elif pa.types.is_boolean(kind):
        digest.update(_bytes(values.cast(pa.uint8()), 1))
    else:
        digest.update(_bytes(values, kind.bit_width // 8))


def _name(kind: Any) -> str:
    """Return our name of a type, as Arrow's may change."""
    if pa.types.is_decimal(kind):
        return f"decimal {kind.scale}"
    if pa.types.is_integer(kind):
        return f"{'' if pa.types.is_signed_integer(kind) else 'unsigned '}integer {kind.bit_width}"
    if pa.types.is_large_list(kind):
        return "list"
    return "text" if pa.types.is_large_string(kind) else "boolean" if pa.types.is_boolean(kind) else "null"


def _bytes(values: Any, width: int) -> Any:
    """Return the bytes of a column of fixed width, without a copy."""
    buffer = values.buffers()[1]
    return b"" if buffer is None else buffer.slice(values.offset * width, len(values) * width)


def _text(values: Any) -> Any:
    """Return the joined texts of a column, without a copy."""
    _, offsets, data = values.buffers()
    if data is None or not len(values):
        return b""
    ends = memoryview(offsets).cast("q")
    start, end = ends[values.offset], ends[values.offset + len(values)]
    return data.slice(start, end - start)
