"""The state database: section numbers, runs, what was loaded, tombstones, redirects, quarantine.

SQLite beside ``shop.toml`` by default (write-ahead log, so that ``torgsync runs`` reads while a run writes), or
PostgreSQL by URL for several machines. Each method is one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, delete, insert, make_url, select, update

from database.migrations import migrate
from database.url import make_file
from schemas.contents import Key, Rows
from schemas.errors import StalePlan
from schemas.registry import Meaning, Registry
from state.engine import check_file, explained_errors, open_engine
from state.quarantine import QuarantineState, replace
from state.runs import RunsState
from state.tables import (
    BINDINGS,
    CONFIRMED,
    LOADED,
    REDIRECTS,
    SECTION_NUMBERS,
    TOMBSTONES,
)

VERSIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Loaded:
    """The last load into at least one store, and the last run that every store took."""

    run: str
    catalogue: str
    plan: str
    counts: Mapping[str, int]
    last_successful: str | None


@dataclass(frozen=True)
class Confirmed:
    """The last confirmation of one store: the catalogue, and the files of a feed with their SHA-256."""

    run: str
    catalogue: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Settlement:
    """What the state stores after a store took a run: for the shop, or for a ``store`` with its own history.

    ``new_redirects`` are those whose address a category left in this run; their first night is ``new_since``.
    """

    run: str
    catalogue: str
    plan: str
    counts: Mapping[str, int]
    meanings: tuple[Meaning, ...]
    tombstones: tuple[Mapping[str, Any], ...]
    redirects: Rows
    new_redirects: Collection[Key]
    new_since: str
    complete: bool
    store: str = ""


class State(RunsState, QuarantineState):
    """The state of one shop in the database at ``url``, migrated to the newest schema."""

    def __init__(self, url: str | URL, shop: str) -> None:
        self.shop = shop
        make_file(make_url(url))
        with explained_errors(url):
            self.engine = open_engine(url)
            try:
                with self.engine.begin() as connection:
                    migrate(connection, VERSIONS, "torgsync_state_version")
                check_file(self.engine)
            except BaseException:
                self.engine.dispose()  # close its files now, not at garbage collection
                raise

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    # --- section numbers -------------------------------------------------------------------------------------------

    def registry(self) -> Registry:
        """Return every number ever used, with its last seen meaning."""
        table = SECTION_NUMBERS
        with self.engine.connect() as connection:
            rows = connection.execute(select(table).where(table.c.shop == self.shop).order_by(table.c.number))
            return Registry({r.number: Meaning(r.number, r.identity, r.name, r.parent_number, r.origin) for r in rows})

    def give_numbers(self, meanings: Iterable[Meaning]) -> None:
        """Store numbers that are new. Call it before a store gets any of them.

        Raises StalePlan when the registry gave one of them to another section meanwhile.
        """
        registered = self.registry().meanings
        new = []
        for meaning in meanings:
            held = registered.get(meaning.number)
            if held is None:
                new.append(_number_row(meaning))
            elif "registry" in (held.origin, meaning.origin) and held.identity != meaning.identity:
                raise StalePlan(
                    f"number {meaning.number} was given to «{held.name}» since the plan was made, which gives it to "
                    f"«{meaning.name}»",
                    "make a new plan",
                )
        if new:
            with self.engine.begin() as connection:
                connection.execute(insert(SECTION_NUMBERS), [{"shop": self.shop, **row} for row in new])

    # --- what was loaded -------------------------------------------------------------------------------------------

    def _history_key(self, store: str) -> str:
        """Return the key of the history: SHOP, or SHOP/STORE for a store's own, as no name has a slash."""
        return f"{self.shop}/{store}" if store else self.shop

    def loaded(self, store: str = "") -> Loaded | None:
        """Return the last load, shop-wide or of a store's own catalogue; None before the first load."""
        with self.engine.connect() as connection:
            row = connection.execute(select(LOADED).where(LOADED.c.shop == self._history_key(store))).first()
        return None if row is None else Loaded(row.run, row.catalogue, row.plan, row.counts, row.last_successful)

    def confirmed(self) -> dict[str, Confirmed]:
        """Return the last confirmation of each store."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(CONFIRMED).where(CONFIRMED.c.shop == self.shop))
            return {row.store: Confirmed(row.run, row.catalogue, row.files) for row in rows}

    def confirm(self, store: str, confirmed: Confirmed) -> None:
        """Note that a store took a catalogue."""
        row = {"run": confirmed.run, "catalogue": confirmed.catalogue, "files": dict(confirmed.files)}
        with self.engine.begin() as connection:
            replace(connection, CONFIRMED, {"shop": self.shop, "store": store}, row)

    def settle(self, settlement: Settlement, own: Iterable[Settlement] = (), left: Iterable[str] = ()) -> None:
        """Store, in one transaction, the results of a load: meanings, tombstones, redirects, the last load.

        ``own``: settlements of stores with their own history. The history of stores that ``left`` is deleted.
        """
        registered = self.registry().meanings
        with self.engine.begin() as connection:
            for meaning in settlement.meanings:
                if registered.get(meaning.number) != meaning:
                    row = _number_row(meaning)
                    table = SECTION_NUMBERS
                    this = (table.c.shop == self.shop) & (table.c.number == meaning.number)
                    connection.execute(update(table).where(this).values(row))
            for each in (settlement, *own):
                self._settle_history_key(connection, each)
            for store in left:
                for past in (TOMBSTONES, REDIRECTS, LOADED):
                    connection.execute(delete(past).where(past.c.shop == self._history_key(store)))

    def _settle_history_key(self, connection: Connection, settlement: Settlement) -> None:
        key = self._history_key(settlement.store)
        connection.execute(delete(TOMBSTONES).where(TOMBSTONES.c.shop == key))
        if settlement.tombstones:
            connection.execute(insert(TOMBSTONES), [{"shop": key, **row} for row in settlement.tombstones])
        self._keep_redirects(connection, settlement, key)
        before = select(LOADED.c.last_successful).where(LOADED.c.shop == key)
        last = settlement.run if settlement.complete else connection.execute(before).scalar()
        row = {
            "run": settlement.run, "catalogue": settlement.catalogue, "plan": settlement.plan,
            "counts": dict(settlement.counts), "last_successful": last,
        }  # fmt: skip
        replace(connection, LOADED, {"shop": key}, row)

    def _keep_redirects(self, connection: Connection, settlement: Settlement, key: str) -> None:
        """Replace the redirects; an existing one keeps its first night."""
        table, first = REDIRECTS, settlement.new_since
        since: dict[Any, str] = {}
        for past in (self.shop, key):  # a store with a new history keeps the nights of the shop's redirects
            since |= {(r.id, r.number): r.since for r in connection.execute(select(table).where(table.c.shop == past))}
        connection.execute(delete(table).where(table.c.shop == key))
        rows = [
            {"shop": key, "id": address, "old_number": row[0], "old_path": list(row[1]), "number": row[2],
             "since": first if address in settlement.new_redirects else since.get((address, row[2]), first)}
            for address, row in settlement.redirects.rows.items()
        ]  # fmt: skip
        if rows:
            connection.execute(insert(table), rows)

    def tombstones(self, store: str = "") -> list[dict[str, Any]]:
        """Return the rows of ``tombstones`` without the shop."""
        table = TOMBSTONES
        with self.engine.connect() as connection:
            rows = connection.execute(select(table).where(table.c.shop == self._history_key(store))).mappings()
            return [{k: v for k, v in row.items() if k != "shop"} for row in rows]

    def redirects(self, store: str = "") -> Rows:
        """Return the remembered redirects by id."""
        table = REDIRECTS
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(table).where(table.c.shop == self._history_key(store)).order_by(table.c.id)
            )
            found = {row.id: (row.old_number, list(row.old_path), row.number) for row in rows}
        return Rows(("old_number", "old_path", "number"), found)

    def redirects_since(self, store: str = "") -> dict[Key, str]:
        """Return the first night of each redirect, by id."""
        table = REDIRECTS
        with self.engine.connect() as connection:
            rows = connection.execute(select(table.c.id, table.c.since).where(table.c.shop == self._history_key(store)))
            return {row.id: row.since for row in rows}

    # --- bindings --------------------------------------------------------------------------------------------------

    def bindings(self, store: str) -> dict[tuple[str, int], tuple[str, str | None]]:
        """Return a store's ids and slugs by (entity, key)."""
        table = BINDINGS
        query = select(table).where((table.c.shop == self.shop) & (table.c.store == store))
        with self.engine.connect() as connection:
            return {(row.entity, row.key): (row.store_key, row.slug) for row in connection.execute(query)}

    def bind(self, store: str, bindings: Mapping[tuple[str, int], tuple[str, str | None]]) -> None:
        """Store a store's ids and slugs of categories or goods."""
        with self.engine.begin() as connection:
            for (entity, key), (store_key, slug) in bindings.items():
                where = {"shop": self.shop, "store": store, "entity": entity, "key": key}
                replace(connection, BINDINGS, where, {"store_key": store_key, "slug": slug})


def _number_row(meaning: Meaning) -> dict[str, object]:
    return {
        "number": meaning.number,
        "identity": meaning.identity,
        "name": meaning.name,
        "parent_number": meaning.parent_number,
        "origin": meaning.origin,
    }
