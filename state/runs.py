"""The part of the state that keeps the runs, in the order of their start by a counter, not by a clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from schemas.report import RunReport
from state.tables import CONFIRMED, LOADED, QUARANTINE, RUNS, WRITES_BEGUN

if TYPE_CHECKING:  # ``torgsync runs`` does without pandas
    import pandas as pd

_AT_ONCE = 500
"""Runs in one statement: databases limit the number of its parameters."""


class RunsState:
    """Methods of ``State`` about runs. Each is one transaction."""

    engine: Engine
    shop: str

    def start_run(self, report: RunReport, flow_run: str = "") -> None:
        """Note that a run has begun. The caller has the lock of the shop, so an older run marked as running has died.

        ``flow_run``: the id of its Prefect flow run, if any: a retry of that continues this run.
        """
        row = {
            "run": report.run, "shop": self.shop, "purpose": report.purpose, "continues": report.continues or None,
            "started_at": report.started_at, "outcome": report.outcome, "message": "", "flow_run": flow_run or None,
        }  # fmt: skip
        dead = (RUNS.c.shop == self.shop) & (RUNS.c.outcome == "running")
        message = "the process was killed, or the power failed"
        with self.engine.begin() as connection:
            connection.execute(update(RUNS).where(dead).values(outcome="interrupted", message=message))
            last = connection.execute(select(func.max(RUNS.c.sequence)).where(RUNS.c.shop == self.shop)).scalar()
            connection.execute(insert(RUNS), row | {"sequence": (last or 0) + 1})

    def note_extract(self, run: str, extract: str) -> None:
        """Note the extract of a run. It is kept before validation, so that it can be validated again."""
        with self.engine.begin() as connection:
            connection.execute(update(RUNS).where(RUNS.c.run == run).values(extract=extract))

    def note_plan(self, run: str, catalogue: str, extract: str, allowed: Mapping[str, int]) -> None:
        """Note the inputs of the run's plan, and the guards that --allow raised."""
        values = {"catalogue": catalogue, "extract": extract or None, "allowed": dict(allowed)}
        with self.engine.begin() as connection:
            connection.execute(update(RUNS).where(RUNS.c.run == run).values(values))

    def finish_run(self, report: RunReport, quarantine: pd.DataFrame) -> None:
        """Keep a run's report and its rejected rows."""
        values = {
            "finished_at": report.finished_at, "outcome": report.outcome, "exit_code": report.exit_code,
            "message": report.message, "allowed": report.allowed, "report": report.model_dump(mode="json"),
        }  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(update(RUNS).where(RUNS.c.run == report.run).values(values))
            connection.execute(delete(QUARANTINE).where(QUARANTINE.c.run == report.run))
            if len(quarantine):
                rows = [{"run": report.run} | {str(k): v for k, v in r.items()} for r in quarantine.to_dict("records")]
                connection.execute(insert(QUARANTINE), rows)

    def runs(self, limit: int | None = None, purposes: Collection[str] | None = None) -> list[dict[str, Any]]:
        """Return the shop's rows of ``runs``, the newest first; only of some purposes, where given."""
        query = select(RUNS).where(RUNS.c.shop == self.shop).order_by(RUNS.c.sequence.desc(), RUNS.c.run.desc())
        if purposes is not None:
            query = query.where(RUNS.c.purpose.in_(purposes))
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query.limit(limit)).mappings()]

    def begin_writing(self, run: str, store: str) -> None:
        """Note that a run begins to write to a store: committed before the store's first write."""
        row = {"run": run, "store": store}
        row_exists = select(WRITES_BEGUN).filter_by(**row)
        with self.engine.begin() as connection:
            if connection.execute(row_exists).first() is None:
                connection.execute(insert(WRITES_BEGUN), row)

    def written_since(self, run: str | None) -> dict[str, set[str]]:
        """Return the runs after ``run`` (None: all) that began to write, in their order, each with its stores."""
        query = (
            select(RUNS.c.run, WRITES_BEGUN.c.store)
            .join(WRITES_BEGUN, WRITES_BEGUN.c.run == RUNS.c.run)
            .where(RUNS.c.shop == self.shop)
            .order_by(RUNS.c.sequence, RUNS.c.run)
        )
        if run is not None:
            # if that run was deleted, no run is after it
            query = query.where(RUNS.c.sequence > select(RUNS.c.sequence).where(RUNS.c.run == run).scalar_subquery())
        found: dict[str, set[str]] = {}
        with self.engine.connect() as connection:
            for row in connection.execute(query):
                found.setdefault(row.run, set()).add(row.store)
        return found

    def strangers(self) -> list[str]:
        """Return the other shops in the database if it has no data of this shop; else an empty list.

        A run without a catalogue does not count: it was refused, or had the plan of another shop.
        """
        runs = select(RUNS.c.shop).where(RUNS.c.catalogue.is_not(None), RUNS.c.catalogue != "").distinct()
        with self.engine.connect() as connection:
            planned = set(connection.execute(runs).scalars())
            loaded = {str(past).partition("/")[0] for past in connection.execute(select(LOADED.c.shop)).scalars()}
        other_shops = planned | loaded
        return [] if self.shop in other_shops else sorted(other_shops)

    def catalogue_of(self, run: str) -> str:
        """Return the fingerprint of a run's catalogue; empty where there is none, or the run was deleted."""
        with self.engine.connect() as connection:
            return connection.execute(select(RUNS.c.catalogue).where(RUNS.c.run == run)).scalar() or ""

    def night_of(self, run: str) -> str | None:
        """Return the night of a run, as a date; None where the run was deleted."""
        with self.engine.connect() as connection:
            started = connection.execute(select(RUNS.c.started_at).where(RUNS.c.run == run)).scalar()
        return None if started is None else str(started)[:10]

    def forget(self, keep_runs: int, ended: str = "") -> None:
        """Delete runs older than the ``keep_runs`` last successful ones before the run that has just ``ended``.

        Of the others (stopped, failed, only planned) as many are kept, and those that wrote to a store after the last
        load.
        The current run stays, and also the runs of the last load and confirmations, however old.
        """
        with self.engine.begin() as connection:
            known = connection.execute(
                select(RUNS.c.run, RUNS.c.sequence, RUNS.c.outcome, RUNS.c.purpose)
                .where(RUNS.c.shop == self.shop)
                .order_by(RUNS.c.sequence.desc())
            ).all()
            before = [row for row in known if row.run != ended]
            good = [row for row in before if row.outcome == "ok" and row.purpose != "plan"]
            others = [row for row in before if row.outcome != "ok" or row.purpose == "plan"]
            oldest = good[keep_runs - 1].sequence if len(good) >= keep_runs else 0
            shown = self._written_since_load(connection, {row.run: row.sequence for row in known})
            too_old = {row.run for row in known if row.sequence < oldest}
            too_old |= {row.run for row in others[keep_runs:]} - shown
            needed = (CONFIRMED.c.run, LOADED.c.run, LOADED.c.last_successful)
            protected = {run for column in needed for run in connection.execute(select(column)).scalars()}
            protected |= {row.run for row in known if row.outcome == "running"}
            gone = sorted(too_old - protected)
            for table in (QUARANTINE, WRITES_BEGUN, RUNS):
                for start in range(0, len(gone), _AT_ONCE):
                    connection.execute(delete(table).where(table.c.run.in_(gone[start : start + _AT_ONCE])))

    def _written_since_load(self, connection: Connection, order: Mapping[str, int]) -> set[str]:
        """Return the runs that began to write after the last load: what they showed is unsettled."""
        mine = (LOADED.c.shop == self.shop) | LOADED.c.shop.startswith(f"{self.shop}/", autoescape=True)
        since = min(
            (order.get(run, 0) for run in connection.execute(select(LOADED.c.run).where(mine)).scalars()), default=0
        )
        begun = connection.execute(select(WRITES_BEGUN.c.run).distinct()).scalars()
        return {run for run in begun if order.get(run, 0) > since}
