"""Connections to the state database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from database.connect import database_words, open_database
from schemas.errors import SettingsError


def open_engine(url: str | URL) -> Engine:
    """Return an engine for a state database; SQLite uses a write-ahead log and waits for a lock.

    PostgreSQL is waited for as long as ``Patience`` says; ``connect_timeout`` and ``options`` in the URL override it.
    """
    engine = open_database(url)
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
    except (SQLAlchemyError, ImportError) as error:
        raise SettingsError(
            f"the state database cannot be opened: {database_words(error, url)}",
            "check state.url in shop.toml, and that the server runs",
        ) from None
