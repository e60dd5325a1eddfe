"""Looks into an unknown base: tables, columns, keys, row counts; and guesses a schema map from the names.

The guess is only that. Entity names are inferred from what Torgsoft writes into its exports (domain.md section 3); the
vendor publishes no table name.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import fdb

from schemas.errors import SourceError
from schemas.settings.shop import SchemaMap, SourceSettings
from schemas.trs import GOOD_COLUMNS
from sources.firebird.catalog import about, columns, count_rows, relations
from sources.firebird.connection import connect, parse_dsn, password_of
from sources.firebird.errors import NO_PERMISSION
from sources.firebird.status import status_of
from sources.firebird.worker import Line, run_apart

_KEYS = """
SELECT rc.RDB$RELATION_NAME, rc.RDB$CONSTRAINT_TYPE, s.RDB$FIELD_NAME, target.RDB$RELATION_NAME
FROM RDB$RELATION_CONSTRAINTS rc
JOIN RDB$INDEX_SEGMENTS s ON s.RDB$INDEX_NAME = rc.RDB$INDEX_NAME
LEFT JOIN RDB$REF_CONSTRAINTS ref ON ref.RDB$CONSTRAINT_NAME = rc.RDB$CONSTRAINT_NAME
LEFT JOIN RDB$RELATION_CONSTRAINTS target ON target.RDB$CONSTRAINT_NAME = ref.RDB$CONST_NAME_UQ
WHERE rc.RDB$CONSTRAINT_TYPE IN ('PRIMARY KEY', 'FOREIGN KEY')
ORDER BY rc.RDB$RELATION_NAME, rc.RDB$CONSTRAINT_NAME, s.RDB$FIELD_POSITION
"""

GUESSES: dict[str, dict[str, tuple[str, ...]]] = {
    "product_types": {
        "table": ("GOODTYPE", "GOODTYPES", "GOODSTYPE", "PRODUCTTYPE", "PRODUCTTYPES"),
        "id": ("GOODTYPEID", "TYPEID", "ID"),
        "parent": ("PARENTID", "PARENTGOODTYPEID", "PARENTTYPEID", "PARENT", "OWNERID"),
        "name": ("GOODTYPENAME", "TYPENAME", "NAME", "TITLE"),
        "section": ("SYNCHRONIZATIONSECTIONID", "SYNCHRONIZATIONSECTION", "SECTIONKEY", "SECTIONID", "SYNCSECTIONID"),
    },
    "sections": {
        "table": ("SYNCHRONIZATIONSECTION", "SYNCHRONIZATIONSECTIONS", "SYNCSECTION", "SECTIONS", "SECTION"),
        "key": ("SYNCHRONIZATIONSECTIONID", "SECTIONKEY", "SECTIONID", "ID"),
        "parent": ("PARENTID", "PARENTKEY", "PARENTSYNCHRONIZATIONSECTIONID", "PARENTSECTIONID", "PARENT"),
        "name": ("SYNCHRONIZATIONSECTIONNAME", "SECTIONNAME", "NAME", "TITLE"),
        "number": ("NUMBER", "SECTIONNUMBER", "SYNCHRONIZATIONSECTIONNUMBER", "NUM", "CODE"),
    },
    "goods": {
        "table": ("GOOD", "GOODS", "PRODUCT", "PRODUCTS"),
        "id": ("GOODID", "ID"),
        "type": ("GOODTYPEID", "TYPEID", "GOODTYPE"),
        "name": ("GOODNAME", "NAME", "TITLE"),
        "position": ("POSITIONNO", "POSITION", "ORDERNO", "SORTORDER"),
    },
}
"""Likely names by our field, without underscores; the first are the likelier ones. Inferred, not known."""

_GOOD_ENOUGH = 0.75


def inspect_base(settings: SourceSettings, folder: Path | None = None) -> dict[str, Any]:
    """What the base says of itself: ``dsn``, ``server``, ``ods``, ``charset``, ``tables`` (by name).

    A table has ``columns`` (name -> ``type``, ``charset``, ``nullable``), ``primary_key``, ``foreign_keys`` (each
    ``column`` and ``table``) and ``rows`` (None where the user may not read it). Of the settings only ``dsn``, ``user``
    and ``password_env`` are used. Raises SourceError as ``sources.firebird.errors`` explains it.
    """
    folder = folder or Path.cwd()
    dsn = parse_dsn(settings.dsn, folder)
    password_of(settings)

    def work(line: Line[dict[str, Any]]) -> dict[str, Any]:
        with connect(settings, folder, line.opened) as connection:
            tables: dict[str, dict[str, Any]] = {}
            for name in relations(connection):
                described = {
                    c.name: {"type": c.declaration, "charset": c.charset if c.is_text else None, "nullable": c.nullable}
                    for c in columns(connection, name).values()
                }
                tables[name] = {
                    "columns": described,
                    "primary_key": [],
                    "foreign_keys": [],
                    "rows": _count(connection, name),
                }
                line.alive()
            _keys(connection, tables)
            return {**about(connection, dsn.text), "tables": tables}

    return run_apart(work, dsn, settings.timeout_seconds)


def _count(connection: fdb.Connection, table: str) -> int | None:
    """The number of rows, None where this user may not read the table."""
    try:
        return count_rows(connection, table)
    except fdb.DatabaseError as error:
        if status_of(error).has(NO_PERMISSION):
            return None
        raise


def _keys(connection: fdb.Connection, tables: dict[str, dict[str, Any]]) -> None:
    """Add primary and foreign keys to the tables."""
    cursor = connection.cursor()
    cursor.execute(_KEYS)
    for table, kind, column, target in cursor.fetchall():
        entry = tables.get(table.rstrip())
        if entry is None:
            continue
        if kind.startswith("PRIMARY"):
            entry["primary_key"].append(column.rstrip())
        else:
            entry["foreign_keys"].append({"column": column.rstrip(), "table": (target or "").rstrip()})


def propose_map(info: dict[str, Any]) -> SchemaMap:
    """A guess at the schema map from names and from foreign keys that point to their own table.

    Raises SourceError that says which table or column has no likely name: then the map is written by hand.
    """
    tables: dict[str, dict[str, Any]] = info["tables"]
    guess: dict[str, Any] = {}
    for part, likely in GUESSES.items():
        table = _likeliest(likely["table"], list(tables))
        if table is None:
            raise SourceError(
                f"{info['dsn']}: no table looks like {part}", "look at the list of tables and write the map by hand"
            )
        names = list(tables[table]["columns"])
        own = [key["column"] for key in tables[table]["foreign_keys"] if key["table"] == table]
        guess[part] = {"table": table}
        for field, words in likely.items():
            if field == "table":
                continue
            found = own[0] if field == "parent" and own else _likeliest(words, names)
            if found is None and field in ("id", "key"):
                found = next(iter(tables[table]["primary_key"]), None)
            if found is None and field != "position":
                raise SourceError(
                    f"{info['dsn']}: no column of {table} looks like {part}.{field}",
                    f"write the map by hand; {table} has {', '.join(names)}",
                )
            guess[part][field] = found
    names = list(tables[guess["goods"]["table"]]["columns"])
    plain = {_plain(name): name for name in names}
    guess["goods"]["columns"] = {
        c.field: plain[_plain(c.name)]
        for c in GOOD_COLUMNS
        if c.field not in ("good_id", "good_name") and _plain(c.name) in plain
    }
    return SchemaMap.model_validate(guess)


def to_toml(guess: SchemaMap) -> str:
    """The map as text for ``shop.toml``, labelled as a guess."""
    lines = ["# A GUESS from table and column names: check every line against what Torgsoft shows."]
    for part in ("product_types", "sections", "goods"):
        lines.append(f"\n[source.map.{part}]")
        values = getattr(guess, part).model_dump(exclude={"columns", "roots"}, exclude_none=True)
        lines += [f"{key} = {_toml(value)}" for key, value in values.items()]
    lines.append("\n[source.map.goods.columns]")
    lines += [f"{key} = {_toml(value)}" for key, value in guess.goods.columns.items()]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(name: str) -> str:
    return name.replace("_", "").replace(" ", "").upper()


def _likeliest(words: tuple[str, ...], names: list[str]) -> str | None:
    """The name that equals a likely word (the earlier word wins), else the most alike, else None."""
    plain = {_plain(name): name for name in reversed(names)}
    for word in words:
        if word in plain:
            return plain[word]
    scored = [(SequenceMatcher(None, word, candidate).ratio(), candidate) for word in words for candidate in plain]
    best, candidate = max(scored, default=(0.0, ""))
    return plain[candidate] if best >= _GOOD_ENOUGH else None
