"""The base is only ever read (P9), in one snapshot."""

from __future__ import annotations

import fdb
import pytest

from schemas.errors import SourceError
from sources.firebird.connection import connect
from sources.firebird.errors import explain
from sources.firebird.extract import read_base
from tests.source.conftest import Place

WRITES = (
    "UPDATE SECTIONS SET NAME = 'x'",
    "INSERT INTO SECTIONS (SECTION_KEY) VALUES (1)",
    "DELETE FROM GOODS",
    "CREATE TABLE OURS (ID INTEGER)",
    "DROP TABLE GOODS",
    "SELECT * FROM SECTIONS FOR UPDATE WITH LOCK",
    "EXECUTE BLOCK AS BEGIN DELETE FROM GOODS; END",
)


def _run(place: Place, sql: str) -> None:
    with connect(place.settings("base.fdb"), place.folder) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        cursor.fetchall()


@pytest.mark.parametrize("sql", WRITES)
def test_no_cursor_of_our_connection_can_write(place: Place, sql: str) -> None:
    place.build()
    before = place.read()
    with pytest.raises(SourceError, match=r"read-only|only ever read"):
        _run(place, sql)
    assert place.read().goods.equals(before.goods)
    assert len(place.read().sections) == 2


def test_transactions_started_by_hand_cannot_write_either(place: Place) -> None:
    place.build()
    with connect(place.settings("base.fdb"), place.folder) as connection:
        with pytest.raises(fdb.DatabaseError, match="read-only"):
            connection.execute_immediate("DELETE FROM GOODS")
        transaction = connection.trans()
        with pytest.raises(fdb.DatabaseError, match="read-only"):
            transaction.cursor().execute("DELETE FROM GOODS")
        connection.commit()
        with pytest.raises(fdb.DatabaseError, match="read-only"):
            connection.cursor().execute("DELETE FROM GOODS")
        transaction.close()


@pytest.mark.server
def test_a_commit_between_two_tables_is_not_seen(tcp: Place) -> None:
    """The classic tear: types are read, Torgsoft adds a type and its goods, then goods are read."""
    tcp.build()
    torgsoft = tcp.writer()
    steps: list[str] = []

    def between(table: str, done: int, total: int) -> None:
        steps.append(table)
        if table == "PRODUCT_TYPES":
            cursor = torgsoft.cursor()
            cursor.execute("INSERT INTO GOODS (GOOD_ID, TYPE_ID) VALUES (99, 99)")
            cursor.execute("UPDATE SECTIONS SET NAME = 'changed'")
            torgsoft.commit()

    extract = read_base(tcp.settings("base.fdb"), tcp.folder, between)
    torgsoft.close()
    assert steps == ["PRODUCT_TYPES", "SECTIONS", "GOODS"]
    assert extract.goods["good_id"].tolist() == [1, 2, 3]
    assert "changed" not in extract.sections["name"].tolist()
    assert 99 in tcp.read().goods["good_id"].tolist()


@pytest.mark.server
def test_our_read_waits_for_nobody_and_hinders_nobody(tcp: Place) -> None:
    """An open write transaction of Torgsoft neither blocks the read nor shows in it."""
    tcp.build()
    torgsoft = tcp.writer()
    torgsoft.cursor().execute("DELETE FROM GOODS")
    assert len(tcp.read().goods) == 3
    torgsoft.commit()
    torgsoft.close()
    assert len(tcp.read().goods) == 0


def test_an_extract_with_fewer_rows_than_the_base_counts_is_refused(
    embedded: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.build()
    whole = fdb.Cursor.fetchmany
    monkeypatch.setattr(fdb.Cursor, "fetchmany", lambda self, size: whole(self, size)[:-1])
    with pytest.raises(SourceError, match="short extract: 2 rows of table PRODUCT_TYPES came, the base counts 3"):
        embedded.read()


def test_an_unknown_error_keeps_firebirds_own_words() -> None:
    error = fdb.DatabaseError("Error while x:\n- SQLCODE: -1\n- something new\n- at line 3", -1, 1)
    assert "something new; at line 3" in explain(error, "here").message
