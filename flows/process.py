"""What a flow run takes from the process that it runs in: its id, what ends it, and that it ends with its worker."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping

from prefect.exceptions import TerminationSignal
from prefect.runtime import flow_run

from engine.context import RunOptions

_LOOK = 1.0
"""Seconds between two looks whether the worker still lives."""
_GRACE = 60.0
"""Seconds that a run may take to end in good order once its worker is gone; then it ends as a kill would end it."""

_watching = threading.Lock()


def run_options(allow: Mapping[str, int], stores: tuple[str, ...] | None, wait_minutes: int) -> RunOptions:
    """The options of a run that is this flow run. Prefect may end its process by SystemExit once the worker is gone."""
    ends = (TerminationSignal, SystemExit)
    return RunOptions(allow, stores, wait_minutes * 60.0, str(flow_run.id or ""), ends)


def die_with_parent() -> None:
    """Where a worker started this process for one flow run: end with the worker, in good order.

    A worker that is killed leaves its runs behind: nobody would see them, cancel them, or know of their end. The run is
    told to end as if by SIGTERM: it is recorded as interrupted, the shop is free, and Prefect shows it as crashed.
    """
    if not os.environ.get("PREFECT__FLOW_RUN_ID") or not _watching.acquire(blocking=False):
        return
    threading.Thread(target=_watch, args=(os.getppid(),), name="torgsync-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(143)
