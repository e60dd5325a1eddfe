"""How a guard's violation is made: the message comes from the declared table."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.guards import GUARD_TABLE, Level
from schemas.plan import GuardViolation

SHOWN = 5
"""Names that a message shows."""


def violation(
    guard: str, measured: int, limit: int, case: str = "", level: Level = "stop", store: str = "", **words: object
) -> GuardViolation:
    """A violation of a declared guard; ``words`` fill its template, ``case`` chooses one of its other templates."""
    message = GUARD_TABLE[guard].text(case).format(measured=measured, **words)
    return GuardViolation(guard=guard, level=level, store=store, measured=measured, limit=limit, message=message)


def some(names: Iterable[object], sep: str = ", ") -> str:
    """The first names, for a message."""
    return sep.join(map(str, list(names)[:SHOWN]))
