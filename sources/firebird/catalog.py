"""What a Firebird base says about itself: tables, views, columns, their types and charsets (the RDB$ tables)."""

from __future__ import annotations

from dataclasses import dataclass

import fdb

from schemas.command import COMMAND
from schemas.errors import SourceError, closest

_RELATIONS = """
SELECT RDB$RELATION_NAME FROM RDB$RELATIONS
WHERE COALESCE(RDB$SYSTEM_FLAG, 0) = 0 ORDER BY RDB$RELATION_NAME
"""
_COLUMNS = """
SELECT rf.RDB$FIELD_NAME, f.RDB$FIELD_TYPE, f.RDB$FIELD_SUB_TYPE, f.RDB$FIELD_SCALE, f.RDB$FIELD_LENGTH,
       f.RDB$CHARACTER_LENGTH, cs.RDB$CHARACTER_SET_NAME, COALESCE(rf.RDB$NULL_FLAG, f.RDB$NULL_FLAG, 0)
FROM RDB$RELATION_FIELDS rf
JOIN RDB$FIELDS f ON f.RDB$FIELD_NAME = rf.RDB$FIELD_SOURCE
LEFT JOIN RDB$CHARACTER_SETS cs ON cs.RDB$CHARACTER_SET_ID = f.RDB$CHARACTER_SET_ID
WHERE rf.RDB$RELATION_NAME = ? ORDER BY rf.RDB$FIELD_POSITION, rf.RDB$FIELD_NAME
"""
_TYPES = {
    7: "SMALLINT",
    8: "INTEGER",
    10: "FLOAT",
    12: "DATE",
    13: "TIME",
    14: "CHAR",
    16: "BIGINT",
    23: "BOOLEAN",
    24: "DECFLOAT(16)",
    25: "DECFLOAT(34)",
    26: "INT128",
    27: "DOUBLE PRECISION",
    28: "TIME WITH TIME ZONE",
    29: "TIMESTAMP WITH TIME ZONE",
    35: "TIMESTAMP",
    37: "VARCHAR",
    261: "BLOB",
}


@dataclass(frozen=True)
class BaseColumn:
    """One column of a table or view: stored name, type word, scale, width in characters, charset, may it be NULL."""

    name: str
    type: str
    subtype: int
    scale: int
    width: int
    charset: str | None
    nullable: bool

    @property
    def is_text(self) -> bool:
        """Whether the base holds characters in it (a BLOB only with SUB_TYPE TEXT)."""
        return self.type in ("CHAR", "VARCHAR") or (self.type == "BLOB" and self.subtype == 1)

    @property
    def has_no_charset(self) -> bool:
        """Whether only the shop knows in which charset the bytes are."""
        return self.is_text and self.charset in (None, "NONE", "OCTETS")

    @property
    def declaration(self) -> str:
        """The type as one would write it in SQL, for people."""
        if self.type in ("CHAR", "VARCHAR"):
            return f"{self.type}({self.width}) {self.charset or 'NONE'}"
        if self.type == "BLOB":
            return f"BLOB SUB_TYPE {self.subtype}" + (f" {self.charset or 'NONE'}" if self.subtype == 1 else "")
        return f"NUMERIC(…,{-self.scale}) as {self.type}" if self.scale else self.type


def relations(connection: fdb.Connection) -> list[str]:
    """Names of all tables and views that are not Firebird's own, as stored."""
    cursor = connection.cursor()
    cursor.execute(_RELATIONS)
    return [row[0].rstrip() for row in cursor.fetchall()]


def columns(connection: fdb.Connection, relation: str) -> dict[str, BaseColumn]:
    """The columns of one table or view by their stored name, in their order."""
    cursor = connection.cursor()
    cursor.execute(_COLUMNS, (relation,))
    out: dict[str, BaseColumn] = {}
    for name, kind, subtype, scale, length, characters, charset, not_null in cursor.fetchall():
        stored = name.rstrip()
        width = characters if characters is not None else length
        out[stored] = BaseColumn(
            stored,
            _TYPES.get(kind, f"type {kind}"),
            subtype or 0,
            scale or 0,
            width or 0,
            charset.rstrip() if charset else None,
            not not_null,
        )
    return out


def base_charset(connection: fdb.Connection) -> str:
    """The base's default charset, NONE where it has none."""
    cursor = connection.cursor()
    cursor.execute("SELECT RDB$CHARACTER_SET_NAME FROM RDB$DATABASE")
    row = cursor.fetchone()
    return row[0].rstrip() if row and row[0] else "NONE"


def about(connection: fdb.Connection, place: str) -> dict[str, str]:
    """What a base says of itself, for reports."""
    return {
        "dsn": place,
        "server": str(connection.firebird_version),
        "ods": str(connection.ods),
        "charset": base_charset(connection),
    }


def count_rows(connection: fdb.Connection, relation: str) -> int:
    """The rows of a table, as the base counts them in this snapshot."""
    cursor = connection.cursor()
    cursor.execute(f"SELECT COUNT(*) FROM {quoted(relation)}")
    return int(cursor.fetchone()[0])


def resolve(name: str, known: list[str], what: str, place: str) -> str:
    """The stored name that a name of the map means: itself, or its upper-case form (Firebird's unquoted spelling).

    Raises SourceError with the closest known name. ``what`` says what is looked for ("table", "column of GOODS").
    """
    if name in known:
        return name
    if name.upper() in known:
        return name.upper()
    by_lower = {word.lower(): word for word in known}
    near = by_lower.get(name.lower())
    hint = f'did you mean "{near}"?' if near else closest(name.upper(), known[:200])
    raise SourceError(
        f'{place}: no {what} "{name}", which the schema map names; {hint}',
        f"{COMMAND} inspect {place} shows what there is; then edit source.map in shop.toml",
    )


def quoted(identifier: str) -> str:
    """The identifier as SQL, whatever characters it has."""
    return '"' + identifier.replace('"', '""') + '"'
