"""MariaDB as it is found: databases of utf8mb3 and latin1, no strict mode, MyISAM. Texts come whole, and a failed night
changes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine

from stores.sql import VERSION_TABLE
from tests.database_servers import DatabaseServer
from tests.nights.world import Broken
from tests.sql.shops import SqlShop
from tests.stores.bench import sql_fault

LONG = "Опис № 🙂 " * 9_000  # 81,000 characters, 144,000 bytes
LAYOUT = (
    "select table_name, engine, row_format, table_collation from information_schema.tables"
    " where table_schema = database() and table_name <> 'torgsync_store_version' order by 1"
)
NARROW = (
    "select table_name, column_name, character_set_name, data_type from information_schema.columns"
    " where table_schema = database() and table_name in ('categories', 'offers', 'redirects')"
    " and (character_set_name <> 'utf8mb4' or data_type in ('text', 'tinytext'))"
)
OURS = [(name, "InnoDB", "Dynamic", "utf8mb4_unicode_ci") for name in ("categories", "offers", "redirects")]


def check_whole(shop: SqlShop) -> None:
    """Every text is in the tables as the base has it."""
    world = shop.world
    assert shop.names() == {good: name for good, (_, name) in world.goods.items()}
    texts = dict(shop.rows("select good_id, description from offers where description is not null"))
    assert texts == (world.texts or {})
    assert shop.rows(LAYOUT) == OURS
    assert shop.rows(NARROW) == []


@pytest.mark.server
@pytest.mark.parametrize("charset", ["utf8mb4", "utf8mb3", "latin1"])
def test_an_emoji_and_a_long_description_come_whole_into_a_database_of_any_charset(
    charset: str, mariadb_server: DatabaseServer, make
):
    with mariadb_server.database(f"CHARACTER SET {charset}") as url:
        shop = make(url)
        shop.world.goods[1] = (2, "Чашка 🙂 «Їжак»")
        shop.world.texts = {1: LONG.strip()}
        shop.sync()
        check_whole(shop)
        assert shop.sync().plan["web"] == {}


@pytest.mark.server
def test_a_server_that_is_not_strict_with_latin1_and_myisam_as_defaults_holds_every_text_whole(careless_url, make):
    shop = make(careless_url)
    shop.world.goods[1] = (2, r'Чашка 🙂 "Їжак" \ || 0.5 л')
    shop.world.texts = {1: LONG.strip()}
    shop.sync()
    check_whole(shop)
    assert shop.sync().plan["web"] == {}, "what was stored is what was sent"


@pytest.mark.server
def test_a_night_that_fails_on_a_server_whose_default_is_myisam_changes_nothing(careless_url, make):
    shop = make(careless_url)
    shop.sync()
    before = shop.image()
    shop.world.sections[2] = (4, "Посуд і кухня", 2)
    for good in (1, 2, 3):
        shop.world.goods[good] = (shop.world.goods[good][0], f"Інший {good}")
    shop.world.goods[50] = (3, "Новий")
    for place in (2, 3):
        with pytest.raises(Broken), sql_fault(place):
            shop.world.sync()
        assert shop.image() == before
    shop.sync()
    assert shop.names()[50] == "Новий"


@pytest.mark.server
def test_tables_of_an_older_torgsync_are_changed_and_what_was_lost_in_them_comes_back(careless_url, make):
    """``????`` in latin1, MyISAM: as a server without strict mode had made and filled them."""
    shop = make(careless_url)
    shop.sync()
    older = [
        "SET sql_mode = ''",
        *(f"ALTER TABLE {t} DROP COLUMN shop" for t in ("categories", "offers", "redirects")),
        *(f"ALTER TABLE {t} ENGINE=MyISAM, CONVERT TO CHARACTER SET latin1" for t in ("categories", "offers")),
        "ALTER TABLE redirects ENGINE=MyISAM",
        "ALTER TABLE offers MODIFY name TEXT CHARACTER SET latin1 NOT NULL, MODIFY description TEXT",
        f"UPDATE {VERSION_TABLE} SET version_num = '0001'",
    ]
    shop.execute(*older)
    assert shop.names()[1] == "????? 1"
    shop.world.texts = {2: LONG.strip()}
    shop.sync()
    check_whole(shop)
    assert shop.sync().plan["web"] == {}


@pytest.mark.server
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE offers ENGINE=MyISAM", "the table offers is MyISAM, which has no transactions"),
        (
            "ALTER TABLE offers MODIFY color TEXT CHARACTER SET latin1",
            "the column color of the table offers is in latin1",
        ),
    ],
)
def test_a_table_that_somebody_changed_afterwards_is_refused_in_one_sentence_before_the_load(
    change: str, told: str, mariadb_url, make
):
    shop = make(mariadb_url)
    shop.sync()
    shop.execute(change)
    shop.world.goods[50] = (3, "Новий")
    plan = shop.world.plan()
    assert told in next(store.error for store in plan.stores if store.store == "web")
    report = shop.sync("some stores failed")
    assert told in shop.web(report).message
    assert 50 not in shop.names()
    assert shop.others_loaded(report)


@pytest.mark.server
def test_sqlalchemy_sees_the_mode_that_our_statements_run_in(careless_url, make):
    """It quotes names by the mode of its first look: in ANSI_QUOTES its own quotes would be texts of ours."""
    statements: list[str] = []
    shop = make(careless_url)

    def note(connection, cursor, statement, *_):
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        shop.sync()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    sent = [s for s in statements if "categories" in s and s.startswith(("INSERT", "CREATE"))]
    assert sent
    assert not any('"' in s for s in sent)


@pytest.mark.server
def test_a_charset_in_the_url_does_not_decide_what_is_kept(mariadb_url, make):
    shop = make(f"{mariadb_url}?charset=latin1")
    shop.sync()
    engine = create_engine(mariadb_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select name from offers where good_id = 1").scalar() == "Товар 1"
    engine.dispose()
