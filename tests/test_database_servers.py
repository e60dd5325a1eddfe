"""The servers that the tests start are real, on loopback only, keep Ukrainian text, and are gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.database_servers import mariadb, postgres
from tests.patience import PATIENCE

UKRAINIAN = "Їжак, ґанок, єдність, об’єм № 1 ☂ 😀"


class Failure(Exception):
    pass


@pytest.mark.parametrize("start", [postgres, mariadb])
def test_a_server_listens_on_loopback_only_and_is_gone_even_after_a_failure(start):
    with suppress(Failure), start() as server:
        process = psutil.Process(server.pid)
        listening = {(c.laddr.ip, c.laddr.port) for c in process.net_connections("inet") if c.status == "LISTEN"}
        assert listening == {("127.0.0.1", server.port)}
        if os.getuid() == 0:
            assert 0 not in (*process.uids(), *process.gids())
        raise Failure
    assert not psutil.pid_exists(server.pid)


@pytest.mark.parametrize("name", ["postgres", "mariadb"])
def test_a_server_dies_with_the_process_that_started_it(name, request):
    request.getfixturevalue(f"{name}_server")  # where there is none, this skips or fails
    code = f"from tests.database_servers import {name} as s\nwith s() as r: print(r.pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        server = psutil.Process(int(starter.stdout.readline()))
        family = [server, *server.children(recursive=True)]
        folder = Path(server.cwd()).parent
        starter.kill()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert folder.name.startswith("torgsync-")
    shutil.rmtree(folder)  # the only thing that a killed process leaves
    assert not alive


@pytest.mark.parametrize("name", ["postgres", "mariadb"])
def test_a_fresh_database_keeps_ukrainian_text(name, request):
    engine = create_engine(request.getfixturevalue(f"{name}_url"))
    with engine.begin() as connection:
        connection.execute(text("create table t (name varchar(100))"))
        connection.execute(text("insert into t values (:name)"), {"name": UKRAINIAN})
        assert connection.execute(text("select name from t")).scalar() == UKRAINIAN
    engine.dispose()


@pytest.mark.parametrize("name", ["postgres", "mariadb"])
def test_a_database_is_dropped_even_after_a_failure_with_a_connection_open(name, request):
    server = request.getfixturevalue(f"{name}_server")
    with suppress(Failure), server.database() as url:
        engine = create_engine(url)
        connection = engine.connect()
        connection.execute(text("create table t (i int)"))
        connection.commit()
        raise Failure
    connection.close()
    engine.dispose()
    with pytest.raises(DBAPIError, match=r"does not exist|Unknown database"):
        create_engine(url).connect()


@pytest.mark.parametrize("kind", ["InnoDB", "MyISAM"])
def test_mariadb_has_both_engines_and_is_strict(kind, mariadb_url):
    engine = create_engine(mariadb_url)
    with engine.connect() as connection:
        connection.execute(text(f"create table t (name varchar(2) not null) engine={kind}"))
        made = connection.execute(text("select engine from information_schema.tables where table_name = 't'")).scalar()
        assert made == kind
        with pytest.raises(DBAPIError, match="Data too long"):
            connection.execute(text("insert into t values ('abc')"))
    engine.dispose()
