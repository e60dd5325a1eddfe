"""Real PostgreSQL and MariaDB servers for the tests, from Debian's packages, on free loopback ports.

Nothing of the machine's own servers is touched: each has its own folder, port and password, is stopped by its fixture,
and dies with the process that started it. Without the packages the tests that want one are skipped, loudly; with
``TORGSYNC_REQUIRE_SERVERS=1`` (CI) they fail.
"""

from __future__ import annotations

import ctypes
import getpass
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

START_SECONDS = 30
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class DatabaseServer:
    """A running server: ``url(database)`` is a SQLAlchemy URL with its password, ``pid`` its process."""

    scheme: str
    port: int
    user: str
    password: str
    pid: int
    own: str

    def url(self, database: str | None = None) -> str:
        """The URL of a database; without a name that of the server's own."""
        return f"{self.scheme}://{self.user}:{self.password}@127.0.0.1:{self.port}/{database or self.own}"

    @contextmanager
    def database(self, more: str = "") -> Iterator[str]:
        """A fresh database, dropped at the end; gives its URL."""
        name = f"test_{uuid4().hex[:12]}"
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} {more}"))
            yield self.url(name)
            with engine.connect() as connection:
                force = " WITH (FORCE)" if self.scheme.startswith("postgresql") else ""
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


def _find(name: str, *folders: str) -> str | None:
    places = [*sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True), *folders]
    return shutil.which(name, path=":".join([*places, os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def _user() -> str:
    """Whom the servers run as: PostgreSQL refuses root, so root takes an unprivileged user."""
    if os.getuid() != 0:
        return getpass.getuser()
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "mysql", "nobody") if name in known)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _run(command: list[str], user: str) -> None:
    done = subprocess.run(
        command, user=user if os.getuid() == 0 else None, capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


@contextmanager
def _serve(command: list[str], user: str, log: Path, make: Callable[[int], DatabaseServer]) -> Iterator[DatabaseServer]:
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, user=user if os.getuid() == 0 else None, stdout=stream, stderr=stream, cwd="/",
            preexec_fn=_die_with_parent,
        )  # fmt: skip
    try:
        server = make(process.pid)
        _wait(server, process, log)
        yield server
    finally:
        process.send_signal(signal.SIGINT if server.scheme.startswith("postgresql") else signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait(server: DatabaseServer, process: subprocess.Popen[bytes], log: Path) -> None:
    engine = create_engine(server.url())
    end = time.monotonic() + START_SECONDS
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
    user, password, port = _user(), secrets.token_hex(12), _free_port()
    with tempfile.TemporaryDirectory(prefix="torgsync-pg-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        secret = folder / "password"
        secret.write_text(password)
        shutil.chown(folder, user)
        shutil.chown(secret, user)
        data = folder / "data"
        _run([initdb, "-D", str(data), "-U", "torgsync", "-A", "scram-sha-256", "--pwfile", str(secret), "-E", "UTF8",
              "--locale=C.UTF-8", "--no-sync"], user)  # fmt: skip
        options = {
            "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off",
            "full_page_writes": "off", "synchronous_commit": "off", "max_connections": 50, "shared_buffers": "32MB",
        }  # fmt: skip
        command = [binary, "-D", str(data), *(f"--{name}={value}" for name, value in options.items())]
        log = folder / "log"
        with _serve(command, user, log, lambda pid: DatabaseServer(
            "postgresql+psycopg", port, "torgsync", password, pid, "postgres"
        )) as server:  # fmt: skip
            yield server


@contextmanager
def mariadb() -> Iterator[DatabaseServer]:
    """A MariaDB server with InnoDB and MyISAM, strict SQL mode and utf8mb4."""
    install, binary = _find("mariadb-install-db"), _find("mariadbd")
    if install is None or binary is None:
        _unavailable("MARIADB", "mariadb-server-core mariadb-client-core")
    assert install
    assert binary
    user, password, port = _user(), secrets.token_hex(12), _free_port()
    with tempfile.TemporaryDirectory(prefix="torgsync-my-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        data = folder / "data"
        data.mkdir()
        for path in (folder, data):
            shutil.chown(path, user)
        _run([install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
              "--skip-test-db", "--skip-name-resolve"], user)  # fmt: skip
        init = folder / "init.sql"
        init.write_text(
            "DROP USER IF EXISTS ''@'localhost';\nDROP USER IF EXISTS 'root'@'localhost';\n"
            f"CREATE USER 'torgsync'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            "GRANT ALL ON *.* TO 'torgsync'@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        shutil.chown(init, user)
        options = [
            f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}",
            f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=32M", "--skip-name-resolve", "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci", f"--init-file={init}", "--skip-log-bin",
            "--sql-mode=STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION",
        ]  # fmt: skip
        log = folder / "log"
        with _serve([binary, "--no-defaults", *options], user, log, lambda pid: DatabaseServer(
            "mariadb+pymysql", port, "torgsync", password, pid, "mysql"
        )) as server:  # fmt: skip
            yield server


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
