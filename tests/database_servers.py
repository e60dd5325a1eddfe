"""Real PostgreSQL and MariaDB servers for the tests, from Debian's packages, on free loopback ports.

Nothing of the machine's own servers is touched: each has its own folder, port and password, is stopped by its fixture,
and dies with the process that started it (a killed one leaves its folder behind). The programs are the machine's, or
those that ``sh run test`` unpacked into the virtualenv where it may not install. Without them the tests that want a
server are skipped, loudly; with ``TORGSYNC_REQUIRE_SERVERS=1`` (CI) they fail.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from tests.patience import PATIENCE

UNPACKED = Path(sys.prefix) / "servers"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class DatabaseServer:
    """A running server: ``url(database)`` is a SQLAlchemy URL with its password, ``pid`` its process."""

    scheme: str
    port: int
    user: str
    password: str
    own: str
    pid: int = 0

    def url(self, database: str | None = None) -> str:
        """The URL of a database; without a name that of the server's own."""
        return f"{self.scheme}://{self.user}:{self.password}@127.0.0.1:{self.port}/{database or self.own}"

    @contextmanager
    def database(self, more: str = "") -> Iterator[str]:
        """A fresh database, dropped at the end; gives its URL."""
        name = f"test_{uuid4().hex[:12]}"
        force = " WITH (FORCE)" if self.scheme.startswith("postgresql") else ""
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} {more}"))
            try:
                yield self.url(name)
            finally:
                with engine.connect() as connection:
                    connection.execute(text(f"DROP DATABASE {name}{force}"))
        finally:
            engine.dispose()


def _unavailable(what: str, package: str) -> None:
    message = f"NO {what} SERVER: its tests do NOT run. Install it: apt-get install {package}"
    if os.environ.get("TORGSYNC_REQUIRE_SERVERS") == "1":
        pytest.fail(message)
    pytest.skip(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _find(name: str) -> str | None:
    """A program: of the newest PostgreSQL, on the path, where only root's path leads, or unpacked by ``run``."""
    places = [
        folder for root in (Path("/"), UNPACKED) for folder in sorted(root.glob("usr/lib/postgresql/*/bin"))[::-1]
    ]
    places += [Path("/usr/sbin"), Path("/usr/local/sbin"), UNPACKED / "usr/bin", UNPACKED / "usr/sbin"]
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, places)]))


def _process() -> dict[str, Any]:
    """How the servers' processes run. PostgreSQL refuses root, so root takes an unprivileged user and its group."""
    libraries = [*map(str, UNPACKED.glob("usr/lib/*-linux-gnu")), os.environ.get("LD_LIBRARY_PATH", "")]
    settings: dict[str, Any] = {"cwd": "/", "env": {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(libraries)}}
    if os.getuid() == 0:
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = next(known[name] for name in ("postgres", "mysql", "nobody") if name in known)
        settings |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return settings


def _hand_over(*paths: Path) -> None:
    settings = _process()
    if "user" in settings:
        for path in paths:
            os.chown(path, settings["user"], settings["group"])


def _die_with_parent() -> None:
    """Between fork and exec, after the change of user, which would undo it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        preexec_fn=_die_with_parent,
        **_process(),
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


@contextmanager
def _serve(command: list[str], stop: signal.Signals, log: Path, server: DatabaseServer) -> Iterator[DatabaseServer]:
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, preexec_fn=_die_with_parent, **_process())
    try:
        _wait(server, process, log)
        yield replace(server, pid=process.pid)
    finally:
        process.send_signal(stop)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: DatabaseServer, process: subprocess.Popen[bytes], log: Path) -> None:
    engine = create_engine(server.url())
    end = time.monotonic() + PATIENCE
    try:
        while True:
            try:
                with engine.connect() as connection:
                    connection.execute(text("select 1"))
                return
            except SQLAlchemyError as error:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"no server: {error}\n{log.read_text()[-3000:]}") from error
                time.sleep(0.1)
    finally:
        engine.dispose()


@contextmanager
def postgres() -> Iterator[DatabaseServer]:
    """A PostgreSQL server without fsync."""
    initdb, binary = _find("initdb"), _find("postgres")
    if initdb is None or binary is None:
        _unavailable("POSTGRESQL", "postgresql")
    assert initdb
    assert binary
    password = secrets.token_hex(12)
    with tempfile.TemporaryDirectory(prefix="torgsync-pg-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        data, secret = folder / "data", folder / "password"
        secret.write_text(password)
        _hand_over(folder, secret)
        _run([initdb, "-D", str(data), "-U", "torgsync", "-A", "scram-sha-256", "--pwfile", str(secret), "-E", "UTF8",
              "--locale=C.UTF-8", "--no-sync"])  # fmt: skip
        server = DatabaseServer("postgresql+psycopg", _free_port(), "torgsync", password, "postgres")
        # jit: its compiler is a hundred megabytes that run does not unpack
        options = {
            "port": server.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
            "full_page_writes": "off", "synchronous_commit": "off", "max_connections": 50, "shared_buffers": "32MB",
            "jit": "off",
        }  # fmt: skip
        command = [binary, "-D", str(data), *(f"--{name}={value}" for name, value in options.items())]
        with _serve(command, signal.SIGQUIT, folder / "log", server) as running:  # at once, as its data goes too
            yield running


@contextmanager
def mariadb(*more: str) -> Iterator[DatabaseServer]:
    """A MariaDB server with InnoDB and MyISAM, strict SQL mode and utf8mb4; the options in ``more`` override these."""
    install, binary = _find("mariadb-install-db"), _find("mariadbd")
    if install is None or binary is None:
        _unavailable("MARIADB", "mariadb-server-core mariadb-client-core")
    assert install
    assert binary
    password = secrets.token_hex(12)
    base = Path("/usr") if Path(binary).is_relative_to("/usr") else UNPACKED / "usr"
    common = ["--no-defaults", f"--basedir={base}"]  # first, both of them
    with tempfile.TemporaryDirectory(prefix="torgsync-my-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        data, init = folder / "data", folder / "init.sql"
        data.mkdir()
        init.write_text(
            "DROP USER IF EXISTS ''@'localhost';\nDROP USER IF EXISTS 'root'@'localhost';\n"
            f"CREATE USER 'torgsync'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            "GRANT ALL ON *.* TO 'torgsync'@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        _hand_over(folder, data, init)
        _run([install, *common, f"--datadir={data}", "--auth-root-authentication-method=normal",
              "--skip-test-db", "--skip-name-resolve"])  # fmt: skip
        server = DatabaseServer("mariadb+pymysql", _free_port(), "torgsync", password, "mysql")
        options = [
            f"--datadir={data}", f"--port={server.port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}",
            f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=32M", "--skip-name-resolve", "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci", f"--init-file={init}", "--skip-log-bin",
            "--sql-mode=STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION",
            *more,
        ]  # fmt: skip
        with _serve([binary, *common, *options], signal.SIGTERM, folder / "log", server) as running:
            yield running


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[DatabaseServer]:
    """A PostgreSQL server for the session."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[DatabaseServer]:
    """A MariaDB server for the session."""
    with mariadb() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: DatabaseServer) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database, with its password."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def mariadb_url(mariadb_server: DatabaseServer) -> Iterator[str]:
    """The URL of a fresh MariaDB database, with its password."""
    with mariadb_server.database("CHARACTER SET utf8mb4") as url:
        yield url
