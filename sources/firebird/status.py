"""Firebird's error codes behind an exception of fdb, whatever language the server or the client writes in.

An error of Firebird is a chain of codes with parameters (the status vector). fdb keeps the first code and turns the
rest into words. ``keep_status`` makes it keep the whole chain.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import fdb

_END, _CODE, _STRING, _COUNTED, _NUMBER, _WORDS, _UNIX, _WINDOWS = 0, 1, 2, 3, 4, 5, 7, 17  # isc_arg_* of ibase.h
_PARTS = (_STRING, _COUNTED, _NUMBER, _WORDS)


@dataclass(frozen=True)
class Status:
    """``codes`` are Firebird's ``isc_*`` numbers in their order, ``parts`` what is filled into their messages (names of
    tables and files, words of the operating system), ``unix`` and ``windows`` error numbers of the operating system.
    """

    codes: tuple[int, ...] = ()
    parts: tuple[str | int, ...] = ()
    unix: tuple[int, ...] = ()
    windows: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        """The code that says what kind of error it is; 0 where there is none."""
        return self.codes[0] if self.codes else 0

    def has(self, *codes: int) -> bool:
        """Whether one of the codes is in the chain."""
        return not set(codes).isdisjoint(self.codes)


def status_of(error: Exception) -> Status:
    """The codes of an exception of fdb; of one that ``keep_status`` has not seen, fdb's own single code."""
    kept = getattr(error, "firebird_status", None)
    if isinstance(kept, Status):
        return kept
    code = error.args[2] if isinstance(error, fdb.Error) and len(error.args) > 2 else 0
    return Status((code,)) if isinstance(code, int) and code else Status()


def keep_status() -> None:
    """Make fdb attach the whole chain of codes to each exception, as ``firebird_status``; once per process."""
    whole = fdb.fbcore.exception_from_status
    if getattr(whole, "keeps_status", False):
        return

    def with_status(error: type[Exception], status: Sequence[int], preamble: str | None = None) -> Any:
        codes = read_status(status)
        made = whole(error, status, preamble)
        made.firebird_status = codes
        return made

    with_status.keeps_status = True  # type: ignore[attr-defined]
    fdb.fbcore.exception_from_status = with_status


def read_status(vector: Sequence[int]) -> Status:
    """The status vector as codes and parts."""
    found: dict[int, list[Any]] = {_CODE: [], _UNIX: [], _WINDOWS: []}
    parts: list[str | int] = []
    at = 0
    while at + 1 < len(vector) and vector[at] != _END:
        kind, value = vector[at], vector[at + 1]
        if kind == _COUNTED:
            parts.append(_text(ctypes.string_at(vector[at + 2], value)))
            at += 3
            continue
        if kind in _PARTS:
            parts.append(value if kind == _NUMBER else _text(ctypes.string_at(value)))
        elif kind in found and value:
            found[kind].append(value)
        at += 2
    return Status(tuple(found[_CODE]), tuple(parts), tuple(found[_UNIX]), tuple(found[_WINDOWS]))


def _text(raw: bytes) -> str:
    """Words of a server on Windows come in its own code page."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1251", errors="replace")
