"""The migrations make exactly the tables that the code declares, on every database."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import ValidationError
from sqlalchemy import MetaData, String, create_engine

from database.migrations import migrate, schema_version
from schemas.errors import TorgsyncError
from schemas.report import RunReport
from schemas.settings.names import MAX_NAME
from schemas.settings.shop import Shop
from state import tables as state_tables
from state.database import VERSIONS as STATE_VERSIONS
from state.database import State
from stores import sql

STATE = (state_tables.METADATA, STATE_VERSIONS, "torgsync_state_version")
STORE = (sql.METADATA, sql.VERSIONS, sql.VERSION_TABLE)


@pytest.mark.parametrize(("metadata", "versions", "table"), [STATE, STORE], ids=["state", "sql store"])
def test_the_migrations_make_the_declared_tables_and_a_second_time_nothing(
    tmp_path: Path, metadata: MetaData, versions: Path, table: str
):
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    with engine.begin() as connection:
        migrate(connection, versions, table)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": table})
        assert compare_metadata(context, metadata) == []
        assert schema_version(connection, table) is not None
        migrate(connection, versions, table)
    engine.dispose()


@pytest.mark.parametrize(("metadata", "versions", "table"), [STATE, STORE], ids=["state", "sql store"])
def test_a_database_of_a_newer_version_is_one_clear_error_and_stays_as_it_is(
    tmp_path: Path, metadata: MetaData, versions: Path, table: str
):
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    with engine.begin() as connection:
        migrate(connection, versions, table)
        connection.exec_driver_sql(f"update {table} set version_num = '9999'")
    before = (tmp_path / "new.db").read_bytes()
    with (
        pytest.raises(TorgsyncError, match="of a newer torgsync: its schema is 9999, this one knows") as caught,
        engine.begin() as connection,
    ):
        migrate(connection, versions, table)
    assert "newer torgsync" in caught.value.next_step
    assert (tmp_path / "new.db").read_bytes() == before
    engine.dispose()


def migrations_until(last: int, folder: Path) -> Path:
    """A folder with the state's first ``last`` migrations: what an older torgsync knew."""
    older = folder / "older"
    older.mkdir()
    for path in sorted(STATE_VERSIONS.glob("0*.py"))[:last]:
        shutil.copy(path, older)
    return older


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_stores_that_earlier_runs_began_to_write_to_are_still_known(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
):
    sqlite = database == "sqlite"
    url = f"sqlite:///{tmp_path / 'state.db'}" if sqlite else request.getfixturevalue("postgres_url")
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate(connection, migrations_until(3, tmp_path), "torgsync_state_version")
        for place, run in enumerate(("quiet", "first", "second"), start=1):
            connection.execute(sa.text(
                "insert into runs (run, shop, purpose, sequence, started_at, outcome, message)"
                f" values ('{run}', 'a', 'sync', {place}, '', '', '')"
            ))  # fmt: skip
        for run, store, place in (("first", "woo", 0), ("first", "woo", 1), ("first", "web", -1), ("second", "woo", 0)):
            connection.execute(sa.text(
                "insert into operations (run, store, position, kind, entity, key, status, message)"
                f" values ('{run}', '{store}', {place}, 'create', 'offer', '1', 'begun', '')"
            ))  # fmt: skip
        connection.execute(sa.text(
            "insert into section_numbers (shop, number, identity, name, origin, first_run, last_run)"
            " values ('a', 7, 'torgsoft:7', 'Сім', 'torgsoft', 'first', 'second')"
        ))  # fmt: skip
        connection.execute(sa.text(
            "insert into tombstones (shop, entity, key, since, last_night, nights)"
            " values ('a', 'offer', 5, '2026-01-01', '2026-01-03', 3)"
        ))  # fmt: skip
    engine.dispose()
    state = State(url, "a")
    try:
        (tombstone,) = state.tombstones()
        assert (tombstone["key"], tombstone["last_night"], tombstone["nights"]) == (5, "2026-01-03", 3)
        assert state.written_since(None) == {"first": {"woo", "web"}, "second": {"woo"}}
        assert state.written_since("first") == {"second": {"woo"}}
        state.begin_writing("second", "woo")
        state.begin_writing("second", "web")
        assert state.written_since("first") == {"second": {"woo", "web"}}
        assert state.registry().meanings[7].name == "Сім"
    finally:
        state.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_runs_from_before_they_were_counted_stand_in_the_order_in_which_they_began(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
):
    """One host's clock showed Kyiv's time, the other one's UTC; and summer time ended."""
    sqlite = database == "sqlite"
    url = f"sqlite:///{tmp_path / 'state.db'}" if sqlite else request.getfixturevalue("postgres_url")
    older = migrations_until(2, tmp_path)
    began = {
        "night": "2026-10-24T02:30:00.000+03:00",
        "summer": "2026-10-25T03:30:00.000+03:00",
        "in UTC": "2026-10-25T00:45:00.000+00:00",
        "winter": "2026-10-25T03:15:00.000+02:00",
        "unknown": "?",
    }
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate(connection, older, "torgsync_state_version")
        add = sa.text(
            "insert into runs (run, shop, purpose, started_at, outcome, message)"
            " values (:run, 'a', 'sync', :at, '', '')"
        )
        connection.execute(add, [{"run": run, "at": at} for run, at in sorted(began.items())])
    engine.dispose()
    state = State(url, "a")
    try:
        assert [row["run"] for row in state.runs()] == ["winter", "in UTC", "summer", "night", "unknown"]
        state.start_run(RunReport(run="next", shop="a", started_at="2026-01-01T00:00:00.000+00:00"))
        assert [row["run"] for row in state.runs(limit=2)] == ["next", "winter"]
    finally:
        state.close()


@pytest.mark.parametrize("kind", ["sql", "opencart", "woocommerce", "trs"])
@pytest.mark.parametrize(("shop", "store"), [(MAX_NAME + 1, None), (5, MAX_NAME + 1), (60, 40)])
def test_a_name_that_the_states_columns_cannot_hold_is_refused_by_the_settings(tmp_path: Path, kind, shop, store):
    own = {
        "sql": {"url": "sqlite:///web.db"}, "opencart": {"url": "mysql+pymysql://u@h/d"}, "trs": {"target": "output"},
        "woocommerce": {"url": "https://shop.example", "key_env": "K", "secret_env": "S"},
    }[kind]  # fmt: skip

    def shop_of(shop_name: int, store_name: int | None) -> Shop:
        stores = [] if store_name is None else [{"name": "s" * store_name, "kind": kind, **own}]
        source = {"dsn": "base.fdb"}
        return Shop.model_validate({"name": "n" * shop_name, "folder": tmp_path, "source": source, "stores": stores})

    with pytest.raises(ValidationError, match=r"at most 100 characters|longer than 99 together"):
        shop_of(shop, store)
    shop_of(60, 39)
    columns = [column for table in state_tables.METADATA.tables.values() for column in table.c if column.name == "shop"]
    assert {column.type.length for column in columns if isinstance(column.type, String)} == {MAX_NAME}
