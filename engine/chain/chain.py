"""A chain: the nightly sync of many shops at once. One shop's failure leaves the others whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from time import perf_counter
from typing import Protocol

from engine.chain.shop_run import Listen, ended
from engine.chain.worker_pool import NOT_STARTED, Apart
from engine.session import now
from schemas.chain import ChainReport, ShopResult
from schemas.errors import Interrupted


class One(Protocol):
    """Runs one shop and says how it ended; raises nothing."""

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
    """Run the shops, ``workers`` at a time (default: one per processor), each alone in a process, and recap them.

    ``one`` runs a shop otherwise (``run_one`` of ``shop_run``: in this process). ``listen`` hears of each step with its
    shop's folder, ``tell`` of each shop's end; both are called from several threads. A signal to this process is passed
    on to every running shop, and the recap tells which shops it stopped.
    """
    workers = min(workers or os.cpu_count() or 1, len(folders))
    begun, begin = now(), perf_counter()

    def work(folder: str) -> ShopResult:
        if apart.stopped:
            return ended(folder, "not started", apart.stopped, *NOT_STARTED)
        result = (one or apart)(folder, (lambda name, seconds: listen(folder, name, seconds)) if listen else None)
        if tell is not None:
            tell(result)
        return result

    with Apart() as apart, ThreadPoolExecutor(workers, "shop") as pool:
        futures = [pool.submit(work, folder) for folder in folders]
        try:
            wait(futures)
        except (KeyboardInterrupt, Interrupted) as error:
            apart.stop(getattr(error, "exit_code", 130))
    return recap([future.result() for future in futures], begun, perf_counter() - begin, here(workers))


def recap(shops: list[ShopResult], begun: datetime, seconds: float, runner: str) -> ChainReport:
    """The chain's report."""
    started = begun.isoformat("T", "milliseconds")
    return ChainReport(started_at=started, seconds=round(seconds, 2), runner=runner, shops=shops)


def here(workers: int) -> str:
    """Where a chain without Dask runs, in words."""
    return f"{workers} at a time on this machine" if workers > 1 else "one after another on this machine"
