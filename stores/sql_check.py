"""Looks at the server of an SQL store before anything is loaded: what it cannot do is one sentence, in the plan too."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatchcase

from sqlalchemy import Connection, Table, bindparam, text
from sqlalchemy.exc import DBAPIError

from database.connect import error_code
from schemas.errors import StoreError

LETTERS = "Їжак ґ є і"
"""What every store must be able to hold."""
_MARIADB = ("mysql", "mariadb")


def check_server(connection: Connection, store: str) -> None:
    """Raise StoreError where the database cannot hold our letters, or where its schema does not exist."""
    if connection.dialect.name != "postgresql":
        return
    try:
        with connection.begin_nested():
            connection.execute(text("SELECT CAST(:letters AS text)"), {"letters": LETTERS}).scalar()
    except (DBAPIError, UnicodeError) as error:
        if isinstance(error, DBAPIError) and not error_code(error).startswith("22"):
            raise
        encoding = connection.execute(text("SHOW server_encoding")).scalar()
        raise StoreError(
            f"store {store}: its database is in {encoding}, which cannot hold Ukrainian letters",
            "give torgsync a database that was created with ENCODING 'UTF8' TEMPLATE template0",
        ) from None
    if connection.execute(text("SELECT current_schema()")).scalar() is None:
        raise _no_schema(connection, store)


def check_first_night(connection: Connection, store: str) -> None:
    """Raise StoreError where tables could not be made: the right to CREATE is missing, or the schema does not exist.

    A search_path whose first schema is missing would put the tables into another one. What a SQLite file needs is
    found out by the first run.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql":
        first = str(connection.execute(text("SHOW search_path")).scalar()).split(",")[0].strip()
        named = first[1:-1].replace('""', '"') if first.startswith('"') else first
        exists = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
        if named != "$user" and connection.execute(exists, {"name": named}).first() is None:
            raise _no_schema(connection, store)
        schema = connection.execute(text("SELECT current_schema()")).scalar()
        allowed = connection.execute(text("SELECT has_schema_privilege(current_schema(), 'CREATE')")).scalar()
        where = f"the schema {schema}"
        grant = f"GRANT CREATE, USAGE ON SCHEMA {schema} TO {connection.engine.url.username}"
    elif dialect in _MARIADB:
        database = str(connection.execute(text("SELECT DATABASE()")).scalar())
        grants = [str(row[0]) for row in connection.exec_driver_sql("SHOW GRANTS")]
        allowed = any(_may_create(line, database) for line in grants)
        where = f"the database {database}"
        grant = "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON the database TO the user"
    else:
        return
    if not allowed:
        raise StoreError(
            f"store {store}: the user {connection.engine.url.username} has no right to CREATE tables in {where}", grant
        )


def _no_schema(connection: Connection, store: str) -> StoreError:
    path = connection.execute(text("SHOW search_path")).scalar()
    return StoreError(
        f"store {store}: the search_path {path} names a schema that does not exist",
        "create the schema, or correct search_path in the store's url or of its user",
    )


_GRANT = re.compile(r"GRANT (?P<rights>.+?) ON (?P<what>`(?:[^`]|``)*`|\*)\.(?:`(?:[^`]|``)*`|\*) TO ")


def _may_create(line: str, database: str) -> bool:
    """Whether a line of SHOW GRANTS gives CREATE on a database; its name there may hold the wildcards % and _.

    A role may give it too, and MySQL does not say what a role gives.
    """
    if " ON " not in line:
        return True
    found = _GRANT.match(line)
    if found is None:
        return False
    rights = {right.strip() for right in re.sub(r"\([^)]*\)", "", found["rights"]).split(",")}
    if not rights & {"CREATE", "ALL PRIVILEGES", "ALL"}:
        return False
    what = found["what"]
    if what == "*":
        return True
    parts = re.findall(r"\\.|[^\\]", what[1:-1].replace("``", "`"))
    glob = "".join({"%": "*", "_": "?"}.get(part, f"[{part[-1]}]" if part[-1] in "*?[" else part[-1]) for part in parts)
    return fnmatchcase(database, glob)


def check_tables(connection: Connection, store: str, tables: Collection[Table]) -> None:
    """Raise StoreError where a table of ours on MariaDB is without transactions or cannot hold our letters.

    The migration has changed such tables; somebody may have changed them again.
    """
    if connection.dialect.name not in _MARIADB:
        return
    names = [table.name for table in tables]
    found = connection.execute(
        text(
            "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = DATABASE()"
            " AND table_name IN :names AND engine <> 'InnoDB' ORDER BY table_name"
        ).bindparams(bindparam("names", names, expanding=True))
    ).first()
    if found is not None:
        raise StoreError(
            f"store {store}: the table {found[0]} is {found[1]}, which has no transactions: a bad night could not be "
            "undone",
            f"ALTER TABLE {found[0]} ENGINE=InnoDB, then run again",
        )
    columns = {(table.name, column.name) for table in tables for column in table.c}
    narrow = connection.execute(
        text(
            "SELECT table_name, column_name, character_set_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name IN :names AND character_set_name IS NOT NULL"
            " AND character_set_name NOT LIKE 'utf%' ORDER BY table_name, ordinal_position"
        ).bindparams(bindparam("names", names, expanding=True))
    )
    for table, column, charset in narrow:
        if (table, column) in columns:
            raise StoreError(
                f"store {store}: the column {column} of the table {table} is in {charset}, which cannot hold all our "
                "letters",
                f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4, then run again",
            )
