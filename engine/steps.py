"""How a step of the main path is run. Flows hand in a subclass that runs each step as a Prefect task."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import ParamSpec, TypeVar

from engine.signals import end_if_told

P = ParamSpec("P")
T = TypeVar("T")


Progress = Callable[[str, int, int], None]
"""The name of a long step, how many of its rows or operations are done, and how many there are."""


class Steps:
    """Calls each step and tells ``listen`` of its start (seconds None) and end; keeps the seconds per step.

    ``progress`` hears from a long step after every batch.
    """

    def __init__(
        self, listen: Callable[[str, float | None], None] | None = None, progress: Progress | None = None
    ) -> None:
        self.listen = listen or (lambda name, seconds: None)
        self._progress = progress
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one step and measure it."""
        end_if_told()
        self.listen(name, None)
        begin = perf_counter()
        result = function(*args, **kwargs)
        self.seconds[name] = round(perf_counter() - begin, 3)
        self.listen(name, self.seconds[name])
        return result

    def progress(self, name: str, done: int, total: int) -> None:
        """Hear from a long step: so many of its rows or operations are done."""
        end_if_told()
        if self._progress is not None:
            self._progress(name, done, total)
