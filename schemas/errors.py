"""Errors, grouped by their remedy; each has the exit code of the command line.

The message says what happened, ``next_step`` what to do. The operator sees both, without a traceback.
"""

from __future__ import annotations

from difflib import get_close_matches


class TorgsyncError(Exception):
    """Base of all errors that torgsync raises on purpose. ``next_step`` is one sentence, or empty."""

    exit_code = 1

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    @property
    def sentence(self) -> str:
        """Return what happened and what to do, in one line."""
        return f"{self.message}; next: {self.next_step}" if self.next_step else self.message

    def __str__(self) -> str:
        return f"{self.message}\n  next: {self.next_step}" if self.next_step else self.message


class SettingsError(TorgsyncError):
    """``shop.toml``, a schema map or the command line is wrong: edit it."""

    exit_code = 2


class RulesError(TorgsyncError):
    """``rules.yaml`` is wrong: the message names file and line."""

    exit_code = 2


class SourceError(TorgsyncError):
    """The Torgsoft base could not be read completely: nothing was changed in any store."""


class SourceUnreachable(SourceError):
    """The network or the server failed in a way that may pass: worth another try."""


class SchemaError(TorgsyncError):
    """A table's shape is not what its schema says: the run stops, nothing was changed in any store."""


class StateError(TorgsyncError):
    """The state database or the history cannot be read or written: it ends the run, whatever it was doing."""


class ConservationError(TorgsyncError):
    """A good would have been lost between two steps: a defect of torgsync. The run stops before the load."""


class StoreError(TorgsyncError):
    """A store could not be written; it is as it was before."""

    exit_code = 4


class Unreadable(StoreError):
    """A store could not be read while something else was asked of it."""


class Unplannable(StoreError):
    """A store was not read: its settings do not open it, or it cannot hold what it shall."""


class GuardStop(TorgsyncError):
    """A guard stopped the run before the first write."""

    exit_code = 3


class NotApproved(GuardStop):
    """A person refused a plan, or did not answer: nothing was written."""


class StalePlan(TorgsyncError):
    """A plan no longer fits the state, the settings or a store: nothing of it was applied."""


class Interrupted(BaseException):
    """The process got SIGINT or SIGTERM. It is not an Exception, so that no handler swallows it."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"interrupted by signal {exit_code - 128}")
        self.exit_code = exit_code


class QuarantineLimit(TorgsyncError):
    """More rows are in the quarantine than the shop allows: the run stops before the load."""

    exit_code = 5


class ShopBusy(TorgsyncError):
    """Another run of the shop is active."""

    exit_code = 6


EXIT_CODES: dict[int, str] = {
    0: "ok",
    1: "error: the base could not be read, a plan is stale, or another error; nothing was changed in any store",
    2: "usage: a wrong option, shop.toml or rules.yaml",
    3: "a guard, or a person who was asked, stopped the run before the first write",
    4: "some stores failed; the others are up to date",
    5: "more rows in the quarantine than the shop allows; nothing was changed in any store",
    6: "another run holds the shop",
    10: "the plan would change something (plan --detailed-exitcode)",
    130: "interrupted (SIGINT)",
    143: "terminated (SIGTERM)",
}
"""Every exit code of the command line and what it means."""


_SHOWN = 40
"""Known words that a message lists: there are 600 time zones."""


def closest(word: str, known: list[str]) -> str:
    """Return ``did you mean "x"?`` for a misspelt word, or the list of known words."""
    matches = get_close_matches(word, known, n=1, cutoff=0.5)
    if matches:
        return f'did you mean "{matches[0]}"?'
    rest = f", … and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"known: {', '.join(sorted(known)[:_SHOWN])}{rest}"
