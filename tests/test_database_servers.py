"""The servers that the tests start are real, on loopback only, keep Ukrainian text, and are gone afterwards."""

from __future__ import annotations

import os

import psutil
import pytest
from sqlalchemy import create_engine, text

from tests.database_servers import mariadb, postgres


@pytest.mark.parametrize("start", [postgres, mariadb])
def test_a_server_listens_on_loopback_only_and_is_gone_after_its_end(start):
    with start() as server:
        listening = [c.laddr for c in psutil.Process(server.pid).net_connections("inet") if c.status == "LISTEN"]
        assert {(address.ip, address.port) for address in listening} == {("127.0.0.1", server.port)}
        assert psutil.Process(server.pid).uids().real != 0 or os.getuid() != 0
    assert not psutil.pid_exists(server.pid)


@pytest.mark.parametrize("database", ["postgres_url", "mariadb_url"])
def test_a_fresh_database_keeps_ukrainian_text(database, request):
    engine = create_engine(request.getfixturevalue(database))
    with engine.begin() as connection:
        connection.execute(text("create table t (name varchar(100))"))
        connection.execute(text("insert into t values (:name)"), {"name": "Їжак, ґанок, ’ № ☂ 😀"})
        assert connection.execute(text("select name from t")).scalar() == "Їжак, ґанок, ’ № ☂ 😀"
    engine.dispose()
