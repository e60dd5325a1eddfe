"""Our own tables in the shop's database: what we made and wrote last. Rows that are not in them are never touched.

``made``: the shop's row was made, or adopted, by us. ``touched``: a run is writing the row (1: all of it, 2: only hides
it, 3: an earlier run was and this one does not); left over, the run was interrupted, and ``before_row`` is what the row
was before (NULL: not there), as ``Contents`` has it, so that the same plan is found again and resumed. ``shown``: the
status that the row gets when we do not hide it. The other columns are the values as OpenCart shall hold them:
statements copy them from here.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sqlalchemy import text

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
"""Begins the mark that a row bears from its INSERT until we have noted that it is ours: the model of a product, the
picture of a category. A crash in between leaves no doubt whose row it is."""


def has_tables(db: Db) -> bool:
    """Whether torgsync has written to this shop before."""
    found = db.rows(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN :names",
        names=[db.settings.prefix + name for name in TABLES],
    )
    return bool(found[0][0] == len(TABLES))


def create_tables(db: Db) -> None:
    """Create what is missing, and change what an older torgsync made of another type.

    MariaDB commits what is open: to be called ahead of any other write.
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


def leave_alone(db: Db, table: str) -> None:
    """What an interrupted run was writing is not for this run to write, unless its plan says so."""
    db.run(f"UPDATE {{{table}}} SET touched = 3 WHERE touched > 0")


def finish(db: Db) -> None:
    """What was written is whole. What an earlier run left and this plan did not want shows itself as it is now."""
    db.run("DELETE FROM {torgsync_redirect} WHERE touched = 2 OR (touched = 3 AND before_row IS NULL)")
    for table in ("torgsync_product", "torgsync_category", "torgsync_redirect"):
        db.run(f"UPDATE {{{table}}} SET touched = 0, before_row = NULL WHERE touched > 0")


def packed(row: tuple[Any, ...] | None) -> str | None:
    """A row of Contents as ``before_row`` keeps it."""
    if row is None:
        return None
    return json.dumps([{"decimal": str(v)} if isinstance(v, Decimal) else v for v in row], ensure_ascii=False)


def unpacked(text: str) -> tuple[Any, ...]:
    """The row that was packed."""
    return tuple(Decimal(v["decimal"]) if isinstance(v, dict) else v for v in json.loads(text))


def interrupted(db: Db) -> bool:
    """Whether a run left something half written."""
    tables = ("torgsync_category", "torgsync_product", "torgsync_redirect")
    return any(db.rows(f"SELECT 1 FROM {{{table}}} WHERE touched > 0 LIMIT 1") for table in tables)
