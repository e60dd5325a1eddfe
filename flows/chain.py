"""The Prefect flow of a chain: a task per shop, here or on Dask's workers."""

from __future__ import annotations

import flows.sync  # isort: skip # noqa: F401 - before Prefect: it says that nothing phones home

import os
from collections.abc import Callable
from time import perf_counter
from typing import Annotated, Any

from prefect import Task, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from engine.chain.chain import here, recap
from engine.chain.shop_run import ended, name_of, run_one
from engine.chain.worker_pool import WorkerPool
from engine.session import now
from engine.shops import find_shops
from flows.form import ShopChoice
from reports.chain import chain_markdown
from schemas.chain import ChainReport, ShopResult
from schemas.errors import SettingsError
from schemas.settings.shop import Shop
from state.url import state_url

INSTALL = ".venv/bin/python -m pip install prefect-dask"


class ChainStopped(Exception):
    """A chain in which some shop did not end ok; ``report`` says which and why."""

    def __init__(self, report: ChainReport) -> None:
        super().__init__(report.sentence)
        self.report = report


def _run_name() -> str:
    """``chain · 2026-11-24``."""
    return f"chain · {flow_run.scheduled_start_time:%Y-%m-%d}"


@flow(name="sync-chain", flow_run_name=_run_name, log_prints=False, validate_parameters=True)
def sync_chain(
    shops: list[ShopChoice] | None = None,
    workers: Annotated[int | None, Field(ge=1, le=64)] = None,
    dask: str | None = None,
) -> ChainReport:
    """Run the nightly sync of many shops at once; one shop's failure leaves the others whole.

    Args:
        shops: The shops' folders or names. Empty: all below shops/.
        workers: How many at a time on this machine. Empty: one per processor.
        dask: Address of a Dask scheduler whose workers run the shops instead, as in tcp://10.0.0.5:8786.
    """
    folders = find_shops(shops or [])
    begun, begin = now(), perf_counter()
    results, runner = _on_dask(folders, dask) if dask else _here(folders, workers)
    report = recap(results, begun, perf_counter() - begin, runner)
    create_markdown_artifact(chain_markdown(report), key="chain", description=report.sentence)
    if report.exit_code:
        raise ChainStopped(report)
    return report


def run_chain_as_flow(shops: list[str], workers: int | None = None, dask: str | None = None) -> ChainReport:
    """Run the flow here and return its report, also when shops failed. Other errors pass through."""
    try:
        return sync_chain(shops, workers, dask)
    except ChainStopped as stopped:
        return stopped.report


def _here(folders: list[str], workers: int | None) -> tuple[list[ShopResult], str]:
    """Threads that each wait for a shop in another process."""
    count = min(workers or os.cpu_count() or 1, len(folders))
    runner: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=count)
    with WorkerPool() as processes, runner as pool:
        one = _as_task(lambda name, folder: _state(processes(folder, _log)))
        try:
            futures = [pool.submit(one, {"name": name_of(folder), "folder": folder}) for folder in folders]
            return [_result(folder, future) for folder, future in zip(folders, futures, strict=True)], here(count)
        except BaseException as error:  # Prefect's own signal, or Ctrl-C: the shops end in good order first
            processes.stop(130 if isinstance(error, KeyboardInterrupt) else 143)
            raise


def _on_dask(folders: list[str], address: str) -> tuple[list[ShopResult], str]:
    """Tasks that Dask's workers do; one whose worker dies is done again by another one."""
    one = _as_task(_on_worker)
    with dask_runner(address) as pool:
        try:
            futures = [pool.submit(one, {"name": name_of(folder), "folder": folder}) for folder in folders]
        except OSError as error:
            raise SettingsError(f"no Dask scheduler answers at {address}", "start it: dask scheduler") from error
        results = [_result(folder, future) for folder, future in zip(folders, futures, strict=True)]
    return results, f"on Dask at {address}"


def dask_runner(address: str) -> Any:
    """Dask as a task runner. Raises SettingsError that says what to install where it is not."""
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise SettingsError(
            "prefect-dask is not installed", f"here and on every worker: {INSTALL}; see docs/chain.md"
        ) from error
    return DaskTaskRunner(address=address)


def _as_task(function: Callable[[str, str], State[Any]]) -> Task[[str, str], State[Any]]:
    """One shop; caching is off: a new night reads anew."""
    return task(name="shop", task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)(function)


def _on_worker(name: str, folder: str) -> State[Any]:  # noqa: ARG001 - the task run is named by it
    """In a worker of Dask, on any machine: all that it needs it reads from the shop's folder and the databases."""
    result = run_one(folder, _log, check_shared)
    if result.outcome == "wrong settings":
        result = result.model_copy(update={"did": f"{result.did} (on {os.uname().nodename})"})
    return _state(result)


def check_shared(shop: Shop) -> None:
    """Raise SettingsError where the shop's state is a file: workers of several machines would not share it, nor its
    lock, and a night that another worker does again would not know what the first one did.
    """
    if state_url(shop).get_backend_name() != "postgresql":
        raise SettingsError(
            f"shop {shop.name} keeps its state in a file, which Dask's workers do not share",
            "put it into PostgreSQL: [state] url_env in shop.toml, see docs/chain.md",
        )


def _log(name: str, seconds: float | None) -> None:
    if seconds is not None:
        get_run_logger().info("%s: %.2f s", name, seconds)


def _state(result: ShopResult) -> State[Any]:
    """The task's end: what the shop did in its message, all of it as data."""
    data = result.model_dump(mode="json")
    if not result.exit_code:
        return Completed(message=result.did, data=data)
    message = f"{result.did} — next: {result.next_step}" if result.next_step else result.did
    return Failed(name=result.outcome.capitalize(), message=message, data=data)


def _result(folder: str, future: PrefectFuture[Any]) -> ShopResult:
    """What a task brought. One that brought nothing: its worker died too often for Dask, or a defect of ours."""
    try:
        told = future.result(raise_on_failure=False)
    except Exception as error:
        told = error
    if isinstance(told, dict):
        return ShopResult.model_validate(told)
    return ended(folder, "crashed", 1, f"{type(told).__name__}: {told}", "look at the workers' logs, then run again")
