"""The SQL store: tables ``categories``, ``offers`` and ``redirects``; only what the plan lists, in one transaction."""

from __future__ import annotations

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
    create_engine,
    delete,
    false,
    inspect,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from database.columns import ReadJson, sql_columns
from database.migrations import migrate, schema_version
from database.scrubbing import own_words
from database.url import database_url, in_folder, make_file, url_text
from schemas.catalogue import Catalogue
from schemas.contents import Contents, Entity, Key, Rows
from schemas.errors import StoreError
from schemas.plan import Operation
from schemas.report import StoreResult
from schemas.settings.stores import SqlStore
from schemas.tables import CATEGORIES, OFFERS
from stores.bulk import batched, insert_rows
from stores.protocol import Begun, Capabilities, Progress, Replan, Wanted, silent

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
        """What the tables hold; nothing where they were not created yet."""
        with self._transaction() as connection:
            if schema_version(connection, VERSION_TABLE) is None:
                self._check_unused(connection)
                return Contents()
            migrate(connection, VERSIONS, VERSION_TABLE)
            self._refuse_other_shops(connection)
            return _contents(connection)

    def apply(self, wanted: Wanted, replan: Replan, begun: Begun) -> StoreResult:
        """Read, compare with the plan and write, in one transaction. What fails is rolled back whole."""
        begun()
        with self._transaction() as connection:
            migrate(connection, VERSIONS, VERSION_TABLE)
            self._refuse_other_shops(connection)
            operations = replan(_contents(connection))
            _write(connection, operations, wanted.contents, self.progress)
            for table, _ in TABLES.values():
                mine = update(table).where(table.c.managed, table.c.shop.is_(None)).values(shop=self.shop)
                connection.execute(mine)
        counts = Counter(f"{operation.entity} {operation.kind}" for operation in operations)
        return StoreResult(name=self.name, kind=self.kind, operations=dict(sorted(counts.items())))

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
            make_file(url, self.mode)
            engine = create_engine(url)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise StoreError(f"store {self.name}: {own_words(error)}", "check the store's url in shop.toml") from None
        try:
            with engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(
                f"store {self.name}: {own_words(error, url)}",
                "nothing was changed in this store; mend it, then run again",
            ) from None  # the error itself holds rows, and may hold a secret: Prefect would show it
        finally:
            engine.dispose()


def store_url(store: SqlStore, folder: Path) -> URL:
    """The SQLAlchemy URL of a store; a relative SQLite file of shop.toml is relative to the shop's folder."""
    text, where = url_text(store.url, store.url_env, f"store {store.name}")
    url = database_url(text, where)
    return url if store.url is None else in_folder(url, folder)


def _contents(connection: Connection) -> Contents:
    categories, offers, redirects = (_rows(connection, *TABLES[e]) for e in ("category", "offer", "redirect"))
    return Contents(categories, offers, redirects)


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


def _write(connection: Connection, operations: Sequence[Operation], wanted: Contents, progress: Progress) -> None:
    """Each run of operations of one entity and the same columns is one statement, in the plan's order."""
    done = 0

    def told(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, len(operations))

    for _, group in groupby(operations, _shape):
        _write_group(connection, list(group), wanted, told)


def _shape(operation: Operation) -> tuple[str, str, tuple[str, ...]]:
    verb = {"create": "insert", "unredirect": "delete", "redirect": "replace"}.get(operation.kind, "update")
    return verb, operation.entity, tuple(sorted(operation.changes)) if verb == "update" else ()


def _write_group(
    connection: Connection, group: Sequence[Operation], wanted: Contents, told: Callable[[int], None]
) -> None:
    verb, _, columns = _shape(group[0])
    table, key = TABLES[group[0].entity]
    rows = wanted.table(group[0].entity)
    by_key = (table.c[key] == bindparam("this_key")) & table.c.managed
    keys = [{"this_key": operation.key} for operation in group]
    if verb in ("delete", "replace"):
        connection.execute(delete(table).where(by_key), keys)
        told(len(group) if verb == "delete" else 0)
    if verb in ("insert", "replace"):
        _refuse_foreign(connection, table, key, group)
        columns = (key, *rows.columns, "managed")
        insert_rows(connection, table, columns, ((op.key, *rows.rows[op.key], True) for op in group), told)
    if verb == "update":
        statement = update(table).where(by_key).values({name: bindparam(f"new_{name}") for name in columns})
        for batch in batched(group):
            connection.execute(statement, [{"this_key": op.key, **_values(op, columns, rows)} for op in batch])
            told(len(batch))


def _refuse_foreign(connection: Connection, table: Table, key: str, group: Sequence[Operation]) -> None:
    """Raise StoreError where a row of this key is there already and was not made by torgsync."""
    foreign = set(connection.execute(select(table.c[key]).where(~table.c.managed)).scalars())
    taken = [operation for operation in group if operation.key in foreign]
    if taken:
        named = ", ".join(f"{operation.key} «{operation.name}»" for operation in taken[:5])
        raise StoreError(
            f"table {table.name} has rows of these keys that torgsync did not make: {named}",
            "delete them there, or set managed to true in those that torgsync shall take over",
        )


def _values(operation: Operation, columns: Sequence[str], rows: Rows) -> Mapping[str, Any]:
    """The new values: the catalogue's own, exact; of a row that the catalogue has no more, the plan's flags."""
    known = operation.key in rows.rows
    return {f"new_{name}": rows.value(operation.key, name) if known else operation.changes[name][1] for name in columns}
