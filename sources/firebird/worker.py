"""Reads a base in a thread of its own, so that nothing that hangs in Firebird's client can hang the process.

The client waits for its server without a limit, inside C code, where Python obeys no signal. So the thread reads, and
the caller waits with a time limit and stays free to obey SIGINT and SIGTERM. When it gives up, it cuts the connection
from outside, the thread's call ends with an error, and the thread ends.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import fdb

from schemas.errors import SourceUnreachable
from sources.firebird.client import load_client
from sources.firebird.connection import Dsn

T = TypeVar("T")

Progress = Callable[[str, int, int], None]
"""``progress(table, rows done, rows in all)``."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_CANCEL_RAISE, _CANCEL_ABORT = 3, 4  # fb_cancel_operation: end the statement; close the connection
_LOOK_SECONDS = 1.0
"""How often the caller looks up: a signal that the system gave to another thread is obeyed by then."""
_END_SECONDS = 15.0
"""How long the caller waits for the thread to end once its connection is cut: it takes some milliseconds."""


class _Abandoned(BaseException):
    """Ends the thread when nobody waits for it any more. Not an Exception: nothing may swallow it."""


class Line(Generic[T]):
    """What joins the reading thread and its caller. The thread calls ``opened``, ``alive`` and ``progress``."""

    def __init__(self, dsn: Dsn, limit: float, progress: Progress | None) -> None:
        self._dsn, self._limit, self._progress = dsn, limit, progress
        self._told: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._answers: SimpleQueue[bool] = SimpleQueue()
        self._last = time.monotonic()
        self._given_up = False
        self._connection: fdb.Connection | None = None
        self._others = set(_sockets())

    def opened(self, connection: fdb.Connection) -> None:
        """Hear of the open connection."""
        self._connection = connection
        self.alive()

    def alive(self) -> None:
        """Note that the base has answered: the time limit begins anew."""
        self._last = time.monotonic()
        if self._given_up:
            raise _Abandoned

    def progress(self, table: str, done: int, total: int) -> None:
        """Have the caller hear of the progress, in its own thread, and wait until it has."""
        self.alive()
        if self._progress is not None:
            self._told.put(("progress", (table, done, total)))
            self._answers.get()
            self.alive()

    def run(self, work: Callable[[Line[T]], T]) -> T:
        """The result of ``work``, done in a thread. Raises what it raises, or SourceUnreachable when the base is silent
        for longer than the limit, or what a signal raises here; then the connection is cut first.
        """
        thread = threading.Thread(target=self._work, args=(work,), name="torgsync reads", daemon=True)
        thread.start()
        try:
            while True:
                kind, value = self._next()
                if kind == "done":
                    return value  # type: ignore[no-any-return]
                if kind == "failed":
                    raise value
                if self._progress is not None:
                    self._progress(*value)
                self._last = time.monotonic()
                self._answers.put(True)
        finally:
            self._end(thread)

    def _work(self, work: Callable[[Line[T]], T]) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # they are for the thread that waits
        try:
            self._told.put(("done", work(self)))
        except _Abandoned:
            pass
        except BaseException as error:
            self._told.put(("failed", error))

    def _next(self) -> tuple[str, Any]:
        """What the thread tells next. Raises SourceUnreachable when nothing comes for too long."""
        while True:
            left = self._last + self._limit - time.monotonic()
            try:
                return self._told.get(timeout=max(0.0, min(left, _LOOK_SECONDS)))
            except Empty:
                if self._last + self._limit <= time.monotonic():
                    raise self._silence() from None

    def _silence(self) -> SourceUnreachable:
        doing = "while reading" if self._connection is not None else "while connecting"
        return SourceUnreachable(
            f"{self._dsn.text}: the base was silent for {self._limit:g} seconds {doing}; what was read is thrown away",
            "see that the Firebird server and the network work and run again; a slow base needs a greater"
            " source.timeout_seconds",
        )

    def _end(self, thread: threading.Thread) -> None:
        """See that the thread has ended; cut its connection where it still reads."""
        self._given_up = True
        self._answers.put(False)
        thread.join(0.05)
        until = time.monotonic() + _END_SECONDS
        while thread.is_alive() and time.monotonic() < until:
            self._cut()
            thread.join(0.05)

    def _cut(self) -> None:
        """Make the call in which the thread waits return.

        Before the connection is open Firebird has no handle by which it could be cancelled: its sockets are shut.
        """
        handle = getattr(self._connection, "_db_handle", None)
        if handle is not None:
            status, ours = (ctypes.c_long * 20)(), ctypes.c_uint(handle.value)
            how = _CANCEL_ABORT if self._dsn.over_network else _CANCEL_RAISE
            cancel = fdb.fbcore.api.client_library.fb_cancel_operation
            cancel(status, ctypes.byref(ours), ctypes.c_ushort(how))
        elif self._dsn.port is not None:
            shut_sockets(self._dsn.port, self._others)


def run_apart(work: Callable[[Line[T]], T], dsn: Dsn, limit: float, progress: Progress | None = None) -> T:
    """The result of ``work``, which reads the base behind ``dsn`` in a thread of its own (see ``Line.run``).

    ``limit`` is in seconds without a row or another answer of the base.
    """
    load_client()  # here: it puts back the handlers of signals, which this thread obeys
    return Line[T](dsn, limit, progress).run(work)


def shut_sockets(port: int, others: set[str]) -> None:
    """Shut this process's TCP sockets to that remote port, also those that still connect, but not ``others``."""
    towards = _tcp_towards(port)
    for name, descriptor in _sockets().items():
        if name in towards and name not in others:
            with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as copy:
                copy.shutdown(socket.SHUT_RDWR)


def _sockets() -> dict[str, int]:
    """This process's sockets: the system's name of each, and a descriptor."""
    found: dict[str, int] = {}
    with suppress(OSError):
        for link in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                name = str(link.readlink())
                if name.startswith("socket:"):
                    found[name] = int(link.name)
    return found


def _tcp_towards(port: int) -> set[str]:
    """The names of TCP sockets to a remote port, as ``/proc/net/tcp`` of Linux lists them in any state."""
    found: set[str] = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path("/proc/self/net", table).read_text().splitlines()[1:]:
                cells = line.split()
                if int(cells[2].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{cells[9]}]")
    return found
