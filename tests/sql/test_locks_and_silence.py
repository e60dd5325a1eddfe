"""A lock of somebody else, or a server that says nothing, costs one store a limited time and one sentence."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import text

import database.connect
from database.connect import Patience
from schemas.errors import SettingsError
from state.database import State
from tests.sql.shops import SqlShop

HOLD = {
    "sqlite": "begin immediate",
    "postgresql": "lock table offers in access exclusive mode",
    "mariadb": "select * from offers for update",
}


def check_one_sentence(shop: SqlShop, told: str) -> None:
    report = shop.sync("some stores failed")
    message = shop.web(report).message
    assert told in message
    assert "\n" not in message
    assert "; next: " in message
    assert shop.others_loaded(report)


def test_a_lock_of_somebody_else_is_waited_for_as_long_as_the_store_says(url, make):
    shop = make(url, "lock_timeout_seconds = 1")
    shop.sync()
    before = shop.image()
    shop.world.goods[50] = (3, "Новий")
    shop.world.goods[1] = (2, "Інший")
    with shop.connect() as connection:
        connection.execute(text(HOLD[connection.dialect.name.replace("mysql", "mariadb")]))
        check_one_sentence(shop, "somebody else holds a lock that this run needs, for more than 1 seconds")
    assert shop.image() == before
    shop.sync()
    assert shop.names()[50] == "Новий"


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "mysql+pymysql"])
def test_a_server_that_lets_nobody_in_is_given_up(scheme: str, make):
    with silent_server() as port:
        shop = make(f"{scheme}://torgsync@127.0.0.1:{port}/web", "connect_timeout_seconds = 2")
        check_one_sentence(shop, "store web: ")


class Proxy:
    """Passes everything on to a server until it is told to fall silent; its connections stay open."""

    def __init__(self, port: int) -> None:
        self.server, self.target = socket.create_server(("127.0.0.1", 0)), port
        self.port: int = self.server.getsockname()[1]
        self.silent = threading.Event()
        self.word = b"\0never\0"
        self.ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.server.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.target)) as server:
            while not self.ended.is_set():
                for ready in select.select([client, server], [], [], 0.05)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if self.word in data:
                        self.silent.set()
                    if self.silent.is_set():
                        self.ended.wait()  # the connection stays open, and nobody reads it
                        return
                    (server if ready is client else client).sendall(data)

    def close(self) -> None:
        self.ended.set()
        self.server.close()


@pytest.mark.server
@pytest.mark.parametrize("fixture", ["postgres_url", "mariadb_url"])
@pytest.mark.parametrize("word", ["torgsync_store_version", "Інший"], ids=["while it is read", "while it is written"])
def test_a_server_that_falls_silent_in_the_middle_is_given_up(fixture: str, word: str, make, request, monkeypatch):
    real = request.getfixturevalue(fixture)
    host, _, rest = real.rpartition(":")
    proxy = Proxy(int(rest.partition("/")[0]))
    try:
        shop = make(real, "timeout_seconds = 2")
        shop.sync()
        before = shop.image()
        shop.world.goods[1] = (2, "Інший")
        monkeypatch.setenv("TORGSYNC_TEST_SQL", f"{host}:{proxy.port}/{rest.partition('/')[2]}")
        proxy.word = word.encode()
        check_one_sentence(shop, "store web: ")
        assert proxy.silent.is_set()
        assert shop.image() == before
    finally:
        proxy.close()
    monkeypatch.setenv("TORGSYNC_TEST_SQL", real)
    shop.sync()
    assert shop.names()[1] == "Інший"


def test_a_state_on_a_silent_postgresql_is_given_up(monkeypatch):
    monkeypatch.setattr(database.connect, "Patience", lambda: Patience(connect=2))
    with silent_server() as port, pytest.raises(SettingsError, match="the state database cannot be opened"):
        State(f"postgresql+psycopg://torgsync@127.0.0.1:{port}/state", "test")


@pytest.mark.server
def test_a_state_whose_tables_somebody_locked_is_given_up_in_one_sentence(postgres_url, make, monkeypatch):
    State(postgres_url, "test").close()
    monkeypatch.setattr(database.connect, "Patience", lambda: Patience(lock=1))
    shop = make(postgres_url)
    with shop.connect() as connection:
        connection.execute(text("lock table torgsync_state_version in access exclusive mode"))
        with pytest.raises(SettingsError, match="somebody else holds a lock that this run needs") as caught:
            State(postgres_url, "test")
    assert "\n" not in caught.value.message
