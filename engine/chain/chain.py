"""A chain: the nightly sync of many shops at once. A failure of one shop does not affect the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from time import perf_counter
from typing import Protocol

from engine.chain.shop_run import Listen, ended
from engine.chain.worker_pool import NOT_STARTED, WorkerPool
from engine.session import now
from schemas.chain import ChainReport, ShopResult
from schemas.errors import Interrupted


class One(Protocol):
    """Runs one shop and returns its result; raises nothing."""

    def __call__(self, folder: str, listen: Listen | None = None) -> ShopResult:
        """Run the shop in ``folder``."""
        ...


def run_chain(
    folders: Sequence[str],
    workers: int | None = None,
    one: One | None = None,
    listen: Callable[[str, str, float | None], None] | None = None,
    tell: Callable[[ShopResult], None] | None = None,
) -> ChainReport:
    """Run the shops, ``workers`` at a time (default: one per processor), each in a process; returns the report.

    ``one`` replaces the function that runs a shop (``run_one`` of ``shop_run``: in this process). ``listen`` is called
    for each step with the shop's folder, ``tell`` at each shop's end; both from several threads. A signal to this
    process is passed on to every running shop, and the report names the shops that it stopped.
    """
    workers = min(workers or os.cpu_count() or 1, len(folders))
    begun, begin = now(), perf_counter()

    def work(folder: str) -> ShopResult:
        if processes.stopped:
            return ended(folder, "not started", processes.stopped, *NOT_STARTED)
        result = (one or processes)(folder, (lambda name, seconds: listen(folder, name, seconds)) if listen else None)
        if tell is not None:
            tell(result)
        return result

    with WorkerPool() as processes, ThreadPoolExecutor(workers, "shop") as pool:
        futures = [pool.submit(work, folder) for folder in folders]
        try:
            wait(futures)
        except (KeyboardInterrupt, Interrupted) as error:
            processes.stop(getattr(error, "exit_code", 130))
    return recap([future.result() for future in futures], begun, perf_counter() - begin, here(workers))


def recap(shops: list[ShopResult], begun: datetime, seconds: float, runner: str) -> ChainReport:
    """Return the report of a chain."""
    started = begun.isoformat("T", "milliseconds")
    return ChainReport(started_at=started, seconds=round(seconds, 2), runner=runner, shops=shops)


def here(workers: int) -> str:
    """Say where a chain without Dask runs."""
    return f"{workers} at a time on this machine" if workers > 1 else "one after another on this machine"
