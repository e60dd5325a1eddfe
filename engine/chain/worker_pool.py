"""Runs each shop in a separate process: a crash there affects no other shop, and a signal ends the run cleanly. See
docs/adr/0013.

The processes are forked from one that has loaded torgsync already.
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
from typing import Any, Self

from engine.signals import end_on_sigterm
from schemas.chain import ShopResult
from schemas.errors import Interrupted

Listen = Callable[[str, float | None], None]

GRACE = 60.0
"""Seconds for a shop to end cleanly after the process of the chain ended; then its process exits."""

NOT_STARTED = "the chain was stopped before its turn", "run again"

_LOADED = [
    "engine.chain.shop_run",
    "alembic.command",
    "pandera.backends.pandas.register",
    "pyarrow.dataset",
    "reports.html",
]
"""Modules that every shop needs, loaded once: each process would need 2 s of CPU time for them."""


class _Process:
    """A process that runs one shop after another; ``pipe`` takes folders and gives steps and results."""

    def __init__(self, context: Any) -> None:
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_work, args=(theirs,), name="torgsync shop")
        self.process.start()
        theirs.close()

    def close(self) -> None:
        """Wait for the end of the process: it ends when the pipe is closed."""
        self.pipe.close()
        self.process.join()


class WorkerPool:
    """Runs shops in separate processes, from any thread; ``stop`` ends all of them and starts no more.

    A process takes the next shop when one has ended, unless it died or got a signal.
    """

    def __init__(self) -> None:
        self._context: Any = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_LOADED)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._running: set[_Process] = set()
        self.stopped = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._idle:
            process.close()

    def __call__(self, folder: str, listen: Listen | None = None) -> ShopResult:
        """Run one shop to its end and return its result."""
        from engine.chain.shop_run import ended

        with self._lock:
            if self.stopped:
                return ended(folder, "not started", self.stopped, *NOT_STARTED)
            process = self._idle.pop() if self._idle else _Process(self._context)
            self._running.add(process)
        result = None
        try:
            result = _ask(process.pipe, folder, listen)
        finally:
            with self._lock:
                self._running.discard(process)
                again = result is not None and result["outcome"] != "interrupted"
                if again:
                    self._idle.append(process)
            if not again:
                process.close()
        if result is not None:
            return ShopResult.model_validate(result)
        if self.stopped:
            return ended(folder, "interrupted", self.stopped, "stopped by a signal before its run began", "run again")
        code = process.process.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        did = f"its process died ({how}): killed, out of memory, or a crash in a library"
        return ended(folder, "crashed", 1, did, "run again: the next run completes what this one began")

    def stop(self, exit_code: int) -> None:
        """Send every running shop one signal to end; waiting shops are not started."""
        with self._lock:
            if self.stopped:
                return
            self.stopped = exit_code
            for process in self._running:
                process.process.terminate()


def _ask(pipe: Connection, folder: str, listen: Listen | None) -> dict[str, Any] | None:
    """Return the result of a shop; None where its process ended without one."""
    with suppress(OSError):  # it died while idle: the code below reports it
        pipe.send((folder, dict(os.environ)))
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            return None
        if isinstance(message, dict):
            return message
        if listen is not None:
            listen(*message)


def _work(pipe: Connection) -> None:
    """Serve the pipe, in the child process. It ignores Ctrl-C: the chain gets it too and passes it on as SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from engine.chain.shop_run import run_one

    def listen(name: str, seconds: float | None) -> None:
        _tell(pipe, (name, seconds))

    with suppress(EOFError, OSError, Interrupted):  # nothing left to do, or a signal to end
        while True:
            end_on_sigterm()
            folder, environment = pipe.recv()
            os.environ.clear()
            os.environ.update(environment)  # the variables may have changed since the parent process started
            result = run_one(folder, listen)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            _tell(pipe, result.model_dump(mode="json"))


def _tell(pipe: Connection, message: Any) -> None:
    with suppress(OSError):  # the chain has ended; the signal of the parent's death ends the run
        pipe.send(message)


def _end_with_parent() -> None:
    """End cleanly after the parent has died; exit hard after GRACE seconds."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGTERM)
