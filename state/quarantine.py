"""The part of the state that keeps rejected rows: those of each run, and those that a person has accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from state.tables import ACCEPTED, QUARANTINE


class QuarantineState:
    """Methods of ``State`` about rejected rows. Each is one transaction."""

    engine: Engine
    shop: str

    def quarantine(self, run: str) -> list[dict[str, Any]]:
        """Return the rejected rows of a run."""
        query = select(QUARANTINE).where(QUARANTINE.c.run == run).order_by(QUARANTINE.c.id)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def rejections(self, table: str, row_key: str, reason: str) -> set[str]:
        """Return the runs that rejected a row for a reason."""
        where = {"table": table, "row_key": row_key, "reason": reason}
        query = select(QUARANTINE.c.run).where(*(QUARANTINE.c[name] == value for name, value in where.items()))
        with self.engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def accepted(self) -> list[dict[str, Any]]:
        """Return rejected rows that a person has accepted: they do not count towards the limits."""
        with self.engine.connect() as connection:
            query = select(ACCEPTED).where(ACCEPTED.c.shop == self.shop).order_by(ACCEPTED.c.table, ACCEPTED.c.row_key)
            return [dict(row) for row in connection.execute(query).mappings()]

    def accept(self, rows: Iterable[tuple[str, str, str]], note: str, at: str) -> None:
        """Accept rejected rows: (table, row key, reason) each."""
        with self.engine.begin() as connection:
            for row in rows:
                replace(connection, ACCEPTED, self._place(row), {"note": note, "accepted_at": at})

    def unaccept(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Withdraw acceptances: (table, row key, reason) each."""
        with self.engine.begin() as connection:
            for row in rows:
                where = self._place(row)
                this = (ACCEPTED.c[name] == value for name, value in where.items())
                connection.execute(delete(ACCEPTED).where(*this))

    def _place(self, row: tuple[str, str, str]) -> dict[str, str]:
        return {"shop": self.shop, "table": row[0], "row_key": row[1], "reason": row[2]}


def replace(connection: Connection, table: Any, where: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Update the row of a key, or insert it."""
    this = [table.c[name] == value for name, value in where.items()]
    if not connection.execute(update(table).where(*this).values(**values)).rowcount:
        connection.execute(insert(table), {**where, **values})
