"""Runs a shop in a process of its own: a crash there takes nothing else with it, a signal ends it in good order, and
its memory is given back at its end. See docs/adr/0013.

The processes are forked from a small one that has loaded torgsync once (Linux, macOS), or started anew (Windows).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from schemas.chain import ShopResult
from schemas.errors import Interrupted

Listen = Callable[[str, float | None], None]

GRACE = 60.0
"""Seconds that a shop gets to end in good order once the chain's own process is gone; then it is broken off."""

NOT_STARTED = "the chain was stopped before its turn", "run again"

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"

_LOADED = ["flows.one_shop", "alembic.command", "pandera.backends.pandas.register", "pyarrow.dataset", "reports.html"]
"""What every shop needs, loaded once: 2 s of a processor that each would spend again."""


class Apart:
    """Runs shops, each in a process of its own, from any thread; ``stop`` ends all that run and starts no more."""

    def __init__(self) -> None:
        self._context: Any = multiprocessing.get_context(_METHOD)
        if _METHOD == "forkserver":
            self._context.set_forkserver_preload(_LOADED)
        self._lock = threading.Lock()
        self._running: set[BaseProcess] = set()
        self.stopped = 0

    def __call__(self, folder: str, listen: Listen | None = None) -> ShopResult:
        """Run one shop to its end and say how it ended."""
        from flows.one_shop import ended

        hears, tells = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_work, args=(folder, dict(os.environ), tells), name=f"torgsync {folder}")
        with self._lock:
            if self.stopped:
                return ended(folder, "not started", self.stopped, *NOT_STARTED)
            process.start()
            self._running.add(process)
        tells.close()
        try:
            told = _hear(hears, listen)
        finally:
            process.join()
            with self._lock:
                self._running.discard(process)
            hears.close()
        if told is not None:
            return ShopResult.model_validate(told)
        if self.stopped:
            return ended(folder, "interrupted", self.stopped, "stopped by a signal before its run began", "run again")
        how = f"signal {-process.exitcode}" if (process.exitcode or 0) < 0 else f"exit code {process.exitcode}"
        did = f"its process died without a word ({how}): killed, out of memory, or a crash in a library"
        return ended(folder, "crashed", 1, did, "run again: the next run makes good what this one began")

    def stop(self, exit_code: int) -> None:
        """Tell every running shop to end, once; those that wait for their turn are not started."""
        with self._lock:
            if self.stopped:
                return
            self.stopped = exit_code
            for process in self._running:
                process.terminate()


def _hear(pipe: Connection, listen: Listen | None) -> dict[str, Any] | None:
    """The result of a shop; None where its process ended without one."""
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            return None
        if isinstance(message, dict):
            return message
        if listen is not None:
            listen(*message)


def _work(folder: str, environment: dict[str, str], pipe: Connection) -> None:
    """In the shop's process. Ctrl-C reaches the chain as well, which passes it on as SIGTERM: one signal, not two."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminate)
    os.environ.clear()
    os.environ.update(environment)  # the process that we are forked from may be older than its variables
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from flows.one_shop import run_one

    def listen(name: str, seconds: float | None) -> None:
        _tell(pipe, (name, seconds))

    result = run_one(folder, listen)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _tell(pipe, result.model_dump(mode="json"))


def _tell(pipe: Connection, message: Any) -> None:
    with suppress(OSError):  # the chain is gone; the run ends by the signal that is on its way
        pipe.send(message)


def _terminate(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Interrupted(128 + number)


def _end_with_parent() -> None:
    """Nobody is left to hear of us: end in good order, or not."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGTERM)
