"""SIGTERM ends a run in good order: its report is written, its lock is freed, the next run works."""

from __future__ import annotations

import signal

from schemas.errors import Interrupted

_told: list[Interrupted] = []


def end_on_sigterm() -> None:
    """From now on SIGTERM raises Interrupted in the main thread, once: a second one while the run ends is no news."""
    _told.clear()
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    _told.append(Interrupted(128 + number))
    raise _told[0]


def end_if_told() -> None:
    """Raise again what was raised and did not arrive: Python only prints what a handler raises inside a destructor.

    Called where a run goes on to its next step; a run that ends goes on to none.
    """
    if _told:
        raise _told[0]
