"""A base that falls silent, or is away for a moment: the read ends in time, or is tried again in a new snapshot."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import fdb
import pytest

import sources.firebird.extract
from schemas.errors import Interrupted, SourceError, SourceUnreachable
from schemas.settings.shop import SourceSettings
from sources.firebird.connection import parse_dsn
from sources.firebird.extract import count_base, read_base
from sources.firebird.inspect import inspect_base
from tests.firebird_server import FirebirdServer
from tests.silent_proxy import SilentProxy
from tests.source.conftest import PASSWORD_ENV, Place
from tests.source.frames import goods

WHERE = {0: "connecting", 300: "connecting", 2_000: "reading", 60_000: "reading"}
"""Bytes of answers after which the base is silent, and what goes on then: the handshake, the statements, the rows."""


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries."""
    monkeypatch.setattr(sources.firebird.extract, "PAUSE", 0.01)


def through(proxy_port: int, server: FirebirdServer, **more: object) -> SourceSettings:
    dsn = f"127.0.0.1/{proxy_port}:{server.folder / 'base.fdb'}"
    return SourceSettings.model_validate({"dsn": dsn, "password_env": PASSWORD_ENV, "tries": 1, **more})


def reading_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "torgsync reads"]


@pytest.mark.server
@pytest.mark.parametrize("after", WHERE)
def test_a_base_that_falls_silent_ends_the_read_with_a_sentence_and_leaves_no_thread(
    tcp: Place, firebird_server: FirebirdServer, after: int
) -> None:
    tcp.build(goods=goods(3_000))
    with SilentProxy(firebird_server.host, firebird_server.port, after) as proxy:
        settings = through(proxy.port, firebird_server, timeout_seconds=2)
        with pytest.raises(SourceUnreachable, match="was silent for 2 seconds") as caught:
            read_base(settings, tcp.folder)
        assert proxy.silent.is_set()
        assert reading_threads() == []
    assert "source.timeout_seconds" in caught.value.next_step
    assert caught.value.exit_code == 1


@pytest.mark.server
@pytest.mark.parametrize("look", [count_base, inspect_base])
def test_who_looks_into_a_silent_base_does_not_wait_for_ever(tcp: Place, firebird_server: FirebirdServer, look) -> None:
    tcp.build()
    with SilentProxy(firebird_server.host, firebird_server.port, 2_000) as proxy:
        with pytest.raises(SourceUnreachable, match="was silent for 2 seconds"):
            look(through(proxy.port, firebird_server, timeout_seconds=2), tcp.folder)
        assert reading_threads() == []


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port that takes no connection more and refuses none: the system keeps trying to connect."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            line = socket.socket()
            line.setblocking(False)
            line.connect_ex(listener.getsockname())
            waiting.append(line)
        yield listener.getsockname()[1]
        for line in waiting:
            line.close()


def test_a_host_that_does_not_answer_at_all_ends_the_read(tmp_path: Path, full_port: int) -> None:
    settings = SourceSettings(dsn=f"127.0.0.1/{full_port}:/x.fdb", timeout_seconds=1, tries=1)
    with pytest.raises(SourceUnreachable, match="was silent for 1 seconds while connecting"):
        read_base(settings, tmp_path)
    assert reading_threads() == []


@pytest.mark.server
def test_rows_that_come_slowly_are_no_silence(tcp: Place, firebird_server: FirebirdServer, monkeypatch) -> None:
    tcp.build(goods=goods(600))
    clock = [0.0]
    whole = fdb.Cursor.fetchmany

    def slow(cursor: fdb.Cursor, size: int) -> object:
        clock[0] += 200  # a hundred rows take 200 s
        return whole(cursor, size)

    monkeypatch.setattr(fdb.Cursor, "fetchmany", slow)
    monkeypatch.setattr("sources.firebird.worker.time.monotonic", lambda: clock[0])
    assert len(tcp.read().goods) == 600


def test_a_signal_while_the_caller_hears_of_progress_ends_the_thread_too(embedded: Place) -> None:
    embedded.build()

    def told(table: str, done: int, total: int) -> None:
        raise Interrupted(143)

    with pytest.raises(Interrupted):
        embedded.read(progress=told)
    assert reading_threads() == []
    assert len(embedded.read().goods) == 3  # the file is free


def test_progress_is_heard_in_the_callers_thread(embedded: Place) -> None:
    embedded.build()
    threads: list[threading.Thread] = []
    embedded.read(progress=lambda *_: threads.append(threading.current_thread()))
    assert set(threads) == {threading.current_thread()}


@pytest.mark.server
def test_after_a_cut_the_base_is_read_again_whole_and_the_report_says_so(
    tcp: Place, firebird_server: FirebirdServer
) -> None:
    tcp.build(goods=goods(3_000))
    with SilentProxy(firebird_server.host, firebird_server.port, 60_000, well_after=2) as proxy:
        extract = read_base(through(proxy.port, firebird_server, timeout_seconds=2, tries=3), tcp.folder)
        assert proxy.connections == 3
    assert extract.goods["good_id"].tolist() == list(range(1, 3_001))
    assert [note.split(":")[0] for note in extract.notes] == [
        "the base was read again, as try 1 failed",
        "the base was read again, as try 2 failed",
    ]
    assert "silent" in extract.notes[0]


def lose(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> list[int]:
    """Raise the error at the first row of the table of goods, so many times; the list counts them."""
    whole, raised = fdb.Cursor.execute, [0]

    def execute(cursor: fdb.Cursor, sql: str, *more: object) -> object:
        if 'FROM "GOODS"' in sql and "COUNT(*)" not in sql and raised[0] < times:
            raised[0] += 1
            raise error
        return whole(cursor, sql, *more)

    monkeypatch.setattr(fdb.Cursor, "execute", execute)
    return raised


LOST = fdb.DatabaseError("Zeile tot", -902, 335544741)


def test_a_second_try_is_a_new_snapshot(embedded: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Torgsoft wrote between the tries is seen in all tables: nothing of the first try is used."""
    embedded.build()
    lose(monkeypatch, LOST, 1)

    def write(_: float) -> None:
        embedded.run("base.fdb", "UPDATE PRODUCT_TYPES SET NAME = 'changed'", "DELETE FROM GOODS WHERE GOOD_ID = 1")

    monkeypatch.setattr("sources.firebird.extract.time.sleep", write)
    extract = embedded.read()
    assert set(extract.product_types["name"]) == {"changed"}
    assert 1 not in extract.goods["good_id"].tolist()


def test_pauses_grow_and_the_last_error_says_how_often_it_was_tried(embedded: Place, monkeypatch) -> None:
    embedded.build()
    pauses: list[float] = []
    raised = lose(monkeypatch, LOST, 99)
    monkeypatch.setattr(sources.firebird.extract, "PAUSE", 10.0)
    monkeypatch.setattr("sources.firebird.extract.time.sleep", pauses.append)
    with pytest.raises(SourceError, match=r"the connection was cut.*\(tried 4 times\)"):
        embedded.read(tries=4)
    assert (raised, pauses) == ([4], [10.0, 30.0, 90.0])


def test_a_pause_is_ended_by_a_signal(embedded: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded.build()
    raised = lose(monkeypatch, LOST, 99)

    def interrupted(_: float) -> None:
        raise Interrupted(143)  # what the handler of the signal raises while time.sleep waits

    monkeypatch.setattr("sources.firebird.extract.time.sleep", interrupted)
    with pytest.raises(Interrupted):
        embedded.read()
    assert raised == [1]


@pytest.mark.parametrize("code", [335544472, 335544352, 335544335, 335544569, 335544528, 335544421])
def test_what_no_second_try_can_mend_is_not_tried_again(embedded: Place, monkeypatch, code: int) -> None:
    """Wrong login, missing right, damaged page, a statement's error, maintenance, no Firebird."""
    embedded.build()
    raised = lose(monkeypatch, fdb.DatabaseError("no", -1, code), 99)
    with pytest.raises(SourceError) as caught:
        embedded.read()
    assert raised == [1]
    assert "tried" not in caught.value.message


@pytest.mark.parametrize(
    ("dsn", "port"),
    [
        ("base.fdb", None),
        ("shop:/base.fdb", 3050),
        ("shop/gds_db:alias", 3050),
        ("[::1]/3051:/base.fdb", 3051),
        ("inet://shop:3052/base.fdb", 3052),
        ("inet4://shop/base.fdb", 3050),
        ("inet6://[::1]:3053//base.fdb", 3053),
        ("shop/http:alias", 80),
        ("shop/no-such-service:alias", None),
    ],
)
def test_the_port_of_a_dsn_is_known(tmp_path: Path, dsn: str, port: int | None) -> None:
    assert parse_dsn(dsn, tmp_path).port == port
