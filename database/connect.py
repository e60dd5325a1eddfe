"""Opens a database so that no server's own settings decide what is kept of a text, or how long a run waits.

Every connection to the state, to an SQL store and to an OpenCart database is made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url

from database.scrubbing import own_words

SQL_MODE = "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""MariaDB's mode for our sessions: a value that does not fit is an error, in tables without transactions too. It is
never cut or replaced by ``?``. All other modes, such as ANSI_QUOTES, are off.
"""
_PYMYSQL = {"connect": ("connect_timeout",), "answer": ("read_timeout", "write_timeout")}
_DRIVERS: dict[str, dict[str, tuple[str, ...]]] = {
    "psycopg": {"connect": ("connect_timeout",)},
    "psycopg2": {"connect": ("connect_timeout",)},
    "pymysql": {"connect": ("connect_timeout", *_PYMYSQL["answer"])},  # until it is let in: see open_database
    "mysqldb": _PYMYSQL,
    "mariadbconnector": _PYMYSQL,
    "mysqlconnector": {"connect": ("connection_timeout",)},
    "pysqlite": {"lock": ("timeout",)},
}
"""What each driver calls a time limit."""
_KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 20, "keepalives_count": 3, "tcp_user_timeout": 120_000}
"""libpq's: a machine that lost its power is missed within two minutes."""


@dataclass(frozen=True)
class Patience:
    """Seconds that a database is waited for: until it lets us in, until others let go of a lock, for an answer."""

    connect: int = 10
    lock: int = 30
    answer: int = 300


def open_database(url: str | URL, patience: Patience | None = None, **settings: Any) -> Engine:
    """An engine whose connections have our time limits, UTF-8 and strictness. What the URL itself says of them counts.

    ``settings`` are SQLAlchemy's. Raises what SQLAlchemy raises of a wrong URL or an absent driver.
    """
    patience, url = patience or Patience(), make_url(url)
    given = {**_arguments(url, patience), **settings.pop("connect_args", {})}
    engine = create_engine(url, connect_args=given, **settings)
    if engine.dialect.driver == "psycopg":
        from database.silence import PatientConnection  # the driver is loaded only where it is used

        @event.listens_for(engine, "do_connect")
        def _patient(_dialect: Any, _record: Any, arguments: Any, named: Any) -> Any:
            connection = PatientConnection.connect(*arguments, **named)
            connection.answer_seconds = patience.answer
            return connection

    if engine.dialect.driver == "pymysql":
        # its read_timeout holds for the handshake, which its connect_timeout does not: a server that takes connections
        # and says nothing would be waited for as long as for an answer
        limits = [f"_{name}" for name in _PYMYSQL["answer"] if name not in url.query]

        @event.listens_for(engine, "connect", insert=True)
        def _let_in(connection: Any, _: Any) -> None:
            for name in limits:
                setattr(connection, name, patience.answer)

    if statements := _session_settings(url, patience):
        # ahead of SQLAlchemy's own first look at the server: it must see the mode that our statements run in
        @event.listens_for(engine, "connect", insert=True)
        def _prepared(connection: Any, _: Any) -> None:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            cursor.close()
            connection.commit()  # PostgreSQL would forget them with a rollback

    return engine


def _arguments(url: URL, patience: Patience) -> dict[str, Any]:
    driver = url.get_driver_name()
    found: dict[str, Any] = {
        name: getattr(patience, limit) for limit, names in _DRIVERS.get(driver, {}).items() for name in names
    }
    if driver == "psycopg":
        found |= {"client_encoding": "utf8", **_KEEPALIVES}
    found = {name: value for name, value in found.items() if name not in url.query}
    if driver in ("pymysql", "mysqldb"):
        found["charset"] = "utf8mb4"  # whatever the URL says: the driver would encode our texts in it
    return found


def _session_settings(url: URL, patience: Patience) -> list[str]:
    """What every session begins with; nothing on SQLite."""
    backend = url.get_backend_name()
    if backend == "postgresql":
        own = "lock_timeout" in str(url.query.get("options", ""))
        return [] if own else [f"SET lock_timeout = '{patience.lock}s'"]
    if backend not in ("mysql", "mariadb"):
        return []
    return [
        f"SET SESSION sql_mode = '{SQL_MODE}'",
        "SET NAMES utf8mb4",
        "SET SESSION default_storage_engine = InnoDB",
        f"SET SESSION innodb_lock_wait_timeout = {patience.lock}",
        f"SET SESSION lock_wait_timeout = {patience.lock}",  # of ALTER TABLE and LOCK TABLES
    ]


def error_code(error: BaseException) -> str:
    """PostgreSQL's SQLSTATE, MariaDB's error number or SQLite's name of an error; empty where there is none."""
    original = getattr(error, "orig", None) or error
    if original.args and isinstance(original.args[0], int):  # MariaDB's sqlstate is HY000 for most of its errors
        return str(original.args[0])
    return str(getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None) or "")


_LOCKED = ("55P03", "1205", "SQLITE_BUSY", "SQLITE_LOCKED")


def database_words(error: Exception, url: URL | str, lock_seconds: int | None = None) -> str:
    """What a database says of an error, in one line without secrets; of a lock of somebody else in our own words."""
    said = own_words(error, url)
    if not error_code(error).startswith(_LOCKED):
        return said
    waited = "" if lock_seconds is None else f", for more than {lock_seconds} seconds"
    return f"somebody else holds a lock that this run needs{waited} ({said})"
