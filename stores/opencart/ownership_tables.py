"""Our tables in the database of the shop: what we made and wrote last. Rows that are not in them are never changed.

- ``made``: we made, or adopted, the row of the shop.
- ``touched``: a run is writing the row. 1: all of it; 2: only hides it; 3: an earlier run was writing it, and this one
  does not. A value above 0 after a run means that the run was interrupted.
- ``before_row``: the row before that run, as ``Contents`` has it (NULL: no row), so that the same plan can be resumed.
- ``shown``: the status that the row gets when we do not hide it.
- The other columns are the values that OpenCart shall hold: statements copy them from here.

``torgsync_shop`` holds the name of the shop that all of it is of.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from schemas.errors import StoreError
from stores.opencart.db import Db

_COMMON = """
    name VARCHAR(255) NOT NULL DEFAULT '',
    name_before VARCHAR(255) NOT NULL DEFAULT '',
    hidden TINYINT NOT NULL DEFAULT 0,
    shown TINYINT NOT NULL DEFAULT 1,
    made TINYINT NOT NULL DEFAULT 0,
    touched TINYINT NOT NULL DEFAULT 0,
    before_row MEDIUMTEXT NULL,
    KEY touched (touched)"""

TABLES = {
    "torgsync_category": f"""
    category_id INT NOT NULL PRIMARY KEY,
    parent_id INT NOT NULL DEFAULT 0,
    depth INT NOT NULL DEFAULT 0,
    slug VARCHAR(255) NOT NULL DEFAULT '',{_COMMON}""",
    "torgsync_product": f"""
    product_id INT NOT NULL PRIMARY KEY,
    good_id BIGINT NOT NULL UNIQUE,
    category_id INT NULL,
    model VARCHAR(64) NOT NULL DEFAULT '',
    sku VARCHAR(255) NOT NULL DEFAULT '',
    ean VARCHAR(255) NOT NULL DEFAULT '',
    price DECIMAL(15,4) NOT NULL DEFAULT 0,
    quantity INT NOT NULL DEFAULT 0,
    description MEDIUMTEXT NULL,{_COMMON}""",
    "torgsync_link": """
    product_id INT NOT NULL,
    category_id INT NOT NULL,
    PRIMARY KEY (product_id, category_id)""",
    "torgsync_redirect": """
    id VARCHAR(32) NOT NULL PRIMARY KEY,
    old_number INT NOT NULL,
    old_path TEXT NOT NULL,
    number INT NOT NULL,
    urls TEXT NOT NULL,
    touched TINYINT NOT NULL DEFAULT 0,
    before_row MEDIUMTEXT NULL""",
}
MARK = "torgsync-"
"""The prefix of the mark of a new row, until we have noted that it is ours. The mark is the model of a product or the
picture of a category. After a crash it shows that the row is ours."""


def has_tables(db: Db) -> bool:
    """Tell whether torgsync has written to this shop before."""
    found = db.rows(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN :names",
        names=[db.settings.prefix + name for name in TABLES],
    )
    return bool(found[0][0] == len(TABLES))


def create_tables(db: Db) -> None:
    """Create missing tables, and change those that an older torgsync created with another type.

    Call it before any other write: MariaDB commits the open transaction here.
    """
    if has_tables(db):
        _change_tables(db)
        return
    for name, columns in TABLES.items():
        statement = db.sql(f"CREATE TABLE IF NOT EXISTS {{{name}}} ({columns}) ENGINE=InnoDB")
        db.connection.execute(text(f"{statement} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"))


def _change_tables(db: Db) -> None:
    """Our tables have transactions, hold every character, and as long a text as the shop's own column may."""
    found = db.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN :names"
        " AND (engine <> 'InnoDB' OR table_collation NOT LIKE 'utf8mb4%')",
        names=[db.settings.prefix + name for name in TABLES],
    )
    for (table,) in found:
        name = str(table)[len(db.settings.prefix) :]
        db.run(f"ALTER TABLE {{{name}}} ENGINE=InnoDB, CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    narrow = db.rows(
        "SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = :name"
        " AND column_name = 'description' AND data_type = 'text'",
        name=f"{db.settings.prefix}torgsync_product",
    )
    if narrow:
        db.run("ALTER TABLE {torgsync_product} MODIFY description MEDIUMTEXT NULL")


def refuse_other_shop(db: Db, shop: str) -> bool:
    """Tell whether it is noted whose rows are here.

    Raises StoreError where they are another shop's: this one would hide them, as they are not in its base.
    """
    there = db.rows(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = :name",
        name=f"{db.settings.prefix}torgsync_shop",
    )
    names = [str(row[0]) for row in db.rows("SELECT name FROM {torgsync_shop}")] if there else []
    if names and shop not in names:
        raise StoreError(
            f"store {db.settings.name}: it holds rows of shop {names[0]}, not of {shop}",
            "give each shop an OpenCart of its own; a renamed shop: put its old name back",
        )
    return bool(names)


def note_shop(db: Db, shop: str) -> None:
    """Note whose rows are here: before any other write, as MariaDB commits the open transaction here."""
    columns = "name VARCHAR(100) NOT NULL PRIMARY KEY"
    statement = db.sql(f"CREATE TABLE IF NOT EXISTS {{torgsync_shop}} ({columns}) ENGINE=InnoDB")
    db.connection.execute(text(f"{statement} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"))
    db.run("INSERT IGNORE INTO {torgsync_shop} (name) VALUES (:name)", name=shop)


def leave_alone(db: Db, table: str) -> None:
    """Mark rows of an interrupted run with 3. This run writes them only where its plan says so."""
    db.run(f"UPDATE {{{table}}} SET touched = 3 WHERE touched > 0")


def finish(db: Db) -> None:
    """Clear the marks of all rows: what was written is complete, and the other rows are read as they are now."""
    db.run("DELETE FROM {torgsync_redirect} WHERE touched = 2 OR (touched = 3 AND before_row IS NULL)")
    for table in ("torgsync_product", "torgsync_category", "torgsync_redirect"):
        db.run(f"UPDATE {{{table}}} SET touched = 0, before_row = NULL WHERE touched > 0")


def packed(row: tuple[Any, ...] | None) -> str | None:
    """Return a row of Contents as the text of ``before_row``."""
    if row is None:
        return None
    return json.dumps([{"decimal": str(v)} if isinstance(v, Decimal) else v for v in row], ensure_ascii=False)


def unpacked(text: str) -> tuple[Any, ...]:
    """Return the row of a text that ``packed`` made."""
    return tuple(Decimal(v["decimal"]) if isinstance(v, dict) else v for v in json.loads(text))


def interrupted(db: Db) -> bool:
    """Tell whether an interrupted run left incomplete rows."""
    tables = ("torgsync_category", "torgsync_product", "torgsync_redirect")
    return any(db.rows(f"SELECT 1 FROM {{{table}}} WHERE touched > 0 LIMIT 1") for table in tables)
