"""The same sweep where state and store are in PostgreSQL: an error at every statement and commit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

import stores.bulk
from tests.database_servers import DatabaseServer
from tests.faults.nights import LAST, SETTINGS, copy, new_shop, reader, run_night
from tests.faults.sweep import Effects, fail, watched
from tests.faults.test_broken_nights import STEP

CHUNKS = 4
OURS = SETTINGS.replace('url = "sqlite:///web.db"', 'url_env = "TORGSYNC_TEST_DATABASE"') + (
    '[state]\nurl_env = "TORGSYNC_TEST_DATABASE"\n'
)
RUN_NAMES = ("run", "plan", "last_successful")


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every table but the history of runs, without the names that a run makes up."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {
                table: sorted(
                    ({k: v for k, v in row.items() if k not in RUN_NAMES}
                     for row in connection.execute(text(f'select * from "{table}"')).mappings()), key=repr,
                )
                for table in inspect(connection).get_table_names()
                if table not in ("runs", "writes_begun", "quarantine")
            }  # fmt: skip
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def shops(postgres_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory):
    """A shop and its database before the night that is broken, and what an unbroken night makes of them."""
    folder = tmp_path_factory.mktemp("postgresql")
    admin = create_engine(postgres_server.url(), isolation_level="AUTOCOMMIT")

    def execute(statement: str) -> None:
        with admin.connect() as connection:
            connection.execute(text(statement))

    def fresh(name: str, source: str = "") -> str:
        execute(f"drop database if exists {name} with (force)")
        execute(f"create database {name} {'template ' + source if source else ''}")
        return postgres_server.url(name)

    mine = f"sweep_{os.getpid()}"
    os.environ["TORGSYNC_TEST_DATABASE"] = fresh(mine)
    template = new_shop(folder / "template", OURS)
    os.environ["TORGSYNC_TEST_DATABASE"] = url = fresh(f"{mine}_broken", mine)
    unbroken = copy(template, folder / "unbroken")
    effects = Effects(unbroken)
    with pytest.MonkeyPatch.context() as patch, watched(effects):
        watch_copy(effects, patch)
        assert run_night(unbroken, LAST, reader(LAST, effects)).outcome == "ok"
    after = rows(url), (unbroken / "feed" / "TSGoods.trs").read_bytes()

    def broken(number: int) -> tuple[str, Path]:
        place = folder / f"broken-{number}"
        return fresh(f"{mine}_broken", mine), copy(template, place)

    yield effects.labels, broken, after
    execute(f"drop database if exists {mine}_broken with (force)")
    execute(f"drop database if exists {mine} with (force)")
    admin.dispose()
    del os.environ["TORGSYNC_TEST_DATABASE"]


def watch_copy(effects: Effects, patch: pytest.MonkeyPatch) -> None:
    """COPY goes past SQLAlchemy's own statements."""
    real = stores.bulk.insert_rows

    def insert_rows(connection: Any, *args: Any) -> None:
        effects.place("before copy", connection.dialect.dbapi.OperationalError)
        real(connection, *args)
        effects.place("after copy", connection.dialect.dbapi.OperationalError)

    patch.setattr("stores.sql.insert_rows", insert_rows)


@pytest.mark.server
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_an_error_at_any_statement_leaves_the_store_whole_and_the_next_run_makes_it_good(shops, chunk):
    labels, broken, (wanted, feed) = shops
    words = ("before execute INSERT", "before execute UPDATE", "before execute DELETE", "copy", "commit", "executemany")
    places = [n for n, label in enumerate(labels, 1) if any(word in label for word in words)]
    assert len(places) > 30
    for place in places[::STEP][chunk::CHUNKS]:
        url, folder = broken(place)
        effects = Effects(folder, place, fail)
        told = f"{place} ({labels[place - 1]})"
        with pytest.MonkeyPatch.context() as patch, watched(effects):
            watch_copy(effects, patch)
            try:
                run_night(folder, LAST, reader(LAST, effects))
            except Exception as error:
                if "planted" not in str(error):
                    raise
        report = run_night(folder, LAST)
        assert report.outcome == "ok", f"{told}: {report.message}"
        now = rows(url)
        for table, found in wanted.items():
            assert now[table] == found, f"{told}: {table} came out otherwise"
        assert (folder / "feed" / "TSGoods.trs").read_bytes() == feed, told
