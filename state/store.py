"""The state of one shop: section numbers, runs and their quarantine, in one SQLAlchemy database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine, delete, insert, select, update

from schemas.registry import Meaning, Registry
from schemas.report import RunReport
from schemas.sql import migrate
from state.tables import QUARANTINE, RUNS, SECTION_NUMBERS

VERSIONS = Path(__file__).parent / "migrations"


class State:
    """Opens the state database at ``url``, brought to the newest schema. Each method is one transaction."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        with self.engine.begin() as connection:
            migrate(connection, VERSIONS, "torgsync_state_version")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def registry(self) -> Registry:
        """Every number ever used, with what it meant when it was last seen."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(SECTION_NUMBERS).order_by(SECTION_NUMBERS.c.number)).mappings()
            return Registry(
                {
                    row["number"]: Meaning(
                        row["number"], row["identity"], row["name"], row["parent_number"], row["origin"]
                    )
                    for row in rows
                }
            )

    def give_numbers(self, meanings: Iterable[Meaning], run: str) -> int:
        """Remember numbers that were not known before; returns how many. Done before a store sees any of them."""
        known = self.registry().meanings
        new = [m for m in meanings if m.number not in known]
        if new:
            with self.engine.begin() as connection:
                connection.execute(insert(SECTION_NUMBERS), [_number_row(m, run) for m in new])
        return len(new)

    def remember_meanings(self, meanings: Iterable[Meaning], run: str) -> None:
        """Take over what each number means now. Done after a good run only, so that a change is noticed until then."""
        known = self.registry().meanings
        with self.engine.begin() as connection:
            for meaning in meanings:
                if known.get(meaning.number) != meaning:
                    row = _number_row(meaning, run)
                    del row["first_run"]
                    connection.execute(
                        update(SECTION_NUMBERS).where(SECTION_NUMBERS.c.number == meaning.number).values(row)
                    )

    def start_run(self, report: RunReport) -> None:
        """Note that a run has begun."""
        row = {"run": report.run, "started_at": report.started_at, "outcome": report.outcome, "message": ""}
        with self.engine.begin() as connection:
            connection.execute(insert(RUNS), row)

    def finish_run(self, report: RunReport, quarantine: pd.DataFrame) -> None:
        """Keep a run's report and its rejected rows."""
        with self.engine.begin() as connection:
            connection.execute(
                update(RUNS)
                .where(RUNS.c.run == report.run)
                .values(
                    finished_at=report.finished_at,
                    outcome=report.outcome,
                    message=report.message,
                    report=report.model_dump(mode="json"),
                )
            )
            connection.execute(delete(QUARANTINE).where(QUARANTINE.c.run == report.run))
            if len(quarantine):
                rows = [
                    {"run": report.run} | {str(k): v for k, v in row.items()} for row in quarantine.to_dict("records")
                ]
                connection.execute(insert(QUARANTINE), rows)


def _number_row(meaning: Meaning, run: str) -> dict[str, object]:
    return {
        "number": meaning.number,
        "identity": meaning.identity,
        "name": meaning.name,
        "parent_number": meaning.parent_number,
        "origin": meaning.origin,
        "first_run": run,
        "last_run": run,
    }
