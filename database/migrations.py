"""Brings a database of ours to its newest schema: the state and each SQL store have a folder of Alembic versions."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, column, func, inspect, select, table

from schemas.errors import TorgsyncError

_ALEMBIC = threading.Lock()
"""Alembic keeps the migration that runs in a variable of its module: two threads would run each other's."""


def migrate(connection: Connection, versions: Path, version_table: str) -> None:
    """Bring a database to the newest schema of a folder of Alembic migrations, in the connection's transaction.

    A database that is there already costs one query: Alembic is loaded only where there is something to do. Tables come
    all or none, but on MariaDB, which commits each at once: there the next run makes what is missing. Raises
    TorgsyncError for a database at a version that is not in the folder.
    """
    known = {path.stem.split("_")[0] for path in versions.glob("[0-9]*.py")}
    head = max(known)
    version = schema_version(connection, version_table)
    if version == head:
        return
    if version is not None and version not in known:
        raise TorgsyncError(
            f"the database is of a newer torgsync: its schema is {version}, this one knows {head}",
            "use that newer torgsync, or put the database back from a backup; nothing was changed in it",
        )
    _alone(connection, version_table)
    if schema_version(connection, version_table) == head:  # another one has done it meanwhile
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migration_script").replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, version_table=version_table)
    with _ALEMBIC:
        command.upgrade(config, "head")


def _alone(connection: Connection, version_table: str) -> None:
    """Let nobody else migrate until the transaction ends. Python's SQLite opens none for CREATE TABLE by itself."""
    if connection.dialect.name == "sqlite":
        if not getattr(connection.connection.dbapi_connection, "in_transaction", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(version_table))))


def schema_version(connection: Connection, version_table: str) -> str | None:
    """The migration that a database is at; None where there was none yet."""
    if not inspect(connection).has_table(version_table):
        return None
    return connection.execute(select(column("version_num")).select_from(table(version_table))).scalar()
