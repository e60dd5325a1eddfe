"""The SQL store: tables ``categories``, ``offers`` and ``redirects``; only what the plan lists, in one transaction."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    false,
    inspect,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from database.columns import ReadJson, sql_columns
from database.connect import Patience, database_words, open_database
from database.migrations import migrate, schema_version
from database.scrubbing import own_words
from database.url import database_url, in_folder, is_absent_file, make_file, url_text
from schemas.catalogue import Catalogue
from schemas.contents import Contents, Entity, Key, Rows
from schemas.errors import StoreError
from schemas.plan import Operation
from schemas.report import RefusedRow, StoreResult
from schemas.settings.stores import SqlStore
from schemas.tables import CATEGORIES, OFFERS
from stores.bulk import insert_rows, write_or_refuse
from stores.protocol import Begun, Capabilities, Progress, Replan, Wanted, silent
from stores.sql_check import check_first_night, check_server, check_tables

METADATA = MetaData()


def _managed() -> Column[bool]:
    """Marks the rows that torgsync made: it reads and writes no others."""
    return Column("managed", Boolean, nullable=False, server_default=false())


def _shop() -> Column[str]:
    """The shop whose row it is; NULL in rows of an older torgsync, and in those that a person handed over."""
    return Column("shop", String(100))


CATEGORIES_TABLE = Table(
    "categories",
    METADATA,
    *[column for column in sql_columns(CATEGORIES, "number") if column.name != "goods"],  # a count is the reader's own
    Column("hidden", Boolean, nullable=False),
    Column("retired", Boolean, nullable=False),
    _managed(),
    _shop(),
)
OFFERS_TABLE = Table(
    "offers", METADATA, *sql_columns(OFFERS, "good_id"), Column("retired", Boolean, nullable=False), _managed(), _shop()
)
REDIRECTS_TABLE = Table(
    "redirects",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("old_number", BigInteger, nullable=False),
    Column("old_path", JSON, nullable=False),
    Column("number", BigInteger, nullable=False),
    _managed(),
    _shop(),
)
TABLES: dict[Entity, tuple[Table, str]] = {
    "category": (CATEGORIES_TABLE, "number"),
    "offer": (OFFERS_TABLE, "good_id"),
    "redirect": (REDIRECTS_TABLE, "id"),
}
VERSIONS = Path(__file__).parent / "sql_migrations"
VERSION_TABLE = "torgsync_store_version"
MOST_REFUSED = 100
"""More rows than this, or than a quarter of those that the store shall hold, and it is the store that is broken."""


class SqlAdapter:
    """The tables of one SQL store; rows that are no longer in the catalogue are hidden, never deleted."""

    kind = "sql"
    capabilities = Capabilities()

    def __init__(
        self, store: SqlStore, folder: Path, *, progress: Progress = silent, shop: str = "", mode: int | None = None
    ) -> None:
        self.store, self.folder, self.progress, self.shop, self.mode = store, folder, progress, shop, mode
        self.name = store.name

    def want(self, catalogue: Catalogue, contents: Contents) -> Wanted:
        """All of it: the tables have every column."""
        return Wanted(catalogue, contents)

    def read(self) -> Contents:
        """What the tables hold; nothing where they were not created yet. A SQLite file is made by ``apply`` alone."""
        if self._file_to_be_made():
            return Contents()
        with self._transaction() as connection:
            check_server(connection, self.name)
            if schema_version(connection, VERSION_TABLE) is None:
                self._check_unused(connection)
                check_first_night(connection, self.name)
                return Contents()
            migrate(connection, VERSIONS, VERSION_TABLE)
            check_tables(connection, self.name, [table for table, _ in TABLES.values()])
            self._refuse_other_shops(connection)
            return _contents(connection)

    def apply(self, wanted: Wanted, replan: Replan, begun: Begun) -> StoreResult:
        """Read, compare with the plan and write, in one transaction. What fails is rolled back whole.

        A row that the server refuses costs that row: it stays out, or as it was, and is in the result.
        """
        begun()
        with self._transaction() as connection:
            check_server(connection, self.name)
            if connection.dialect.name == "sqlite":  # a savepoint alone would be a transaction, and commit at its end
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(connection, VERSIONS, VERSION_TABLE)
            check_tables(connection, self.name, [table for table, _ in TABLES.values()])
            self._refuse_other_shops(connection)
            operations = replan(_contents(connection))
            refused = Refused(self.name, wanted.contents, connection.engine.url)
            _write(connection, operations, wanted.contents, self.progress, refused)
            for table, _ in TABLES.values():
                mine = update(table).where(table.c.managed, table.c.shop.is_(None)).values(shop=self.shop)
                connection.execute(mine)
        counts = Counter(f"{operation.entity} {operation.kind}" for operation in operations)
        counts -= Counter(f"{operation.entity} {operation.kind}" for operation, _ in refused.found)
        return StoreResult(
            name=self.name, kind=self.kind, operations=dict(sorted(counts.items())), refused=refused.rows()
        )

    def _file_to_be_made(self) -> bool:
        """Whether the store is a SQLite file that is not there yet, in a folder where we may make it."""
        try:
            url = store_url(self.store, self.folder)
        except ArgumentError:
            return False  # told in one sentence where it is opened
        return is_absent_file(url) and os.access(Path(str(url.database)).parent, os.W_OK)

    def _check_unused(self, connection: Connection) -> None:
        """Raise StoreError where somebody else's table has the name of one of ours.

        Our own are without a version where a first night was broken off on MariaDB while it made them.
        """
        there = inspect(connection)
        if there.has_table(VERSION_TABLE):
            return
        for table, _ in TABLES.values():
            if there.has_table(table.name):
                raise StoreError(
                    f"store {self.name}: it has a table {table.name} that torgsync did not make",
                    "give torgsync a database, or a schema, of its own",
                )

    def _refuse_other_shops(self, connection: Connection) -> None:
        """Raise StoreError where rows are another shop's: this one would hide them all, as they are not in its base."""
        for table, _ in TABLES.values():
            others = select(table.c.shop).where(table.c.managed, table.c.shop != self.shop).limit(1)
            if (other := connection.execute(others).scalar()) is not None:
                told = f"its table {table.name} holds rows of shop {other}, not of {self.shop}"
                next_step = "give each shop a database, or a schema, of its own; a renamed shop: put its old name back"
                raise StoreError(f"store {self.name}: {told}", next_step)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One transaction on the store; every failure of the database becomes a StoreError of one line."""
        try:
            url = store_url(self.store, self.folder)
            limits = self.store
            patience = Patience(limits.connect_timeout_seconds, limits.lock_timeout_seconds, limits.timeout_seconds)
            make_file(url, self.mode)
            engine = open_database(url, patience)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise StoreError(f"store {self.name}: {own_words(error)}", "check the store's url in shop.toml") from None
        try:
            with engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(
                f"store {self.name}: {database_words(error, url, self.store.lock_timeout_seconds)}",
                "nothing was changed in this store; mend it, then run again",
            ) from None  # the error itself holds rows, and may hold a secret: Prefect would show it
        finally:
            engine.dispose()


def store_url(store: SqlStore, folder: Path) -> URL:
    """The SQLAlchemy URL of a store; a relative SQLite file of shop.toml is relative to the shop's folder."""
    text, where = url_text(store.url, store.url_env, f"store {store.name}")
    url = database_url(text, where)
    return url if store.url is None else in_folder(url, folder)


class Refused:
    """The operations whose rows the server refused, each with its reason. ``wanted`` says how many are too many."""

    def __init__(self, store: str, wanted: Contents, url: URL) -> None:
        self.store, self.wanted, self.url = store, wanted, url
        self.found: list[tuple[Operation, str]] = []

    def __call__(self, operation: Operation, error: Exception) -> None:
        """Note one. Raises StoreError where so many are refused that the store would be half empty."""
        self.found.append((operation, own_words(error, self.url)))
        rows = len(self.wanted.table(operation.entity))
        mine = sum(each.entity == operation.entity for each, _ in self.found)
        if mine > max(1, min(MOST_REFUSED, rows // 4)):
            raise StoreError(
                f"store {self.store}: it refuses more than {mine - 1} of {rows} rows; the last is {self.rows()[-1]}",
                "nothing was changed in this store; see what its table does not take, then run again",
            )

    def rows(self) -> list[RefusedRow]:
        """What the report tells of them."""
        return [RefusedRow(entity=op.entity, key=op.key, name=op.name, reason=why) for op, why in self.found]


def _contents(connection: Connection) -> Contents:
    categories, offers, redirects = (_rows(connection, *TABLES[e]) for e in ("category", "offer", "redirect"))
    others = {
        entity: frozenset(connection.execute(select(table.c[key]).where(~table.c.managed)).scalars())
        for entity, (table, key) in TABLES.items()
    }
    return Contents(categories, offers, redirects, others=others)


def _rows(connection: Connection, table: Table, key: str) -> Rows:
    columns = tuple(column.name for column in table.c if column.name not in (key, "managed", "shop"))
    chosen = select(table.c[key], *(_as_it_is(table.c[name]) for name in columns)).where(table.c.managed)
    found = connection.execute(chosen.order_by(table.c[key]))
    rows: dict[Key, tuple[Any, ...]] = {row[0]: tuple(row[1:]) for row in found}
    for strange in (k for k in rows if type(k) is not (str if table is REDIRECTS_TABLE else int)):
        raise StoreError(f"table {table.name} has a row whose {key} is {strange!r}", "delete that row")
    return Rows(columns, rows)


def _as_it_is(column: Column[Any]) -> ColumnElement[Any]:
    """A column whose values are read whatever they are: one that is not ours is a difference, which the plan mends."""
    return type_coerce(column, ReadJson()) if isinstance(column.type, JSON) else column


def _write(
    connection: Connection, operations: Sequence[Operation], wanted: Contents, progress: Progress, refused: Refused
) -> None:
    """Each run of operations of one entity and the same columns is one statement, in the plan's order."""
    done = 0

    def told(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, len(operations))

    for _, group in groupby(operations, _shape):
        _write_group(connection, list(group), wanted, told, refused)


def _shape(operation: Operation) -> tuple[str, str, tuple[str, ...]]:
    verb = {"create": "insert", "unredirect": "delete", "redirect": "replace"}.get(operation.kind, "update")
    return verb, operation.entity, tuple(sorted(operation.changes)) if verb == "update" else ()


def _write_group(
    connection: Connection,
    group: Sequence[Operation],
    wanted: Contents,
    told: Callable[[int], None],
    refused: Refused,
) -> None:
    verb, _, columns = _shape(group[0])
    table, key = TABLES[group[0].entity]
    rows = wanted.table(group[0].entity)
    by_key = (table.c[key] == bindparam("this_key")) & table.c.managed

    def write(part: Sequence[Operation]) -> None:
        if verb in ("delete", "replace"):
            connection.execute(delete(table).where(by_key), [{"this_key": op.key} for op in part])
        if verb in ("insert", "replace"):
            names = (key, *rows.columns, "managed")
            insert_rows(connection, table, names, ((op.key, *rows.rows[op.key], True) for op in part))
        if verb == "update":
            statement = update(table).where(by_key).values({name: bindparam(f"new_{name}") for name in columns})
            connection.execute(statement, [{"this_key": op.key, **_values(op, columns, rows)} for op in part])

    write_or_refuse(connection, group, write, refused, told)


def _values(operation: Operation, columns: Sequence[str], rows: Rows) -> Mapping[str, Any]:
    """The new values: the catalogue's own, exact; of a row that the catalogue has no more, the plan's flags."""
    known = operation.key in rows.rows
    return {f"new_{name}": rows.value(operation.key, name) if known else operation.changes[name][1] for name in columns}
