"""The steps of a run as Prefect tasks: their counts in the messages of their states, their progress as an artifact."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from prefect import get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from engine.steps import Progress, Steps
from flows.task_messages import told
from reports.keys import artifact_key
from schemas.settings.shop import Shop

P = ParamSpec("P")
T = TypeVar("T")

_STEPS = ("extract", "validate", "sections", "catalogue", "plan")
_PAUSE = 1.0
"""Seconds between two updates of the progress: each is a request."""


class TaskSteps(Steps):
    """Measures the steps of one flow run as Steps does, and shows them in the UI."""

    def __init__(
        self, shop: Shop, listen: Callable[[str, float | None], None] | None, progress: Progress | None
    ) -> None:
        super().__init__(listen, self._moved)
        self._pass_on = progress or (lambda name, done, total: None)
        self.logger = get_run_logger()
        self._whole = len(_STEPS) + len(shop.stores)
        self._artifact: UUID | None = None
        self._key = artifact_key(shop.name, "progress")
        self._told = 0.0

    def __call__(self, name: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one step as a task of that name. Caching is off: a new night reads anew."""
        found: list[T] = []
        run = super().__call__

        def body() -> State[Any]:
            found.append(run(name, function, *args, **kwargs))
            return Completed(message=told(found[0]) or f"{self.seconds[name]:.2f} s")

        task(name=name, cache_policy=NO_CACHE, persist_result=False)(body)()
        self.logger.info("%s: %s (%.2f s)", name, told(found[0]) or "done", self.seconds[name])
        self.show(100 * len(self.seconds) / self._whole, f"{name} is done")
        return found[0]

    def _moved(self, name: str, done: int, total: int) -> None:
        self._pass_on(name, done, total)
        share = len(self.seconds) + done / max(total, 1)
        self.show(100 * share / self._whole, f"{name}: {done:,} of {total:,}")

    def show(self, percent: float, text: str) -> None:
        """Bring the progress artifact to so many percent."""
        if self._artifact is None:
            created = create_progress_artifact(min(percent, 100.0), key=self._key, description=text)
            assert isinstance(created, UUID)
            self._artifact = created
        elif time.monotonic() - self._told > _PAUSE:
            update_progress_artifact(self._artifact, min(percent, 100.0), description=text)
        else:
            return
        self._told = time.monotonic()

    def finish(self, text: str) -> None:
        """The run has ended: the progress, whatever was told last, is whole."""
        if self._artifact is not None:
            update_progress_artifact(self._artifact, 100.0, description=text)
