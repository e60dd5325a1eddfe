"""Writes ``TSGoods.trs``, the sync file, exactly as Torgsoft does (domain.md section 4).

Texts are always quoted, a quote inside is doubled. Numbers are never quoted and have a decimal comma and no trailing
zeros. NULL is empty. CRLF ends every line. Line breaks and control characters become one blank, and a character that
cp1251 cannot hold is replaced, as readers would fail on them; both are reported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import StoreError
from schemas.settings.stores import TrsDialect
from schemas.tables import DECIMAL, INTEGER
from schemas.trs import ALL_COLUMNS, DECIMAL_SCALE, LAYOUTS, TrsColumn
from stores.feeds.trs_text import Replaced, clean_texts

CHUNK = 10_000
"""Goods per piece: a file of any size needs only the memory of one piece."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class TrsWritten:
    """The result: number of ``goods``, and the ``sha256`` of the whole file.

    ``unencodable`` lists every character that cp1251 could not hold; ``notes`` say what else differs from the values.
    """

    goods: int
    sha256: str
    unencodable: tuple[Replaced, ...] = ()
    notes: tuple[str, ...] = ()


class _Journal:
    """Counts the changes in all pieces; each column gets one note at the end."""

    def __init__(self) -> None:
        self.replaced: list[Replaced] = []
        self.controls: dict[str, int] = {}
        self.long: dict[str, list[int]] = {}
        self.nameless = 0

    def notes(self) -> tuple[str, ...]:
        controls = (
            f"{name}: {count} line breaks or control characters became one blank each"
            for name, count in self.controls.items()
        )
        long = (
            f"{name}: {len(ids)} texts are longer than the column's {ALL_COLUMNS[name].width} characters and were "
            f"written in full (good {', '.join(str(i) for i in ids[:5])}{', …' if len(ids) > 5 else ''})"
            for name, ids in self.long.items()
        )
        nameless = (f"GoodName: {self.nameless} goods have an empty name: some readers refuse the file",)
        return (*controls, *long, *(nameless if self.nameless else ()))


def write_trs(target: str | Path | BinaryIO, goods: pd.DataFrame, dialect: TrsDialect) -> TrsWritten:
    """Write the goods as a sync file into a path or a binary stream; use ``stores.publish`` for the folder of a store.

    ``goods`` has our field names (``schemas.trs``); a missing column is written empty. ``good_name`` is the
    final name. ``category`` is the section's number, NULL (a hidden good) becomes -1. The chain comes from
    ``section_chain`` (a list of (key, name), or None), or as text from ``synchronization_section_full``.

    Raises StoreError when a good has no id or a value does not fit its column.
    """
    if isinstance(target, (str, Path)):
        with Path(target).open("wb") as stream:
            return write_trs(stream, goods, dialect)
    journal = _Journal()
    digest = hashlib.sha256()
    for piece in _pieces(goods, dialect, journal):
        target.write(piece)
        digest.update(piece)
    return TrsWritten(
        goods=len(goods),
        sha256=digest.hexdigest(),
        unencodable=tuple(journal.replaced),
        notes=journal.notes(),
    )


def trs_columns(dialect: TrsDialect) -> tuple[TrsColumn, ...]:
    """Return the columns of the dialect in order."""
    if isinstance(dialect.layout, int):
        return LAYOUTS[dialect.layout]
    return tuple(ALL_COLUMNS[name] for name in dialect.layout)


def _pieces(goods: pd.DataFrame, dialect: TrsDialect, journal: _Journal) -> Iterator[bytes]:
    columns = trs_columns(dialect)
    if "good_id" not in goods or goods["good_id"].isna().any():
        raise StoreError(
            "a good without GoodID cannot be written to a sync file", "this is a defect of torgsync: report it"
        )
    codec = "cp1251" if dialect.encoding == "cp1251" else "utf-8"
    header = ";".join(f'"{column.name}"' for column in columns) + "\r\n" if dialect.header else ""
    if start := (_BOM if dialect.encoding == "utf-8-sig" else b"") + header.encode("ascii"):
        yield start
    for first in range(0, len(goods), CHUNK):
        part = goods.iloc[first : first + CHUNK]
        ids = part["good_id"].astype(INTEGER).tolist()
        cells = [_cells(part, column, dialect, ids, journal) for column in columns]
        lines = pc.binary_join_element_wise(*cells, pa.scalar(";")) if len(cells) > 1 else cells[0]
        yield ("\r\n".join(lines.to_pylist()) + "\r\n").encode(codec)


def _cells(part: pd.DataFrame, column: TrsColumn, dialect: TrsDialect, ids: list[int], journal: _Journal) -> Any:
    """Return one column of one piece as an Arrow array of formatted texts."""
    if column.field == "synchronization_section_full" and "section_chain" in part:
        values: Any = pd.Series(
            [_chain(chain, dialect.chain_separator) for chain in part["section_chain"]], dtype="str"
        )
    elif column.field in part:
        values = part[column.field]
    else:
        values = None
    if column.kind == "text":
        return _text_cells(values, column, dialect, ids, journal)
    if values is None:
        return pa.array(["-1" if column.field == "category" else ""] * len(part), pa.string())
    try:
        if column.kind == "decimal":
            return _decimals(pa.array(values.astype(DECIMAL)))
        numbers = pa.array(values.astype(INTEGER), pa.int64())
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise StoreError(
            f"{column.name}: a value does not fit its column: {error}", "correct the value in Torgsoft"
        ) from error
    return pc.fill_null(numbers.cast(pa.string()), "-1" if column.field == "category" else "")


def _chain(chain: Any, separator: str) -> str:
    if not isinstance(chain, (list, tuple)):  # None, or NaN after a join
        return ""
    return separator.join(f"{key}={name}" for key, name in chain)


def _text_cells(values: Any, column: TrsColumn, dialect: TrsDialect, ids: list[int], journal: _Journal) -> Any:
    if values is None:
        return pa.array(['""'] * len(ids), pa.string())
    texts = pc.fill_null(pa.array(values.astype("str"), pa.string()), "")
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts, controls, replaced = clean_texts(texts, column.field, ids, cp1251=dialect.encoding == "cp1251")
    journal.replaced.extend(replaced)
    if controls:
        journal.controls[column.name] = journal.controls.get(column.name, 0) + controls
    if column.width is not None:
        long = pc.greater(pc.utf8_length(texts), column.width)
        if pc.any(long, min_count=0).as_py():
            positions = pc.indices_nonzero(long).to_pylist()
            journal.long.setdefault(column.name, []).extend(ids[position] for position in positions)
    if column.field == "good_name":
        journal.nameless += pc.sum(pc.equal(texts, ""), min_count=0).as_py()
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.binary_join_element_wise(pa.scalar('"'), doubled, pa.scalar('"'), pa.scalar(""))


def _decimals(values: Any) -> Any:
    """Format decimals as ``211,2`` or ``200``. Arrow would print 0.00000001 as ``1E-8``."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    encoded = values.dictionary_encode()  # prices repeat: only the distinct ones are formatted
    texts = [f"{value:.{DECIMAL_SCALE}f}".rstrip("0").rstrip(".") for value in encoded.dictionary.to_pylist()]
    short = pa.array([text.replace(".", ",") for text in texts], pa.string())
    return pc.fill_null(pc.take(short, encoded.indices), "")
