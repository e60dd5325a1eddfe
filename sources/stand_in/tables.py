"""The tables of the stand-in base, derived from the schemas. Torgsoft's real tables are not published.

Table and column names are ours, not Torgsoft's. There are no keys and no constraints on purpose: the base must hold
what real bases hold (cycles, duplicates, ids of 0, missing ids), so that the checks can be tested.
"""

from __future__ import annotations

from schemas.trs import DECIMAL_PRECISION, DECIMAL_SCALE, GOOD_COLUMNS, TrsColumn

LONG_TEXTS = ("producer_collection_full", "analogs", "barcode", "warehouse_quantity_for_partner")
"""Texts without a stated width that hold lists or paths."""
LONG_WIDTH = 1000
PLAIN_WIDTH = 500
"""Width of the other texts without a stated one.

Firebird's limit for a row is 64 KB and UTF8 counts 4 bytes per character: 4 x 1000 + 12 x 500 + the stated 1,910
characters make 47.6 KB (a test checks the sum).
"""
NAME_WIDTH = 1000
NUMBER_WIDTH = 32
LABEL = "Stand-in invented by torgsync, not Torgsoft's own table: see docs"

BIGINT = "BIGINT"


def text_width(column: TrsColumn) -> int:
    """Return the greatest number of characters of a text column in the stand-in base."""
    return column.width or (LONG_WIDTH if column.field in LONG_TEXTS else PLAIN_WIDTH)


def _sql_type(column: TrsColumn) -> str:
    return {
        "text": f"VARCHAR({text_width(column)})",
        "integer": BIGINT,
        "flag": "SMALLINT",
        "decimal": f"NUMERIC({DECIMAL_PRECISION},{DECIMAL_SCALE})",
    }[column.kind]


TABLES: dict[str, dict[str, str]] = {
    "PRODUCT_TYPES": {
        "TYPE_ID": BIGINT,
        "PARENT_ID": BIGINT,
        "NAME": f"VARCHAR({NAME_WIDTH})",
        "SECTION_KEY": BIGINT,
    },
    "SECTIONS": {
        "SECTION_KEY": BIGINT,
        "PARENT_KEY": BIGINT,
        "NAME": f"VARCHAR({NAME_WIDTH})",
        "NUMBER": f"VARCHAR({NUMBER_WIDTH})",
    },
    "GOODS": {
        "GOOD_ID": BIGINT,
        "TYPE_ID": BIGINT,
        "POSITION_NO": BIGINT,
        **{column.field.upper(): _sql_type(column) for column in GOOD_COLUMNS if column.field != "good_id"},
    },
}
"""Every table with its columns and their Firebird types, in order."""

FIELDS: dict[str, dict[str, str]] = {
    "PRODUCT_TYPES": {name: name.lower() for name in TABLES["PRODUCT_TYPES"]},
    "SECTIONS": {name: name.lower() for name in TABLES["SECTIONS"]},
    "GOODS": {name: "position" if name == "POSITION_NO" else name.lower() for name in TABLES["GOODS"]},
}
"""The field of every column."""


def ddl(bytes_per_character: int = 1) -> list[str]:
    """Return the statements that create the stand-in base; comments in it say that torgsync invented it.

    ``bytes_per_character`` widens the text columns of a base without charset that holds UTF-8.
    """
    statements = []
    for table, columns in TABLES.items():
        body = ", ".join(f'"{name}" {_widened(kind, bytes_per_character)}' for name, kind in columns.items())
        statements.append(f'CREATE TABLE "{table}" ({body})')
    for table in TABLES:
        statements.append(f"COMMENT ON TABLE \"{table}\" IS '{LABEL.replace(chr(39), chr(39) * 2)}'")
    for column in GOOD_COLUMNS:
        statements.append(f'COMMENT ON COLUMN "GOODS"."{column.field.upper()}" IS \'sync file column {column.name}\'')
    return statements


def _widened(kind: str, factor: int) -> str:
    return f"VARCHAR({int(kind[8:-1]) * factor})" if kind.startswith("VARCHAR") else kind
