"""The layout of an OpenCart database. Its columns show it; no version setting is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from schemas.errors import StoreError

WRITTEN = (
    "category", "category_description", "category_path", "category_to_store", "category_to_layout", "seo_url",
    "product", "product_description", "product_to_store", "product_to_category",
)  # fmt: skip
"""Tables of OpenCart that we write to; all of them must be there."""
READ = ("language", "setting", "store", "product_code", "order_product")

_TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json", "binary", "varbinary"}
_TIMES = {"datetime": "NOW()", "timestamp": "NOW()", "date": "CURDATE()", "time": "CURTIME()", "year": "YEAR(NOW())"}


@dataclass(frozen=True)
class Column:
    """``filler``: the value for a required column of a new row; None where the database has a default."""

    length: int | None
    three_bytes: bool
    filler: str | None


@dataclass(frozen=True)
class Layout:
    """Columns by table (without the prefix); ``atomic``: every table that we write has transactions."""

    prefix: str
    tables: Mapping[str, Mapping[str, Column]]
    atomic: bool

    def has(self, table: str, column: str) -> bool:
        """Tell whether a table has a column."""
        return column in self.tables.get(table, {})

    def quoted(self, table: str) -> str:
        """Return the quoted name of a table, with the prefix."""
        return f"`{self.prefix}{table}`"

    def room(self, table: str, column: str) -> tuple[int, bool]:
        """Return how many characters a text column takes, and whether it takes only those of three bytes.

        (0, False) means no such column. For a field of another table (4.1: product_code) it is the length there.
        """
        found = self.tables.get(table, {}).get(column)
        return (found.length or 0, found.three_bytes) if found is not None else (0, False)

    @property
    def slug_paths(self) -> bool:
        """Tell whether slug rows have ``key`` and ``value`` and hold the slugs from the root on (4.x)."""
        return self.has("seo_url", "key")

    @property
    def product_codes(self) -> bool:
        """Tell whether SKU and EAN are rows of ``product_code`` (4.1)."""
        return not self.has("product", "sku") and self.has("product_code", "value")

    @property
    def main_category(self) -> bool:
        """Tell whether one link of each product is the main one (ocStore, and 3.0 with SEO Pro)."""
        return self.has("product_to_category", "main_category")

    @property
    def empty_layouts(self) -> bool:
        """Tell whether the admin writes a row with layout 0 for each store of a category (up to 4.0)."""
        return self.has("category", "date_added")


def read_layout(connection: Connection, prefix: str) -> Layout:
    """Read the layout of the database. Raises StoreError where the tables are not those of OpenCart 3 or 4."""
    names = [f"{prefix}{table}" for table in (*WRITTEN, *READ)]
    chosen = text(
        "SELECT table_name, column_name, data_type, is_nullable, column_default, extra, character_maximum_length,"
        " character_set_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name IN :names"
    ).bindparams(bindparam("names", expanding=True))
    tables: dict[str, dict[str, Column]] = {}
    for table, name, kind, nullable, default, extra, length, charset in connection.execute(chosen, {"names": names}):
        # MariaDB gives the default NULL as the text 'NULL', MySQL as NULL
        own = nullable == "YES" or default is not None or "auto_increment" in extra or "GENERATED" in extra.upper()
        filler = None if own else _TIMES.get(kind, "''" if kind in _TEXTS else "0")
        tables.setdefault(table[len(prefix) :], {})[name] = Column(length, charset in ("utf8", "utf8mb3"), filler)
    missing = [table for table in (*WRITTEN, "language") if table not in tables]
    if missing:
        raise _not_opencart(connection, prefix, missing)
    engines = text(
        "SELECT UPPER(engine) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN :names"
    ).bindparams(bindparam("names", expanding=True))
    written = [f"{prefix}{table}" for table in (*WRITTEN, "product_code")]
    atomic = {row[0] for row in connection.execute(engines, {"names": written})} == {"INNODB"}
    return Layout(prefix, tables, atomic)


def _not_opencart(connection: Connection, prefix: str, missing: list[str]) -> StoreError:
    named = ", ".join(f"{prefix}{table}" for table in missing[:3])
    found = connection.execute(
        text(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
            " AND RIGHT(table_name, 13) = 'category_path'"
        )
    ).scalars()
    prefixes = sorted({name.removesuffix("category_path") for name in found} - {prefix})
    if prefixes:
        return StoreError(f"the database has no table {named}", f'set prefix = "{prefixes[0]}" for this store')
    return StoreError(
        f"the database has no table {named}: these are not the tables of OpenCart 3.0, 4.0 or 4.1",
        "check the store's url and prefix; OpenCart 2 and older are not supported",
    )
