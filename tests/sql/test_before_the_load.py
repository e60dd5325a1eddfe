"""What is wrong with a store is one sentence of ``plan`` and ``doctor``, before the load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text

from engine.setup.doctor import Finding, examine
from tests.database_servers import DatabaseServer
from tests.sql.shops import SqlShop

pytestmark = pytest.mark.server


def doctor(shop: SqlShop) -> Finding:
    return next(found for found in examine(shop.world.folder) if found.check == "store web")


def check_told_before_the_load(shop: SqlShop, told: str) -> None:
    """By the plan, by doctor and by the night, in one line; the other store is loaded."""
    plan = shop.world.plan()
    error = next(store.error for store in plan.stores if store.store == "web")
    assert told in error
    assert "; next: " in error
    assert "\n" not in error
    found = doctor(shop)
    assert (found.status, told in found.told) == ("failed", True), found
    assert found.next_step
    report = shop.sync("some stores failed")
    assert told in shop.web(report).message
    assert shop.others_loaded(report)


def test_a_database_that_cannot_hold_our_letters(postgres_server: DatabaseServer, make):
    with postgres_server.database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0") as url:
        check_told_before_the_load(make(url), "its database is in LATIN1, which cannot hold Ukrainian letters")


@pytest.mark.parametrize("path", ["nobody", "nobody,public"])
def test_a_search_path_that_does_not_exist(path: str, postgres_url: str, make):
    shop = make(f"{postgres_url}?options=-csearch_path%3D{path}")
    check_told_before_the_load(shop, "names a schema that does not exist")
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from pg_tables where schemaname = 'public'")).scalar() == 0
    engine.dispose()


@contextmanager
def user(server: DatabaseServer, url: str, *rights: str) -> Iterator[str]:
    """The URL of a user of this database with these rights."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    mariadb = server.scheme.startswith("mariadb")
    name = "'reader'@'127.0.0.1'" if mariadb else "reader"
    try:
        with engine.connect() as connection:
            word = "identified by" if mariadb else "password"
            connection.execute(text(f"create user {name} {word} 'for-tests-only'"))
            for right in rights:
                connection.execute(text(right.format(user=name)))
        yield url.replace(f"{server.user}:{server.password}", "reader:for-tests-only")
    finally:
        with engine.connect() as connection:
            if not mariadb:
                connection.exec_driver_sql(f"drop owned by {name}")
            connection.exec_driver_sql(f"drop user {name}")
        engine.dispose()


def test_a_missing_right_to_create_in_postgresql(postgres_server: DatabaseServer, postgres_url: str, make):
    with user(postgres_server, postgres_url, "revoke create on schema public from public") as url:
        check_told_before_the_load(make(url), "the user reader has no right to CREATE tables in the schema public")


def test_a_missing_right_to_create_in_mariadb(mariadb_server: DatabaseServer, mariadb_url: str, make):
    database = mariadb_url.rpartition("/")[2]
    escaped = database.replace("_", r"\_")
    with user(
        mariadb_server,
        mariadb_url,
        f"grant select, insert, update, delete on `{escaped}`.* to {{user}}",
        "grant create on `other%`.* to {user}",
    ) as url:
        check_told_before_the_load(
            make(url), f"the user reader has no right to CREATE tables in the database {database}"
        )


@pytest.mark.parametrize("on", ["`{escaped}`", "`test%`", "*"])
def test_the_documented_rights_suffice_on_mariadb(on: str, mariadb_server: DatabaseServer, mariadb_url: str, make):
    database = mariadb_url.rpartition("/")[2]
    on = on.format(escaped=database.replace("_", r"\_"))
    rights = f"grant select, insert, update, delete, create, alter on {on}.* to {{user}}"
    with user(mariadb_server, mariadb_url, rights) as url:
        shop = make(url)
        assert doctor(shop).status == "ok"
        shop.sync()
        shop.world.goods[50] = (3, "Новий")
        shop.sync()
        assert shop.names()[50] == "Новий"


def test_a_row_that_somebody_took_over_costs_that_row_and_is_told_every_night(url, make):
    shop = make(url)
    shop.sync()
    shop.execute("update offers set managed = false, name = 'наш власний' where good_id = 5")
    shop.world.goods[6] = (shop.world.goods[6][0], "Товар 6, новий")
    told = "offer 5 «Товар 5»: a row of this key is in the store that is not torgsync's (managed is false)"
    plan = shop.world.plan()
    (store,) = [store for store in plan.stores if store.store == "web"]
    assert (store.error, [op.key for op in store.operations]) == ("", [6])
    found = doctor(shop)
    assert (found.status, "offer 5 «Товар 5»" in found.told) == ("warning", True), found
    for night in range(3):
        report = shop.sync()
        assert [text for text in report.warnings if told in text] == [
            f"store web does not hold {shop.web(report).refused[0]}"
        ]
        assert any("store web does not hold 1 row: offer 5" in text for text in report.degraded)
        assert report.plan["web"] == ({"offer update": 1} if night == 0 else {})
        assert (shop.names()[5], shop.names()[6]) == ("наш власний", "Товар 6, новий")
    shop.execute("update offers set managed = true where good_id = 5")
    shop.sync()
    assert shop.names()[5] == "Товар 5"
