"""A real Firebird 3 server for the tests, from Debian's packages, on a free loopback port.

Needs ``apt-get install firebird3.0-server firebird3.0-utils``: the first brings the daemon; its service on port 3050
is neither needed nor touched. Without them the tests that want it are skipped, loudly; with
``TORGSYNC_REQUIRE_SERVERS=1`` (CI) they fail.

The server gets a root folder of its own, because Firebird takes configuration, plugins and charsets from there.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import PATIENCE

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/firebird/3.0")
SETTINGS = Path("/etc/firebird/3.0")
SECURITY = Path(sys.prefix) / "share/firebird/security.sql"
if not SECURITY.exists():
    SECURITY = Path("/usr/share/firebird/3.0/security.sql")
PACKAGES = "apt-get install firebird3.0-server firebird3.0-utils"


@dataclass(frozen=True)
class FirebirdServer:
    """A running server: bases lie in ``folder``; ``reader`` is a user without any grant."""

    host: str
    port: int
    user: str
    password: str
    folder: Path
    reader: str = "READER"
    reader_password: str = "reader-pw"

    def dsn(self, name: str) -> str:
        """The dsn of a base of that file name."""
        return f"{self.host}/{self.port}:{self.folder / name}"


def _unavailable(what: str) -> None:
    message = f"NO FIREBIRD SERVER: {what}. Everything over TCP is NOT tested. Install it: {PACKAGES}"
    if os.environ.get("TORGSYNC_REQUIRE_SERVERS") == "1":
        pytest.fail(message)
    pytest.skip(message)


def _binary(name: str) -> str | None:
    return shutil.which(name, path=f"{sys.prefix}/bin:{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _make_root(root: Path, port: int) -> None:
    """A root folder as the server wants it: own settings, a real copy of the charsets (a symlink is not followed)."""
    (root / "data").mkdir()
    (root / "lock").mkdir()
    (root / "intl").mkdir()
    shutil.copy(LIBRARY / "intl" / "libfbintl.so", root / "intl")
    shutil.copy(SETTINGS / "fbintl.conf", root / "intl")
    (root / "plugins").symlink_to(LIBRARY / "plugins")
    shutil.copy(LIBRARY / "firebird.msg", root)
    shutil.copy(SETTINGS / "plugins.conf", root)
    (root / "databases.conf").write_text("")
    (root / "firebird.conf").write_text(
        f"RemoteServicePort = {port}\n"
        "RemoteBindAddress = 127.0.0.1\n"
        f"SecurityDatabase = {root}/security3.fdb\n"
        f"DatabaseAccess = Restrict {root}/data\n"
        "AuthServer = Srp\n"
        "UserManager = Srp\n"
    )


def _isql(sql: str, env: dict[str, str]) -> None:
    """Run SQL with the embedded engine: no server and no password are needed to create the first user."""
    done = subprocess.run(
        [str(_binary("isql-fb")), "-q", "-user", "SYSDBA"],
        input=sql,
        env=env,
        text=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    if done.returncode or "failed" in done.stderr:
        pytest.fail(f"isql-fb: {done.stdout}{done.stderr}")


def _die_with_us() -> None:
    """Between fork and exec: let the kernel end the server when a killed test run cannot (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _start(root: Path, port: int, env: dict[str, str]) -> subprocess.Popen[bytes]:
    log = (root / "server.log").open("wb")
    process = subprocess.Popen(
        [str(_binary("firebird"))], env=env, stdout=log, stderr=log, cwd=root, preexec_fn=_die_with_us
    )
    log.close()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise RuntimeError(f"the Firebird server did not start: {(root / 'server.log').read_text(errors='replace')}")


@pytest.fixture(scope="session")
def firebird_server() -> Iterator[FirebirdServer]:
    """A server for the whole session (each xdist worker has its own); stopped by its pid, its folder removed."""
    missing = [name for name in ("firebird", "isql-fb") if _binary(name) is None]
    if missing or not SECURITY.is_file():
        _unavailable(f"{', '.join(missing) or SECURITY} not found")
    # Not tmp_path: pytest's folders are long and of one user only, and the server may run as another.
    root = Path(tempfile.mkdtemp(prefix="torgsync-fb-"))
    port = _free_port()
    user, password = "SYSDBA", "test-only-pw"
    server = FirebirdServer("127.0.0.1", port, user, password, root / "data")
    env = {**os.environ, "FIREBIRD": str(root), "FIREBIRD_LOCK": str(root / "lock")}
    process = None
    try:
        _make_root(root, port)
        base = root / "security3.fdb"
        _isql(f"CREATE DATABASE '{base}'; COMMIT; IN '{SECURITY}';", env)
        _isql(
            f"CONNECT '{base}'; CREATE USER {user} PASSWORD '{password}' USING PLUGIN Srp;"
            f" CREATE USER {server.reader} PASSWORD '{server.reader_password}' USING PLUGIN Srp; COMMIT;",
            env,
        )
        process = _start(root, port, env)
        yield server
    finally:
        if process is not None:
            process.kill()  # asked politely it takes ten seconds, and all its bases are thrown away with it
            process.wait()
        shutil.rmtree(root, ignore_errors=True)
