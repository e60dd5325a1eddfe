"""A shop's first night can be broken off too: tables come all or none, or the next run makes what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from database.migrations import migrate
from schemas.errors import StoreError
from schemas.settings.stores import SqlStore
from stores.sql import TABLES, VERSION_TABLE, VERSIONS, SqlAdapter
from tests.faults.sweep import Effects, fail, forked, kill, watched
from tests.faults.test_broken_nights import Sweep


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """A shop that has had no night yet."""
    return Sweep.of(tmp_path_factory.mktemp("first"), 0)


def makes_tables(label: str) -> bool:
    return "CREATE" in label or "_version" in label


@pytest.mark.parametrize("act", [fail, kill], ids=["error", "kill -9"])
def test_a_first_night_that_is_broken_off_while_it_makes_its_tables_is_made_good_by_the_next(first, act):
    places = [n for n, label in enumerate(first.labels, 1) if label.startswith("after") and makes_tables(label)]
    assert len(places) > 16
    for place in places if act is kill else places[::3]:
        told = f"{place} ({first.labels[place - 1]})"
        folder = first.folder()
        effects = Effects(folder, place, act)

        def work(folder: Path = folder, effects: Effects = effects) -> int:
            try:
                first.run_broken(folder, effects)
            except Exception as error:
                return 0 if "planted" in str(error) else 98
            return 0

        assert forked(work) == (-9 if act is kill else 0), told
        first.check(folder, told)


@pytest.fixture(params=["sqlite", "postgres_url", "mariadb_url"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SqlAdapter:
    """An SQL store that nobody has used yet."""
    url = "sqlite:///web.db" if request.param == "sqlite" else request.getfixturevalue(request.param)
    return SqlAdapter(SqlStore(name="web", kind="sql", url=url), tmp_path)


def test_tables_that_were_half_made_are_completed(store, tmp_path):
    """MariaDB commits each CREATE TABLE at once, whatever the transaction says."""

    def make(effects: Effects) -> None:
        with watched(effects), store._transaction() as connection:
            migrate(connection, VERSIONS, VERSION_TABLE)

    if "///" in store.store.url:
        (store.folder / "web.db").touch()  # that its rights could not be set is no failure
    rehearsal = Effects(tmp_path)
    count = 0
    for place in range(1, 100):
        effects = Effects(tmp_path, place, fail)
        try:
            make(effects)
        except StoreError as error:
            if "planted" not in str(error):
                raise
            assert store.read().categories.rows == {}
            count += "CREATE TABLE" in effects.last
        else:
            break
    assert count >= 4
    make(rehearsal)
    assert not any("CREATE" in label for label in rehearsal.labels), "they are all there"


@pytest.mark.parametrize("table", [table.name for table, _ in TABLES.values()])
def test_a_table_of_somebody_else_is_never_taken_for_ours(store, table):
    engine = create_engine(store.store.url if "///" not in store.store.url else f"sqlite:///{store.folder / 'web.db'}")
    with engine.begin() as connection:
        connection.execute(text(f"create table {table} (theirs integer)"))
    with pytest.raises(StoreError, match=f"a table {table} that torgsync did not make"):
        store.read()
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == [table]
    engine.dispose()
