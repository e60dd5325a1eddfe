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
from sqlalchemy.exc import DBAPIError

CHUNK = 2_000
T = TypeVar("T")


def insert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    told: Callable[[int], None] = lambda rows: None,
) -> None:
    """Insert rows whose values stand in the order of ``columns``; ``told`` hears of each batch's rows.

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
                for batch in batched(bound):
                    for row in batch:
                        copy.write_row(row)
                    told(len(batch))
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(f"COPY {into}", None, error, dialect.loaded_dbapi.Error) from error
        finally:
            cursor.close()
        return
    mark = {"qmark": "?", "format": "%s", "pyformat": "%s"}[dialect.paramstyle]
    statement = f"INSERT INTO {into} ({names}) VALUES ({', '.join([mark] * len(columns))})"
    for batch in batched(bound):
        connection.exec_driver_sql(statement, batch)
        told(len(batch))


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
