"""A real Prefect server for the tests: a process of its own on a free loopback port, with its own home and database.

It has the scheduler, the late-run marker and the triggers of automations, which Prefect's own test harness has not. It
takes ten seconds and more to start, so there is one for the whole session: tests share it and look only at what is
theirs.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.patience import PATIENCE


@dataclass(frozen=True)
class PrefectServer:
    """A running server. ``environment`` is what a client's process needs to talk to it and to nothing else."""

    url: str
    home: Path
    log: Path
    environment: dict[str, str]


@contextmanager
def on_disk(name: str) -> Iterator[Path]:
    """A folder for a Prefect server, not in memory as the other tests' are.

    There its SQLite was locked for a minute in two of three runs of all tests; on a disk that was not seen.
    """
    with TemporaryDirectory(prefix=f"torgsync-{name}-", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="package")
def prefect_server() -> Iterator[PrefectServer]:
    """The Prefect server of all tests in tests/production: one that idles takes a tenth of a core."""
    with on_disk("prefect") as home:
        yield from _serve(home)


def _serve(home: Path) -> Iterator[PrefectServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    foreign = ("PREFECT_", "TORGSYNC_ALERT")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home / 'prefect.db'}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",  # its pages call an analytics host even with analytics off
        "DO_NOT_TRACK": "1",
    }
    log = home / "server.log"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env=environment, cwd=home, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _await(process, url, log)
        yield PrefectServer(url, home, log, environment)
    finally:
        _stop(process)


@pytest.fixture
def prefect_server_url(prefect_server: PrefectServer) -> Iterator[str]:
    """The API URL of the session's Prefect server; in the test, Prefect's own client talks to it as well."""
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    with temporary_settings({PREFECT_API_URL: prefect_server.url, PREFECT_HOME: prefect_server.home}):
        yield prefect_server.url
        _send_what_is_left()


def _send_what_is_left() -> None:
    """Logs and events of this process: at its end it would try for a minute to reach a server that is gone."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    with suppress(RuntimeError):  # it was never started
        APILogWorker.instance().drain()
    EventsWorker.drain_all()


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health", timeout=60, trust_env=False).status_code == 200:
                return
        time.sleep(0.25)
    pytest.fail(f"the Prefect server did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, then end the whole process group, which is its own: no child outlives the tests."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
