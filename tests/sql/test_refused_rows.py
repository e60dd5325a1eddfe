"""A row that a server refuses costs that row: it is told with its reason, every other row is loaded."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from schemas.errors import StoreError
from stores.bulk import write_or_refuse
from tests.sql.shops import SqlShop

SQLITE = (
    "create trigger no_{verb} before {verb} on {table} when new.name like '%заборонено%'"
    " begin select raise(abort, 'the shop does not take this name'); end"
)


def forbid(shop: SqlShop, table: str = "offers") -> None:
    """From now on the server refuses names that hold «заборонено»."""
    if shop.url.startswith("sqlite"):
        shop.execute(*(SQLITE.format(verb=verb, table=table) for verb in ("insert", "update")))
    else:
        shop.execute(f"alter table {table} add constraint no_names check (name not like '%заборонено%')")


def permit(shop: SqlShop) -> None:
    if shop.url.startswith("sqlite"):
        shop.execute("drop trigger no_insert", "drop trigger no_update")
    else:
        shop.execute("alter table offers drop constraint no_names")


def refused(shop: SqlShop, report: Any) -> list[tuple[str, Any, str]]:
    return [(row.entity, row.key, row.name) for row in shop.web(report).refused]


def test_a_refused_row_costs_that_row_and_is_told_with_its_reason_every_night(url, make):
    shop = make(url)
    shop.sync()
    forbid(shop)
    shop.world.goods[3] = (shop.world.goods[3][0], "Товар 3 заборонено")
    shop.world.goods[4] = (shop.world.goods[4][0], "Товар 4, новий")
    shop.world.goods[50] = (3, "заборонено")
    shop.world.goods[51] = (3, "Товар 51")
    report = shop.sync()
    rows = [("offer", 3, "Товар 3 заборонено"), ("offer", 50, "заборонено")]
    assert sorted(refused(shop, report)) == rows
    names = shop.names()
    assert (names[3], names[4], names[51]) == ("Товар 3", "Товар 4, новий", "Товар 51")
    assert 50 not in names
    assert shop.web(report).operations == {"offer create": 1, "offer update": 1}
    reason = shop.web(report).refused[0].reason
    assert "no_names" in reason or "does not take this name" in reason
    assert "\n" not in reason
    assert any(f"offer 50 «заборонено»: {reason[:10]}" in text for text in report.warnings)
    (told,) = [text for text in report.degraded if "does not hold 2 rows" in text]
    assert "store web" in told
    assert report.exit_code == 0
    image = shop.image()
    for _ in range(2):
        again = shop.sync()
        assert again.plan["web"] == {"offer create": 1, "offer update": 1}
        assert sorted(refused(shop, again)) == rows
        assert shop.web(again).written == 0
        assert told in again.degraded
        assert shop.image() == image, "nothing but the refused rows is tried"
    permit(shop)
    assert refused(shop, shop.sync()) == []
    assert shop.names()[50] == "заборонено"
    healthy = shop.sync()
    assert healthy.plan["web"] == {}
    assert not healthy.degraded


def test_a_refused_category_costs_that_category(url, make):
    shop = make(url)
    shop.sync()
    forbid(shop, "categories")
    shop.world.sections[4] = (1, "заборонено", 4)
    shop.world.sections[2] = (1, "Посуд і кухня", 2)
    report = shop.sync()
    assert refused(shop, report) == [("category", 4, "заборонено")]
    found = dict(shop.rows("select number, name from categories"))
    assert (found[2], found[4]) == ("Посуд і кухня", "Текстиль")


def test_a_store_that_refuses_more_than_a_quarter_of_its_rows_is_broken_and_stays_as_it_is(url, make):
    shop = make(url)
    shop.sync()
    before = shop.image()
    forbid(shop)
    for good in range(1, 13):
        shop.world.goods[good] = (shop.world.goods[good][0], f"Товар {good} заборонено")
    report = shop.sync("some stores failed")
    assert "refuses more than 3 of 12 rows" in shop.web(report).message
    assert shop.image() == before
    assert shop.others_loaded(report)


def test_a_text_that_postgresql_cannot_store_in_win1251_costs_that_row(postgres_server, make):
    with postgres_server.database("ENCODING 'WIN1251' LOCALE 'C' TEMPLATE template0") as url:
        shop = make(url)
        shop.world.goods[1] = (2, "Чашка 🙂")
        report = shop.sync()
        assert refused(shop, report) == [("offer", 1, "Чашка 🙂")]
        assert shop.names() == {good: name for good, (_, name) in shop.world.goods.items() if good != 1}


@pytest.fixture
def numbers(url: str, tmp_path) -> Any:
    engine = create_engine("sqlite://" if url.startswith("sqlite") else url)
    with engine.begin() as connection:
        connection.execute(text("create table numbers (n integer primary key, check (n % 1500 <> 7))"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def insert(connection: Connection, rows: Any) -> None:
    connection.execute(text("insert into numbers values (:n)"), [{"n": n} for n in rows])


def test_few_statements_find_the_refused_rows_among_many(numbers):
    numbers.exec_driver_sql("delete from numbers where n < 0")  # SQLite begins its transaction at a first write
    asked: list[int] = []
    bad: list[int] = []
    told: list[int] = []

    def write(rows: Any) -> None:
        asked.append(len(rows))
        insert(numbers, rows)

    write_or_refuse(numbers, range(5_000), write, lambda row, error: bad.append(row), told.append)
    assert bad == [7, 1507, 3007, 4507]
    assert sum(told) == 5_000
    assert len(asked) < 100
    assert numbers.execute(text("select count(*) from numbers")).scalar() == 4_996
    numbers.rollback()
    assert numbers.execute(text("select count(*) from numbers")).scalar() == 0, "all of it is one transaction"


def test_what_is_of_the_store_and_not_of_a_row_is_raised_and_no_row_is_blamed(numbers):
    numbers.exec_driver_sql("delete from numbers where n < 0")

    def write(rows: Any) -> None:
        numbers.execute(text("insert into no_such_table values (:n)"), [{"n": n} for n in rows])

    def refuse(row: int, error: Exception) -> None:
        raise AssertionError(row)

    with pytest.raises(Exception, match="no_such_table"):
        write_or_refuse(numbers, [1, 2, 3], write, refuse)


def test_a_refusal_is_undone_with_the_night_where_the_store_fails_after_it(url, make, monkeypatch):
    """The savepoints are inside the transaction, on every database."""
    import stores.sql

    shop = make(url)
    shop.sync()
    forbid(shop)
    before = shop.image()
    shop.world.sections[2] = (1, "Посуд і кухня", 2)
    shop.world.goods[4] = (shop.world.goods[4][0], "Товар 4, новий")
    shop.world.goods[50] = (3, "заборонено")

    def stop(*_: Any) -> None:
        raise StoreError("the end of the transaction is not reached")

    monkeypatch.setattr(stores.sql.Refused, "rows", stop)
    real = stores.sql._write

    def write(*args: Any) -> None:
        real(*args)
        stop()

    monkeypatch.setattr(stores.sql, "_write", write)
    shop.sync("some stores failed")
    assert shop.image() == before
