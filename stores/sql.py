"""The SQL store: tables ``categories`` and ``offers``, only what changed, in one transaction."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Boolean, Column, Connection, MetaData, Table, bindparam, create_engine, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from schemas.errors import SettingsError, StoreError
from schemas.report import StoreResult
from schemas.shop import SqlStore
from schemas.sql import decimals, migrate, sql_columns
from schemas.tables import CATEGORIES, DECIMAL, OFFERS

METADATA = MetaData()
CATEGORIES_TABLE = Table(
    "categories", METADATA, *sql_columns(CATEGORIES, "number"), Column("hidden", Boolean, nullable=False)
)
OFFERS_TABLE = Table("offers", METADATA, *sql_columns(OFFERS, "good_id"))
VERSIONS = Path(__file__).parent / "sql_migrations"

Row = dict[str, Any]


@dataclass
class TableDiff:
    """What must be written to one table: new rows, changed rows (whole), keys to hide. ``visible``: rows shown now."""

    create: list[Row] = field(default_factory=list)
    update: list[Row] = field(default_factory=list)
    hide: list[int] = field(default_factory=list)
    visible: int = 0
    hidden_before: int = 0

    @property
    def disappearing(self) -> int:
        """Rows that are shown now and would no longer be."""
        return len(self.hide) + self.hidden_before


@dataclass(frozen=True)
class Diff:
    """The writes of one load, categories ahead of offers."""

    categories: TableDiff
    offers: TableDiff


Guard = Callable[[str, str, int, int], None]
"""Called before the first write with (store, table, rows that would disappear, rows shown now); raises to stop."""


def check(
    store: SqlStore,
    folder: Path,
    categories: pd.DataFrame,
    offers: pd.DataFrame,
    held: Mapping[str, Collection[int]],
    guard: Guard,
) -> None:
    """Run the guards against what the store holds now, without writing. Parameters and errors as in ``load``."""
    with _transaction(store, folder) as connection:
        _guarded_diff(connection, store, categories, offers, held, guard)
        connection.rollback()


def load(
    store: SqlStore,
    folder: Path,
    categories: pd.DataFrame,
    offers: pd.DataFrame,
    held: Mapping[str, Collection[int]],
    guard: Guard,
) -> StoreResult:
    """Bring a store's tables to the catalogue, in one transaction that reads, is guarded, and writes.

    ``categories`` has CATEGORIES's columns with parents first, ``offers`` those of OFFERS. Rows that are no longer in
    the catalogue are hidden, never deleted; ``held`` keys per table (rows in the quarantine tonight) are left as they
    are. Raises StoreError when the database fails: the transaction is rolled back and the store holds what it held.
    """
    with _transaction(store, folder) as connection:
        migrate(connection, VERSIONS, "torgsync_store_version")
        diff = _guarded_diff(connection, store, categories, offers, held, guard)
        _write(connection, CATEGORIES_TABLE, "number", diff.categories)
        _write(connection, OFFERS_TABLE, "good_id", diff.offers)
    return StoreResult(
        name=store.name,
        kind=store.kind,
        categories_created=len(diff.categories.create),
        categories_updated=len(diff.categories.update),
        categories_hidden=len(diff.categories.hide),
        offers_created=len(diff.offers.create),
        offers_updated=len(diff.offers.update),
        offers_hidden=len(diff.offers.hide),
    )


@contextmanager
def _transaction(store: SqlStore, folder: Path) -> Iterator[Connection]:
    """One transaction on the store; every failure of the database becomes a StoreError of one line."""
    url = store_url(store, folder)
    try:
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StoreError(f"store {store.name}: {_one_line(error)}", "check the store's url in shop.toml") from error
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreError(
            f"store {store.name}: {_one_line(error)}", "nothing was changed in this store; mend it, then run again"
        ) from error
    finally:
        engine.dispose()


def _guarded_diff(
    connection: Connection,
    store: SqlStore,
    categories: pd.DataFrame,
    offers: pd.DataFrame,
    held: Mapping[str, Collection[int]],
    guard: Guard,
) -> Diff:
    wanted = {"categories": _category_rows(categories), "offers": frame_rows(offers)}
    diff = Diff(
        _diff(connection, CATEGORIES_TABLE, "number", wanted["categories"], held.get("categories", ())),
        _diff(connection, OFFERS_TABLE, "good_id", wanted["offers"], held.get("offers", ())),
    )
    for table, part in (("categories", diff.categories), ("offers", diff.offers)):
        guard(store.name, table, part.disappearing, part.visible)
    return diff


def store_url(store: SqlStore, folder: Path) -> str:
    """The SQLAlchemy URL of a store; a relative SQLite file is relative to the shop's folder."""
    if store.url_env is not None:
        if store.url_env not in os.environ:
            raise SettingsError(f"store {store.name}: environment variable {store.url_env} is not set", "set it")
        return os.environ[store.url_env]
    assert store.url is not None
    url = make_url(store.url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        url = url.set(database=str((folder / url.database).resolve()))
    return url.render_as_string(hide_password=False)


def frame_rows(frame: pd.DataFrame) -> list[Row]:
    """A frame's rows as plain Python values, None for empty, decimals without trailing zeros."""
    columns = {str(name): _plain(frame[name]) for name in frame}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(column: pd.Series) -> list[Any]:
    if column.dtype == DECIMAL:
        return list(decimals(column))
    values = column.astype(object)
    return [None if value is pd.NA or value is None or value != value else value for value in values]


def _category_rows(categories: pd.DataFrame) -> list[Row]:
    return [{**row, "path": list(row["path"]), "hidden": False} for row in frame_rows(categories)]


def _diff(connection: Connection, table: Table, key: str, wanted: Sequence[Row], held: Collection[int]) -> TableDiff:
    found = connection.execute(select(table)).mappings() if connection.dialect.has_table(connection, table.name) else ()
    present = {row[key]: dict(row) for row in found}
    diff = TableDiff(visible=sum(not row["hidden"] for row in present.values()))
    for row in wanted:
        before = present.pop(row[key], None)
        if before is None:
            diff.create.append(row)
        elif before != row:
            diff.update.append(row)
            diff.hidden_before += bool(row["hidden"] and not before["hidden"])
    diff.hide = sorted(k for k, row in present.items() if not row["hidden"] and k not in held)
    return diff


def _write(connection: Connection, table: Table, key: str, diff: TableDiff) -> None:
    by_key = table.c[key] == bindparam("this_key")
    if diff.create:
        connection.execute(insert(table), diff.create)
    if diff.update:
        statement = update(table).where(by_key).values({c.name: bindparam(c.name) for c in table.c if c.name != key})
        connection.execute(statement, [{**row, "this_key": row[key]} for row in diff.update])
    if diff.hide:
        connection.execute(update(table).where(by_key).values(hidden=True), [{"this_key": k} for k in diff.hide])


def _one_line(error: Exception) -> str:
    """The database's own words, without the statement and its parameters."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
