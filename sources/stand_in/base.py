"""Builds a stand-in base from frames: an embedded file, or a base on a server.

A file is built as ``TARGET.part`` and renamed at the end, so that nobody mistakes a half-built base for a complete one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import fdb
import pandas as pd

from schemas.errors import SettingsError, SourceError, TorgsyncError
from sources.firebird.charsets import python_codec
from sources.firebird.client import load_client
from sources.firebird.connection import Dsn, parse_dsn
from sources.firebird.errors import explain
from sources.stand_in import tables as standin

PAGE_SIZE = 16384
Charset = Literal["WIN1251", "UTF8", "NONE"]


def build_base(
    target: Path | str,
    product_types: pd.DataFrame,
    sections: pd.DataFrame,
    goods: pd.DataFrame,
    *,
    charset: Charset = "WIN1251",
    text_encoding: str | None = None,
    overwrite: bool = False,
    user: str = "SYSDBA",
    password: str | None = None,
) -> dict[str, int]:
    """Build a stand-in base and return its row counts by table.

    The frames have columns of RAW_PRODUCT_TYPES, RAW_SECTIONS, RAW_GOODS; missing columns become NULL. ``target`` is a
    file or ``host/port:path``. ``charset`` is the base's default; with NONE the bytes are written as they are in
    ``text_encoding`` (a Firebird charset or Python codec, WIN1251 when not given). Raises SettingsError when the target
    exists and ``overwrite`` is not given, SourceError when a character does not fit the charset or a text its column.
    """
    codec = python_codec(text_encoding or ("WIN1251" if charset == "NONE" else charset))
    frames = {"PRODUCT_TYPES": product_types, "SECTIONS": sections, "GOODS": goods}
    dsn = parse_dsn(str(target), Path.cwd())
    as_bytes = charset == "NONE"
    wide = 4 if as_bytes and codec == "utf-8" else 1  # without a charset Firebird counts bytes, not characters
    # All rows are checked before anything is created: a refused character must not leave a half-built base behind.
    rows = {table: list(_rows(table, frame, codec, as_bytes)) for table, frame in frames.items()}
    if dsn.over_network:
        return _build(dsn, rows, charset, user, password, lambda: _make_room(dsn, user, password, overwrite), wide)
    final = Path(dsn.text)
    if final.exists() and not overwrite:
        raise SettingsError(f"{final} exists already", "give another target, or overwrite it on purpose (--overwrite)")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{final.parent}: {error.strerror}", "give a target in a folder that you may write to"
        ) from error
    part = final.with_name(final.name + ".part")
    try:
        counts = _build(Dsn(str(part), False), rows, charset, user, None, lambda: part.unlink(missing_ok=True), wide)
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _build(
    dsn: Dsn,
    rows: dict[str, list[tuple[Any, ...]]],
    charset: Charset,
    user: str,
    password: str | None,
    make_room: Callable[[], None],
    bytes_per_character: int,
) -> dict[str, int]:
    """Create the base, its tables and its rows; each connection is closed, also after an error."""
    load_client()
    try:
        make_room()
        _create(dsn, charset, user, password)
        # A second connection: create_database sets the base's charset but not its own, and would damage the text.
        wire = "NONE" if charset == "NONE" else "UTF8"
        connection = fdb.connect(dsn=dsn.text, user=user, password=password, charset=wire, utf8params=True)
        try:
            for statement in standin.ddl(bytes_per_character):
                connection.execute_immediate(statement.encode("ascii"))
            connection.commit()
            cursor = connection.cursor()
            for table, table_rows in rows.items():
                cursor.executemany(_insert(table), table_rows)
            connection.commit()
        finally:
            with suppress(fdb.Error):
                connection.rollback()
            connection.close()
    except fdb.Error as error:
        raise explain(error, dsn.text, "building the base") from error
    return {table: len(table_rows) for table, table_rows in rows.items()}


def _create(dsn: Dsn, charset: Charset, user: str, password: str | None) -> None:
    """Create the empty base and close it."""
    sql = f"CREATE DATABASE {_literal(dsn.text)} USER {_literal(user)}"
    if password is not None:
        sql += f" PASSWORD {_literal(password)}"
    fdb.create_database(f"{sql} PAGE_SIZE {PAGE_SIZE} DEFAULT CHARACTER SET {charset}").close()


def _make_room(dsn: Dsn, user: str, password: str | None, overwrite: bool) -> None:
    """On a server: drop an existing base if ``overwrite`` is given."""
    try:
        there = fdb.connect(dsn=dsn.text, user=user, password=password, charset="UTF8", utf8params=True)
    except fdb.Error as error:
        reason = explain(error, dsn.text)
        if "no such base" in reason.message:
            return
        raise reason from error
    if not overwrite:
        there.close()
        raise SettingsError(f"{dsn.text} exists already", "give another target, or overwrite it on purpose")
    there.drop_database()


def _insert(table: str) -> str:
    columns = standin.TABLES[table]
    return f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({", ".join("?" * len(columns))})'


def _literal(text: str) -> str:
    """Return a string literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def _rows(table: str, frame: pd.DataFrame, codec: str, as_bytes: bool) -> Iterator[tuple[Any, ...]]:
    """Yield the rows in the order of the table's columns; checks charset and width of every text."""
    unknown = [str(name) for name in frame.columns if name not in standin.FIELDS[table].values()]
    if unknown:
        raise SourceError(f"{table}: the stand-in base has no column for {', '.join(unknown)}")
    keys: Sequence[Any] = frame.iloc[:, 0].tolist() if len(frame.columns) else []
    cells: list[Sequence[Any]] = []
    for column, field in standin.FIELDS[table].items():
        if field not in frame:
            cells.append([None] * len(frame))
            continue
        values = [None if pd.isna(value) else value for value in frame[field].tolist()]
        kind = standin.TABLES[table][column]
        if kind.startswith("VARCHAR"):
            width = int(kind[8:-1])
            values = [
                _text(v, codec, as_bytes, width, (table, key, column)) for v, key in zip(values, keys, strict=True)
            ]
        elif kind.startswith("NUMERIC"):
            pass
        else:
            values = [None if value is None else int(value) for value in values]
        cells.append(values)
    return zip(*cells, strict=True)


def _text(value: Any, codec: str, as_bytes: bool, width: int, cell: tuple[str, Any, str]) -> str | bytes | None:
    """Return the text in the form of the connection. Raises SourceError with the cell where it does not fit."""
    if value is None:
        return None
    table, key, column = cell
    try:
        raw = str(value).encode(codec)
    except UnicodeEncodeError as error:
        character = str(value)[error.start]
        raise _unfit(
            f'the character "{character}" (U+{ord(character):04X}) does not exist in {codec}', cell, "--charset UTF8"
        ) from error
    if len(str(value)) > width:
        raise SourceError(f"{table} {key}, column {column}: {len(str(value))} characters do not fit VARCHAR({width})")
    return raw if as_bytes else str(value)


def _unfit(what: str, cell: tuple[str, Any, str], option: str) -> TorgsyncError:
    table, key, column = cell
    return SourceError(f"{table} {key}, column {column}: {what}", f"build the base with {option}")
