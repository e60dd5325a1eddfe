"""MariaDB: tables that took the server's defaults become InnoDB and utf8mb4, and their texts MEDIUMTEXT.

What an older torgsync made in a database of latin1 or utf8mb3 held ``????`` or refused an emoji; MyISAM, where that was
the server's default, undid nothing when a night failed. Other databases have nothing to change.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = ("categories", "offers", "redirects")


def upgrade() -> None:
    """Change what is not as it should be; MariaDB commits each ALTER, and a night that was broken off goes on."""
    connection = op.get_bind()
    if connection.dialect.name not in ("mysql", "mariadb"):
        return
    quote = connection.dialect.identifier_preparer.quote
    for table in TABLES:
        changes = [*_table(connection, table), *(_column(quote, *column) for column in _texts(connection, table))]
        if changes:
            op.execute(f"ALTER TABLE {quote(table)} {', '.join(changes)}")


def _table(connection: sa.Connection, table: str) -> list[str]:
    engine, collation = connection.execute(
        sa.text(
            "SELECT engine, table_collation FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_name = :name"
        ),
        {"name": table},
    ).one()
    changes = [] if engine == "InnoDB" else ["ENGINE=InnoDB", "ROW_FORMAT=DYNAMIC"]
    if not str(collation).startswith("utf8mb4_"):
        changes.append("DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    return changes


def _texts(connection: sa.Connection, table: str) -> list[tuple[str, str, str]]:
    """Name, new type and nullability of every text, and of the id of redirects, that cannot hold all our texts."""
    found = connection.execute(
        sa.text(
            "SELECT column_name, data_type, column_type, is_nullable FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name = :name AND character_set_name IS NOT NULL"
            " AND (data_type LIKE '%text' OR column_name = 'id')"
            " AND (character_set_name <> 'utf8mb4' OR data_type IN ('text', 'tinytext')) ORDER BY ordinal_position"
        ),
        {"name": table},
    )
    return [
        (name, "MEDIUMTEXT" if kind in ("text", "tinytext") else str(full), "NULL" if null == "YES" else "NOT NULL")
        for name, kind, full, null in found
    ]


def _column(quote: Callable[[str], str], name: str, kind: str, null: str) -> str:
    return f"MODIFY {quote(name)} {kind} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci {null}"
