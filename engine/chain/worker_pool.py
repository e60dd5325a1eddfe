"""Runs a shop alone in a process: a crash there takes no other shop with it, and a signal ends it in good order. See
docs/adr/0013.

The processes are forked from one that has loaded torgsync once.
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
"""Seconds that a shop gets to end in good order once the chain's own process is gone; then it is broken off."""

NOT_STARTED = "the chain was stopped before its turn", "run again"

_LOADED = [
    "engine.chain.shop_run",
    "alembic.command",
    "pandera.backends.pandas.register",
    "pyarrow.dataset",
    "reports.html",
]
"""What every shop needs, loaded once: 2 s of a processor that each process would spend again."""


class _Process:
    """A process that runs one shop after another; ``pipe`` takes folders and gives steps and results."""

    def __init__(self, context: Any) -> None:
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_work, args=(theirs,), name="torgsync shop")
        self.process.start()
        theirs.close()

    def close(self) -> None:
        """It ends by itself where it has nothing left to do; one that was killed is waited for too."""
        self.pipe.close()
        self.process.join()


class Apart:
    """Runs shops, each alone in its process, from any thread; ``stop`` ends all that run and starts no more.

    A process whose shop ended is given the next one; one that died, or was told to end, is not.
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
        """Run one shop to its end and say how it ended."""
        from engine.chain.shop_run import ended

        with self._lock:
            if self.stopped:
                return ended(folder, "not started", self.stopped, *NOT_STARTED)
            process = self._idle.pop() if self._idle else _Process(self._context)
            self._running.add(process)
        told = None
        try:
            told = _ask(process.pipe, folder, listen)
        finally:
            with self._lock:
                self._running.discard(process)
                again = told is not None and told["outcome"] != "interrupted"
                if again:
                    self._idle.append(process)
            if not again:
                process.close()
        if told is not None:
            return ShopResult.model_validate(told)
        if self.stopped:
            return ended(folder, "interrupted", self.stopped, "stopped by a signal before its run began", "run again")
        code = process.process.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        did = f"its process died without a word ({how}): killed, out of memory, or a crash in a library"
        return ended(folder, "crashed", 1, did, "run again: the next run makes good what this one began")

    def stop(self, exit_code: int) -> None:
        """Tell every running shop to end, once; those that wait for their turn are not started."""
        with self._lock:
            if self.stopped:
                return
            self.stopped = exit_code
            for process in self._running:
                process.process.terminate()


def _ask(pipe: Connection, folder: str, listen: Listen | None) -> dict[str, Any] | None:
    """The result of a shop; None where its process ended without one."""
    with suppress(OSError):  # it died while it had nothing to do: what follows tells
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
    """In the process. Ctrl-C reaches the chain as well, which passes it on as SIGTERM: one signal, not two."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from engine.chain.shop_run import run_one

    def listen(name: str, seconds: float | None) -> None:
        _tell(pipe, (name, seconds))

    with suppress(EOFError, OSError, Interrupted):  # nothing left to do, or told to end meanwhile
        while True:
            end_on_sigterm()
            folder, environment = pipe.recv()
            os.environ.clear()
            os.environ.update(environment)  # the process that we are forked from may be older than its variables
            result = run_one(folder, listen)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            _tell(pipe, result.model_dump(mode="json"))


def _tell(pipe: Connection, message: Any) -> None:
    with suppress(OSError):  # the chain is gone; the run ends by the signal that is on its way
        pipe.send(message)


def _end_with_parent() -> None:
    """Nobody is left to hear of us: end in good order, or not."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGTERM)
