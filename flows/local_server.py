"""A Prefect server and a worker on this machine, as child processes that end with us; nothing leaves the machine."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
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


def environment(host: str, port: int, home: Path, reports_url: str) -> dict[str, str]:
    """Settings of Prefect for a server of our own: quiet, and without a word to anybody outside.

    The newer UI's pages call an analytics host even with analytics off (docs/adr/0014); the older one does not.
    """
    return {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://{host}:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_PROMPT": "false",
        "TORGSYNC_REPORTS_URL": reports_url,
    }


@dataclass
class Child:
    """A process of ours with its log. It is a session of its own: Ctrl-C reaches us alone, and we end it in order."""

    name: str
    words: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it; its output goes to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.is_file() and self.log.stat().st_size > _KEEP:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as stream:
            self.process = _popen([sys.executable, "-m", *self.words], self.environment, stream)
        self.starts.append(time.monotonic())

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
    return Child(
        "server", ["prefect", "server", "start", "--host", host, "--port", str(port)], env, folder / "server.log"
    )


def worker_child(env: dict[str, str], folder: Path) -> Child:
    """A worker that runs each flow run as a process of its own.

    How many at a time is the pool's to say: a worker with a limit of its own ends with an error when a run is retried
    before its process is quite gone (Prefect 3.8.8).
    """
    return Child(
        "worker", ["prefect", "worker", "start", "--pool", POOL, "--type", "process"], env, folder / "worker.log"
    )


def end_dead_runs(pool: str) -> int:
    """Mark what a pool's runs were doing when their machine went down as crashed: called before its worker starts.

    Returns how many there were. Only for a pool whose one worker is ours.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
        WorkPoolFilter,
        WorkPoolFilterName,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    alive = [StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
    states = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=alive)))
    with get_client(sync_client=True) as client:
        dead = client.read_flow_runs(
            flow_run_filter=states, work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])), limit=200
        )
        for run in dead:
            message = (
                "its process ended without a word: killed, or the machine went down — next: Retry goes on from its plan"
            )
            client.set_flow_run_state(run.id, Crashed(message=message), force=True)
    return len(dead)


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
