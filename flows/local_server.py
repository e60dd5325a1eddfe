"""A Prefect server and a worker on this machine, as child processes that end with us; nothing leaves the machine."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from schemas.errors import SettingsError

POOL = "torgsync"
_START = 120.0
"""Seconds that the server may take to answer."""
_FINISH, _END = 30.0, 60.0
"""Seconds in which runs may finish by themselves, then, told to end, in good order; after that they are killed."""
_KEEP = 5_000_000
"""Bytes of a log above which it is begun anew; the one before is kept."""
_DAY = 86_400
_KEEP_EVENTS = 7
"""Days after which Prefect deletes events, as it does by default: a run has dozens, and nobody looks at old ones."""


def environment(host: str, port: int, home: Path, reports_url: str, keep_days: int) -> dict[str, str]:
    """Settings of Prefect for a server of our own: quiet, and without a word to anybody outside.

    Prefect's own service deletes each hour, in small batches, runs that ended more than ``keep_days`` ago with their
    logs and artifacts, and events that are older, or older than a week. It does so for no runs unless it is told to.
    The newer UI's pages call an analytics host even with analytics off (docs/adr/0014); the older one does not.
    """
    return {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://{host}:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(keep_days * _DAY),
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{min(keep_days, _KEEP_EVENTS)}D",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_PROMPT": "false",
        "TORGSYNC_REPORTS_URL": reports_url,
    }


@dataclass
class Child:
    """A process of ours with its log. It is a session of its own: Ctrl-C reaches us alone, and we end it in order.

    ``before`` is called ahead of each start.
    """

    name: str
    words: list[str]
    environment: dict[str, str]
    log: Path
    before: Callable[[], object] = lambda: None
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it; its output goes to the log. What ``before`` raises passes through."""
        self.before()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.limit_log()
        with self.log.open("ab") as stream:
            self.process = _popen([sys.executable, "-m", *self.words], self.environment, stream)
        self.starts.append(time.monotonic())

    def limit_log(self) -> None:
        """Begin the log anew when it is too long. It is copied and emptied in place: the process goes on to append."""
        if self.log.is_file() and self.log.stat().st_size > _KEEP:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)

    @property
    def ended(self) -> bool:
        """Whether it has ended, or was never started."""
        return self.process is None or self.process.poll() is not None

    def stop(self) -> None:
        """End it and all that it started. A worker lets its runs finish; later they are told to end, then killed."""
        if self.process is None:
            return
        if not self.ended:
            self.process.terminate()
        if not self._group_ends(_FINISH):
            os.killpg(self.process.pid, signal.SIGTERM)
            if not self._group_ends(_END):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _group_ends(self, seconds: float) -> bool:
        assert self.process is not None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.process.poll()
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.1)
        return False


def _popen(words: list[str], environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        preexec_fn=_before,
    )  # fmt: skip


def _before() -> None:
    """In the child, ahead of its program.

    A shell starts what it puts in the background with SIGINT ignored, and Prefect's worker ends itself by SIGINT. On
    Linux the kernel ends the child when we are killed: nobody else could.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def server_child(host: str, port: int, env: dict[str, str], folder: Path) -> Child:
    """The Prefect server."""
    words = ["flows.prefect_server", "server", "start", "--host", host, "--port", str(port)]
    return Child("server", words, env, folder / "server.log")


def worker_child(env: dict[str, str], folder: Path) -> Child:
    """A worker that runs each flow run as a process of its own.

    How many at a time is the pool's to say: a worker with a limit of its own ends with an error when a run is retried
    before its process is quite gone (Prefect 3.8.8). Its name is the same each time: Prefect keeps a row for each name.
    """
    words = ["prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", "torgsync-serve"]
    return Child("worker", words, env, folder / "worker.log")


def wait_until_up(child: Child, url: str) -> None:
    """Wait until the server answers. Raises SettingsError with the end of its log when it does not."""
    end = time.monotonic() + _START
    while time.monotonic() < end and not child.ended:
        try:
            if httpx.get(f"{url}/health", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    child.stop()
    said = child.log.read_text(errors="replace").strip().splitlines()[-5:]
    raise SettingsError("the Prefect server did not start: " + " / ".join(said), f"see {child.log}")
