"""Many rows into one table, as fast as the database takes them, in the connection's transaction.

SQLAlchemy's own insert binds each value of each row anew; PostgreSQL takes COPY, the others one statement with plain
tuples. benchmarks/sql_store.py compares.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import JSON, Connection, Table
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from database.connect import error_code

CHUNK = 2_000
_REFUSALS = {
    "P0001",  # PostgreSQL: RAISE in a trigger
    "44000",  # PostgreSQL: WITH CHECK OPTION of a view
    "1118",  # MariaDB: row size too large
    "1644",  # MariaDB: SIGNAL in a trigger
    "4025",  # MariaDB: CONSTRAINT failed
    "1366", "1406", "1264", "1265", "1292", "1690",  # MariaDB: the value does not fit its column
    "SQLITE_TOOBIG",
}  # fmt: skip
T = TypeVar("T")


def insert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Insert rows whose values stand in the order of ``columns``.

    Errors are the database's own.
    """
    dialect = connection.dialect
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in columns)
    into = dialect.identifier_preparer.format_table(table)
    processors = [_processor(table, name, dialect) for name in columns]
    bound = (
        tuple(
            value if make is None or value is None else make(value) for make, value in zip(processors, row, strict=True)
        )
        for row in rows
    )
    if dialect.name == "postgresql" and dialect.driver == "psycopg":
        cursor = connection.connection.cursor()
        try:
            with cursor.copy(f"COPY {into} ({names}) FROM STDIN") as copy:
                for row in bound:
                    copy.write_row(row)
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(f"COPY {into}", None, error, dialect.loaded_dbapi.Error) from error
        finally:
            cursor.close()
        return
    mark = {"qmark": "?", "format": "%s", "pyformat": "%s"}[dialect.paramstyle]
    statement = f"INSERT INTO {into} ({names}) VALUES ({', '.join([mark] * len(columns))})"
    for batch in batched(bound):
        connection.exec_driver_sql(statement, batch)


def write_or_refuse(
    connection: Connection,
    rows: Sequence[T],
    write: Callable[[Sequence[T]], None],
    refuse: Callable[[T, Exception], None],
    told: Callable[[int], None] = lambda rows: None,
) -> None:
    """Write all rows that the server takes, many at a time; ``refuse`` hears of each row that it does not take.

    A batch that holds such a row is undone up to its savepoint and halved until the row is alone, so the transaction
    goes on. Every other error (a lost connection, a lock, a missing right) is raised: it is of the store, not of a row.
    """
    for batch in batched(rows):
        _halved(connection, batch, write, refuse, told)


def _halved(
    connection: Connection,
    rows: Sequence[T],
    write: Callable[[Sequence[T]], None],
    refuse: Callable[[T, Exception], None],
    told: Callable[[int], None],
) -> None:
    try:
        with connection.begin_nested():
            write(rows)
    except (DBAPIError, UnicodeError, OverflowError) as error:
        if not is_refusal(error):
            raise
        if len(rows) == 1:
            refuse(rows[0], error)
        else:
            middle = len(rows) // 2
            _halved(connection, rows[:middle], write, refuse, told)
            _halved(connection, rows[middle:], write, refuse, told)
            return
    told(len(rows))


def is_refusal(error: Exception) -> bool:
    """Whether a database refuses what is in a row; the same statement with other rows may pass."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, (UnicodeError, OverflowError))  # the driver could not even send it
    if error.connection_invalidated:
        return False
    code = error_code(error)
    # PostgreSQL's classes 22 (data), 23 (constraint), 54 (limit, as of an index row)
    of_class = len(code) == 5 and code[:2] in ("22", "23", "54")
    return isinstance(error, (DataError, IntegrityError)) or of_class or code in _REFUSALS


def batched(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows, so many at a time as one statement takes."""
    rest = iter(rows)
    while batch := list(islice(rest, CHUNK)):
        yield batch


def _processor(table: Table, name: str, dialect: Any) -> Callable[[Any], Any] | None:
    """What makes a value of a column fit for the driver."""
    kind = table.c[name].type
    if isinstance(kind, JSON):
        return lambda value: json.dumps(value)
    if dialect.name == "postgresql":
        return None
    return kind.dialect_impl(dialect).bind_processor(dialect)
