"""Breaks a run off at its N-th side effect: an SQL statement, a commit, a write, a rename, a fetch.

Every effect has two places: before it (for a write: when half of the bytes are on the disk) and after it. What happens
at the place is up to ``act``: an error of the kind that the failing library would raise, or a signal.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy.engine.default import DefaultDialect

from tests.patience import PATIENCE

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def fail(label: str, error: type[BaseException]) -> None:
    """What a full disk or a lost connection does."""
    raise OSError(errno.ENOSPC, f"planted: {label}") if error is OSError else error(f"planted: {label}")


def kill(label: str, error: type[BaseException]) -> None:
    """``kill -9``: nothing in this process runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


def send(number: int) -> Callable[[str, type[BaseException]], None]:
    """Send ourselves a signal once."""

    def act(label: str, error: type[BaseException]) -> None:
        os.kill(os.getpid(), number)

    return act


@dataclass
class Effects:
    """Counts the places of a run below ``root``; at ``stop_at`` (and all after it, when ``lasting``) it acts."""

    root: Path
    stop_at: int | None = None
    act: Callable[[str, type[BaseException]], None] = fail
    lasting: bool = False
    labels: list[str] = field(default_factory=list)
    quiet: bool = False

    def place(self, label: str, error: type[BaseException] = OSError) -> None:
        if self.quiet:
            return
        self.labels.append(label)
        if self.stop_at is not None and (
            len(self.labels) == self.stop_at or (self.lasting and len(self.labels) > self.stop_at)
        ):
            self.act(label, error)

    def mine(self, path: Any) -> bool:
        """Whether a path is the shop's. A name that is relative to an open folder is one that rmtree is emptying."""
        return isinstance(path, str | bytes | os.PathLike) and (
            not Path(os.fsdecode(path)).is_absolute() or Path(os.fsdecode(path)).is_relative_to(self.root)
        )

    @property
    def last(self) -> str:
        return self.labels[-1] if self.labels else ""


class _CountedFile(io.FileIO):
    effects: Effects

    def write(self, data: Any) -> int:
        what = f"write {Path(str(self.name)).name}"
        view = memoryview(data).cast("B")
        half = super().write(view[: len(view) // 2]) or 0
        self.effects.place(f"half of {what}")
        super().write(view[half:])
        self.effects.place(f"after {what}")
        return len(view)


@contextmanager
def watched(effects: Effects) -> Iterator[Effects]:
    """Let ``effects`` hear of every side effect of this process."""
    with pytest.MonkeyPatch.context() as patch:
        _watch_files(effects, patch)
        _watch_sql(effects, patch)
        yield effects


def _watch_files(effects: Effects, patch: pytest.MonkeyPatch) -> None:
    real_open, real_os_open, real_parquet = io.open, os.open, pq.write_table

    def wrap(name: str) -> None:
        real = getattr(os, name)

        def wrapped(path: Any, *args: Any, **kwargs: Any) -> Any:
            if not effects.mine(path):
                return real(path, *args, **kwargs)
            what = f"{name} {Path(os.fsdecode(path)).name}"
            effects.place(f"before {what}")
            result = real(path, *args, **kwargs)
            effects.place(f"after {what}")
            return result

        patch.setattr(os, name, wrapped)

    for name in ("replace", "rename", "unlink", "remove", "rmdir", "mkdir", "chmod"):
        wrap(name)

    def counted_open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not set(mode) & set("wax+") or not effects.mine(file):
            return real_open(file, mode, *args, **kwargs)
        what = f"open {Path(os.fsdecode(file)).name}"
        effects.place(f"before {what}")
        raw = _CountedFile(file, mode.replace("b", "").replace("t", ""))
        raw.effects = effects
        effects.place(f"after {what}")
        stream = io.BufferedWriter(raw)
        if "b" in mode:
            return stream
        names = ("buffering", "encoding", "errors", "newline")
        text = {**dict(zip(names, args, strict=False)), **kwargs}
        return io.TextIOWrapper(stream, text.get("encoding"), text.get("errors"), text.get("newline"))

    def counted_os_open(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if not flags & WRITING or not effects.mine(path):
            return real_os_open(path, flags, *args, **kwargs)
        what = f"os.open {Path(os.fsdecode(path)).name}"
        effects.place(f"before {what}")
        descriptor = real_os_open(path, flags, *args, **kwargs)
        try:
            effects.place(f"after {what}")
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def counted_parquet(table: Any, where: Any, *args: Any, **kwargs: Any) -> None:
        what = f"parquet {Path(where).name}"
        real_parquet(table, where, *args, **kwargs)
        whole = Path(where).read_bytes()
        with real_open(where, "wb") as stream:
            stream.write(whole[: len(whole) // 2])
        effects.place(f"half of {what}")
        with real_open(where, "wb") as stream:
            stream.write(whole)
        effects.place(f"after {what}")

    patch.setattr(io, "open", counted_open)
    patch.setattr(builtins, "open", counted_open)
    patch.setattr(os, "open", counted_os_open)
    patch.setattr(pq, "write_table", counted_parquet)


def _watch_sql(effects: Effects, patch: pytest.MonkeyPatch) -> None:
    def wrap(name: str) -> None:
        real = getattr(DefaultDialect, name)

        def wrapped(dialect: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
            words = str(args[0]).split() if args else []
            what = f"{name.removeprefix('do_')} {' '.join(words[:3])}"
            effects.place(f"before {what}", dialect.dbapi.OperationalError)
            result = real(dialect, target, *args, **kwargs)
            effects.place(f"after {what}", dialect.dbapi.OperationalError)
            return result

        patch.setattr(DefaultDialect, name, wrapped)

    for name in ("do_execute", "do_executemany", "do_execute_no_params", "do_commit"):
        wrap(name)


def forked(work: Callable[[], int | None], seconds: float = PATIENCE) -> int:
    """Do ``work`` in a child of this process; its exit code, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            code = work() or 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
