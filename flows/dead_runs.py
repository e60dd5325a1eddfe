"""Ends the flow runs that a worker which is gone left behind: each would take a place of the pool for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

NO_ANSWER = (httpx.HTTPError, RuntimeError)
"""What is raised where the server does not answer: by httpx, or by Prefect's client."""

_VARIABLE = b"PREFECT__FLOW_RUN_ID="
_LOOK = 5.0
"""Seconds between two looks at runs whose process still lived when a worker started."""
_PAGE = 200
_MESSAGE = "its process ended without a word: killed, or the machine went down — next: Retry goes on from its plan"


def living_flow_runs(processes: Path = Path("/proc")) -> set[str]:
    """Ids of the flow runs that have a process on this machine: a worker gives it to each in its environment.

    A process of another user cannot be read, and is none of our worker's.
    """
    found = set()
    for path in processes.glob("[0-9]*/environ"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:  # it has just ended, or is another user's
            continue
        found |= {word.removeprefix(_VARIABLE).decode(errors="replace") for word in words if word.startswith(_VARIABLE)}
    return found


class DeadRuns:
    """The runs of a pool that are not ended although the worker which started them is gone.

    Only for a pool whose one worker is ours, on this machine. The process decides: a run that waits for an approval is
    alive while its process is. A process may outlive its worker by a minute, to end in good order: it is not touched,
    and looked at again until it is gone.
    """

    def __init__(self, pool: str, say: Callable[[str], None] = lambda told: None) -> None:
        self.pool, self.say = pool, say
        self.left: set[UUID] = set()
        self._next = 0.0

    def end(self) -> int:
        """End what is dead, and remember what lives: called before a worker starts. Returns how many were ended.

        Raises one of NO_ANSWER where the server does not answer.
        """
        return self._end(None)

    def look(self) -> None:
        """Look at those that lived, unless that was done a few seconds ago."""
        if self.left and time.monotonic() >= self._next:
            self._end(self.left)

    def _end(self, only: Collection[UUID] | None) -> int:
        from prefect.client.orchestration import get_client
        from prefect.states import Crashed

        alive = living_flow_runs()  # ahead of the states: a process that has ended has said its last state
        with get_client(sync_client=True) as client:
            runs = list(_unfinished(client, self.pool, only))
            dead = [run for run in runs if str(run.id) not in alive]
            for run in dead:
                client.set_flow_run_state(run.id, Crashed(message=_MESSAGE), force=True)
        self.left = {run.id for run in runs} - {run.id for run in dead}
        self._next = time.monotonic() + _LOOK
        if dead:
            self.say(f"runs that a dead worker left behind, marked as crashed: {len(dead)}; Retry goes on with each")
        return len(dead)


def _unfinished(client: SyncPrefectClient, pool: str, only: Collection[UUID] | None) -> Iterator[FlowRun]:
    """The runs of a pool that are begun and not ended, all or ``only`` some."""
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterId,
        FlowRunFilterState,
        FlowRunFilterStateType,
        WorkPoolFilter,
        WorkPoolFilterName,
    )
    from prefect.client.schemas.objects import StateType

    begun = [StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=begun)),
        id=None if only is None else FlowRunFilterId(any_=list(only)),
    )
    in_pool, offset = WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])), 0
    while found := client.read_flow_runs(
        flow_run_filter=wanted, work_pool_filter=in_pool, limit=_PAGE, offset=offset
    ):  # fmt: skip
        yield from found
        offset += _PAGE
