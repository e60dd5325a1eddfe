"""One connection to an OpenCart database, with the layout, languages and stores of the shop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from database.connect import database_words, open_database
from database.scrubbing import own_words
from database.url import database_url, url_text
from schemas.errors import StoreError, closest
from schemas.settings.opencart import OpenCartStore
from stores.bulk import batched
from stores.opencart.layout import Layout, read_layout


@dataclass(frozen=True)
class Languages:
    """Ids of the enabled languages.

    In ``strict`` languages names always follow Torgsoft; the first is the main language. In ``loose`` ones they follow
    until an editor translates them. In all others they are written once.
    """

    enabled: tuple[int, ...]
    strict: tuple[int, ...]
    loose: tuple[int, ...]
    codes: Mapping[int, str]

    @property
    def main(self) -> int:
        """Return the language whose names a plan compares."""
        return self.strict[0]


class Db:
    """SQL on one shop. ``{name}`` in a statement is the shop's table of that name, prefixed and quoted."""

    def __init__(self, connection: Connection, settings: OpenCartStore) -> None:
        self.connection, self.settings = connection, settings
        self.layout: Layout = read_layout(connection, settings.prefix)
        self.languages = _languages(self)
        _check_stores(self)

    def sql(self, statement: str) -> str:
        """Return a statement with the real names of the tables."""
        return statement.format_map(_Tables(self.layout))

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT; a list as value becomes ``IN (…)``."""
        return [tuple(row) for row in self._execute(statement, values)]

    def run(self, statement: str, **values: Any) -> int:
        """Execute a statement; returns the number of affected rows."""
        return int(self._execute(statement, values).rowcount)

    def many(
        self, statement: str, rows: Iterable[Sequence[Any]], report: Callable[[int], None] = lambda rows: None
    ) -> None:
        """Execute one statement with many rows of ``%s``; the driver joins INSERTs of many rows into one.

        ``report`` is called after each batch with its number of rows.
        """
        statement = self.sql(statement)
        for batch in batched(tuple(row) for row in rows):
            self.connection.exec_driver_sql(statement, batch)
            report(len(batch))

    def insert_select(self, table: str, values: Mapping[str, str], source: str, **bound: Any) -> int:
        """Execute INSERT … SELECT without columns that this version lacks, with values for those that it requires."""
        columns = self.layout.tables[table]
        wanted = {name: value for name, value in values.items() if name in columns}
        fillers = {n: c.filler for n, c in columns.items() if c.filler is not None and n not in wanted}
        both = {**wanted, **fillers}
        names = ", ".join(f"`{name}`" for name in both)
        return self.run(f"INSERT INTO {{{table}}} ({names}) SELECT {', '.join(both.values())} {source}", **bound)

    def insert_many(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]], ending: str = "") -> None:
        """Insert many rows; columns that this version requires beside ``names`` get a value."""
        columns = self.layout.tables[table]
        fillers = [n for n, column in columns.items() if column.filler is not None and n not in names]
        filled = tuple("" if columns[n].filler == "''" else 0 for n in fillers)
        quoted = ", ".join(f"`{name}`" for name in (*names, *fillers))
        marks = ", ".join(["%s"] * (len(names) + len(fillers)))
        self.many(f"INSERT INTO {{{table}}} ({quoted}) VALUES ({marks}) {ending}", ((*row, *filled) for row in rows))

    def setting(self, *keys: str) -> str | None:
        """Return the first of these OpenCart settings that the main store has."""
        if not self.layout.has("setting", "key"):
            return None
        found = dict(self.rows("SELECT `key`, value FROM {setting} WHERE store_id = 0 AND `key` IN :keys", keys=keys))
        return next((str(found[key]) for key in keys if found.get(key)), None)

    def _execute(self, statement: str, values: Mapping[str, Any]) -> Any:
        clause = text(self.sql(statement))
        lists: list[Any] = [
            bindparam(name, expanding=True) for name, value in values.items() if isinstance(value, (list, tuple))
        ]
        return self.connection.execute(clause.bindparams(*lists) if lists else clause, dict(values))


class _Tables(dict[str, str]):
    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout

    def __missing__(self, name: str) -> str:
        return self.layout.quoted(name)


def _languages(db: Db) -> Languages:
    rows = db.rows("SELECT language_id, code FROM {language} WHERE status = 1 ORDER BY sort_order, language_id")
    if not rows:
        raise StoreError("the shop has no enabled language", "enable one in OpenCart's admin")
    codes = {str(code): int(number) for number, code in rows}
    enabled = tuple(codes.values())
    named = {number: code for code, number in codes.items()}
    if db.settings.languages is not None:
        for code in db.settings.languages:
            if code not in codes:
                raise StoreError(f'the shop has no enabled language "{code}"', closest(code, list(codes)))
        return Languages(enabled, tuple(codes[code] for code in db.settings.languages), (), named)
    main = codes.get(db.setting("config_language_catalog", "config_language") or "", enabled[0])
    return Languages(enabled, (main,), tuple(number for number in enabled if number != main), named)


def _check_stores(db: Db) -> None:
    existing = {0}
    if db.layout.has("store", "store_id"):
        existing |= {int(number) for (number,) in db.rows("SELECT store_id FROM {store}")}
    unknown = sorted(set(db.settings.store_ids) - existing)
    if unknown:
        raise StoreError(
            f"OpenCart has no store {unknown[0]}", f"store_ids: known: {', '.join(map(str, sorted(existing)))}"
        )


@contextmanager
def reading(settings: OpenCartStore) -> Iterator[Db]:
    """Open a connection that is rolled back at the end."""
    with _connection(settings, "nothing was written; correct it, then run again") as connection:
        yield Db(connection, settings)
        connection.rollback()


@contextmanager
def writing(settings: OpenCartStore) -> Iterator[Db]:
    """Open one transaction; in tables without transactions each statement is final at once.

    A lock of the database server keeps a second run out. The server releases it when the connection ends.
    """
    step = "incomplete rows are hidden, or as they were; correct it, then run again: that run completes them"
    with _connection(settings, step) as connection:
        db = Db(connection, settings)
        _lock(db)
        connection.commit()
        if not db.layout.atomic:
            connection.execution_options(isolation_level="AUTOCOMMIT")
        yield db
        connection.commit()


def _lock(db: Db) -> None:
    held = db.rows("SELECT GET_LOCK(CONCAT('torgsync ', LEFT(DATABASE(), 30), :prefix), 2)", prefix=db.settings.prefix)
    if held[0][0] != 1:
        raise StoreError(
            f"store {db.settings.name}: another run is writing to this shop", "wait until it has ended, then run again"
        )


@contextmanager
def _connection(settings: OpenCartStore, next_step: str) -> Iterator[Connection]:
    """Open a connection. Its failures become StoreErrors of one line that names the store."""
    try:
        url = database_url(*url_text(settings.url, settings.url_env, f"store {settings.name}"))
        engine = open_database(url)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StoreError(f"store {settings.name}: {own_words(error)}", "check the store's url in shop.toml") from None
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreError(f"store {settings.name}: {database_words(error, url)}", next_step) from None
    finally:
        engine.dispose()
