"""Connections to the state database. What it refuses is a StateError: one sentence, without SQL and secrets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, ExceptionContext, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from database.connect import database_words, open_database
from schemas.errors import SettingsError, StateError

_CANNOT_BE_OPENED = "the state database cannot be opened"
_CANNOT_BE_USED = "the state database cannot be used"
_CHECK_URL = "check state.url in shop.toml, and that the server runs"
_RESTORE = (
    "put {file} back from a backup (docs/backup.md); do not delete it, it holds the section numbers that were given"
)
_NO_RIGHT = "give the user that runs torgsync the right to write {file} and its folder, then run again"
_NO_ROOM = "free space on the disk of {file}, then run again"
_IN_GENERAL = "see that nothing else uses {file} and that its disk is sound, then run again"
_TO_DO = {
    sqlite3.SQLITE_READONLY: _NO_RIGHT,
    sqlite3.SQLITE_CANTOPEN: _NO_RIGHT,
    sqlite3.SQLITE_PERM: _NO_RIGHT,
    sqlite3.SQLITE_FULL: _NO_ROOM,
    sqlite3.SQLITE_IOERR: _NO_ROOM,
    sqlite3.SQLITE_CORRUPT: _RESTORE,
    sqlite3.SQLITE_NOTADB: _RESTORE,
}


def open_engine(url: str | URL) -> Engine:
    """Return an engine for a state database; SQLite uses a write-ahead log and waits for a lock.

    PostgreSQL is waited for as long as ``Patience`` says; ``connect_timeout`` and ``options`` in the URL override it.
    What the database refuses becomes a StateError.
    """
    engine = open_database(url)

    @event.listens_for(engine, "handle_error")
    def _explained(context: ExceptionContext) -> None:
        error = context.original_exception
        if isinstance(error, Exception) and context.sqlalchemy_exception is not None:  # not a signal that ends the run
            raise state_error(error, url) from None

    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _pragmas(connection: Any, _: Any) -> None:
            cursor = connection.cursor()
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    return engine


@contextmanager
def explained_errors(url: str | URL) -> Iterator[None]:
    """Turn errors while opening a state database into a SettingsError without a secret."""
    try:
        yield
    except StateError as error:
        if _file(url) is not None:
            raise
        raise SettingsError(error.message.replace(_CANNOT_BE_USED, _CANNOT_BE_OPENED, 1), _CHECK_URL) from None
    except (SQLAlchemyError, ImportError) as error:
        raise SettingsError(f"{_CANNOT_BE_OPENED}: {database_words(error, url)}", _CHECK_URL) from None


def state_error(error: Exception, url: str | URL) -> StateError:
    """Return what the state database says, and what to do: by SQLite's result code where it is a file."""
    file = _file(url)
    text = database_words(error, url)
    if file is None:
        return StateError(f"{_CANNOT_BE_USED}: {text}", "see that its server runs, then run again")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest tells details
    return StateError(f"{_CANNOT_BE_USED}: {file}: {text}", _TO_DO.get(code, _IN_GENERAL).format(file=file))


def check_file(engine: Engine) -> None:
    """Raise StateError where a SQLite file is damaged: better before a night than in the middle of it."""
    file = _file(engine.url)
    if file is None:
        return
    with engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        damage = " ".join(str(found).split())
        raise StateError(f"{_CANNOT_BE_USED}: {file} is damaged: {damage}", _RESTORE.format(file=file))


def _file(url: str | URL) -> Path | None:
    """The SQLite file of a state that is there."""
    made = make_url(url)
    path = Path((made.database or "").removeprefix("file:"))
    return path if made.get_backend_name() == "sqlite" and path.is_file() else None
