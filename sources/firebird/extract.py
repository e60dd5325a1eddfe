"""Reads product types, sections and goods of a Torgsoft base in one read-only snapshot.

The base is only ever read (promise P9). Either everything is read or a SourceError is raised: the number of rows is
counted by the base itself in the same snapshot, so a short extract never passes for a whole one (promise P1).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fdb
import pandas as pd
from pandera.pandas import DataFrameSchema

from schemas.errors import SourceError, SourceUnreachable
from schemas.extract import Extract
from schemas.settings.shop import SchemaMap, SourceSettings
from schemas.tables import RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, conform
from schemas.trs import GOOD_COLUMNS
from sources.firebird.catalog import about, columns, count_rows, quoted, relations, resolve
from sources.firebird.columns import Kind, Wanted, series
from sources.firebird.connection import connect, parse_dsn, password_of
from sources.firebird.errors import explain
from sources.firebird.schema_map import schema_map
from sources.firebird.text import TextReader
from sources.firebird.worker import Line, Progress, run_apart

_log = logging.getLogger("torgsync.source")

BLOCK = 5_000
"""Rows after which ``progress`` is called."""
FETCH = 100
"""Rows per fetch: after each the time limit of a silent base begins anew."""
PAUSE = 10.0
"""Seconds before the second try; each later pause is three times as long."""

_KINDS: dict[str, Kind] = {column.field: "integer" if column.kind == "flag" else column.kind for column in GOOD_COLUMNS}


@dataclass(frozen=True)
class _Field:
    """What the map says of one field, before it was looked up in the base."""

    name: str
    kind: Kind
    column: str
    empty: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Table:
    """One table to read: its schema, its name in the base, its fields with the key first, and the order of its rows."""

    schema: DataFrameSchema
    relation: str
    fields: tuple[_Field, ...]
    order: tuple[str, ...]


def read_base(settings: SourceSettings, folder: Path, progress: Progress | None = None) -> Extract:
    """Read the whole base of a shop; where the network fails, again, up to ``settings.tries`` times.

    Each try is a new connection and a new snapshot; nothing of an earlier one is used. ``folder`` is where
    ``shop.toml`` lies (a relative dsn starts there). The frames have the columns and dtypes of RAW_PRODUCT_TYPES,
    RAW_SECTIONS and RAW_GOODS: fields that the map does not name are NULL, ``position`` is the good's id where the map
    names no column for it. Rows are ordered by position and id, whatever order the base gives.
    Raises SettingsError (map, charset, password variable) or SourceError, each with its next step.
    """
    failed: list[str] = []
    while True:
        try:
            extract = _read_once(settings, folder, progress)
        except SourceUnreachable as error:
            failed.append(error.message)
            if len(failed) >= settings.tries:
                if len(failed) == 1:
                    raise
                raise SourceUnreachable(f"{error.message} (tried {len(failed)} times)", error.next_step) from error
            pause = PAUSE * 3 ** (len(failed) - 1)
            _log.warning("torgsync: %s; reading again in %g seconds", error.message, pause)
            time.sleep(pause)
        else:
            notes = [f"the base was read again, as try {n} failed: {why}" for n, why in enumerate(failed, 1)]
            return replace(extract, notes=(*extract.notes, *notes))


def _read_once(settings: SourceSettings, folder: Path, progress: Progress | None) -> Extract:
    """One snapshot of the base, read in a thread of its own."""
    mapped = schema_map(settings)
    dsn = parse_dsn(settings.dsn, folder)
    password_of(settings)  # a fault of the settings is told here, without a thread
    reader = TextReader(settings.charset, dsn.text)

    def work(line: Line[Extract]) -> Extract:
        with connect(settings, folder, line.opened) as connection:
            connection.begin()
            known = relations(connection)
            types, sections, goods = (_read(connection, table, known, reader, line) for table in _tables(mapped))
            reader.judge()
            source = _about(connection, dsn.text, settings)
        return Extract(types, sections, goods, source=source, notes=reader.notes())

    return run_apart(work, dsn, settings.timeout_seconds, progress)


def count_base(settings: SourceSettings, folder: Path) -> tuple[dict[str, str], dict[str, int]]:
    """What the base says of itself, and the rows of its three tables by our names; no row is read.

    Every table and column of the map is looked up. Raises SettingsError and SourceError as ``read_base`` does.
    """
    mapped = schema_map(settings)
    dsn = parse_dsn(settings.dsn, folder)
    TextReader(settings.charset, dsn.text)  # tells an unknown charset, as it will when rows are read
    password_of(settings)

    def work(line: Line[tuple[dict[str, str], dict[str, int]]]) -> tuple[dict[str, str], dict[str, int]]:
        with connect(settings, folder, line.opened) as connection:
            connection.begin()
            known = relations(connection)
            rows: dict[str, int] = {}
            for table in _tables(mapped):
                relation, _ = _look_up(connection, table, known, dsn.text)
                rows[str(table.schema.name)] = count_rows(connection, relation)
                line.alive()
            return _about(connection, dsn.text, settings), rows

    return run_apart(work, dsn, settings.timeout_seconds)


def _about(connection: fdb.Connection, place: str, settings: SourceSettings) -> dict[str, str]:
    """What a base says of itself, and which map it is read by."""
    return {**about(connection, place), "map": settings.map if isinstance(settings.map, str) else "shop.toml"}


def _tables(mapped: SchemaMap) -> tuple[_Table, _Table, _Table]:
    """The three tables as the map names them."""
    types, sections, goods = mapped.product_types, mapped.sections, mapped.goods
    position = () if goods.position is None else (_Field("position", "integer", goods.position),)
    return (
        _Table(
            RAW_PRODUCT_TYPES,
            types.table,
            (
                _Field("type_id", "key", types.id),
                _Field("parent_id", "key", types.parent, types.roots),
                _Field("name", "text", types.name),
                _Field("section_key", "key", types.section),
            ),
            ("type_id",),
        ),
        _Table(
            RAW_SECTIONS,
            sections.table,
            (
                _Field("section_key", "key", sections.key),
                _Field("parent_key", "key", sections.parent, sections.roots),
                _Field("name", "text", sections.name),
                _Field("number", "text", sections.number),
            ),
            ("section_key",),
        ),
        _Table(
            RAW_GOODS,
            goods.table,
            (
                _Field("good_id", "key", goods.id),
                _Field("type_id", "key", goods.type),
                *position,
                _Field("good_name", "text", goods.name),
                *(_Field(name, _KINDS[name], column) for name, column in goods.columns.items()),
            ),
            ("position", "good_id"),
        ),
    )


def _read(
    connection: fdb.Connection, table: _Table, known: list[str], reader: TextReader, line: Line[Extract]
) -> pd.DataFrame:
    """One table of the snapshot as a frame of its schema, in a deterministic order."""
    place = reader.place
    relation, wanted = _look_up(connection, table, known, place)
    try:
        cells = _fetch(connection, relation, wanted, reader, line)
    except fdb.Error as error:
        raise explain(error, place, f"reading table {relation}") from error
    frame = pd.DataFrame({w.field: series(w.kind, values) for w, values in zip(wanted, cells, strict=True)})
    if "position" in table.order and "position" not in frame:
        frame["position"] = frame["good_id"]
    return _ordered(conform(frame, table.schema), table.order)


def _look_up(connection: fdb.Connection, table: _Table, known: list[str], place: str) -> tuple[str, list[Wanted]]:
    """The table's and its columns' names as the base has them; SettingsError for one that it has not."""
    relation = resolve(table.relation, known, "table", place)
    stored = columns(connection, relation)
    return relation, [
        Wanted(f.name, f.kind, stored[resolve(f.column, list(stored), f"column of {relation}", place)], f.empty)
        for f in table.fields
    ]


def _fetch(
    connection: fdb.Connection, relation: str, wanted: list[Wanted], reader: TextReader, line: Line[Extract]
) -> list[list[Any]]:
    """The values of every wanted column, block by block. Raises SourceError when rows are missing at the end."""
    total = count_rows(connection, relation)
    line.alive()
    cursor = connection.cursor()
    # No ORDER BY: sorting wide rows costs the shop's server more than it costs us, and old versions refuse it.
    cursor.execute(f"SELECT {', '.join(w.sql for w in wanted)} FROM {quoted(relation)}")
    if any(w.column.type == "BLOB" for w in wanted):
        cursor.set_stream_blob_treshold(-1)  # long texts as texts, not as file objects
    cells: list[list[Any]] = [[] for _ in wanted]
    done = 0
    while block := _block(cursor, line):
        by_column = list(zip(*block, strict=True))
        keys = by_column[0]
        for values, out, want in zip(by_column, cells, wanted, strict=True):
            out.extend(want.convert(values, keys, relation, reader))
        done += len(block)
        line.progress(relation, done, total)
    if done != total:
        raise SourceError(
            f"{reader.place}: short extract: {done} rows of table {relation} came, the base counts {total}",
            "run the same command again; nothing was changed in any store",
        )
    return cells


def _block(cursor: fdb.Cursor, line: Line[Extract]) -> list[tuple[Any, ...]]:
    """The next rows, at most BLOCK; none at the end."""
    rows: list[tuple[Any, ...]] = []
    while len(rows) < BLOCK and (some := cursor.fetchmany(min(FETCH, BLOCK - len(rows)))):
        line.alive()
        rows += some
    return rows


def _ordered(frame: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """The frame sorted by ``by``, NULLs last; rows that tie there (duplicates) by all their values as text."""
    ties = frame.duplicated(list(by), keep=False)
    rank = pd.Series("", index=frame.index)
    if ties.any():
        rank[ties] = frame[ties].astype(object).map(repr).agg("\x1f".join, axis=1)
    ordered = frame.assign(**{"\x00rank": rank}).sort_values([*by, "\x00rank"], na_position="last", kind="stable")
    return ordered.drop(columns="\x00rank").reset_index(drop=True)
