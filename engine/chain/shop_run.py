"""One shop's night as plain data. A failure is a result and is not raised, so that no other shop is affected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from engine.main_path import sync
from engine.shops import load_shop
from engine.steps import Steps
from reports.summary import phrase
from schemas.chain import ChainOutcome, ShopResult
from schemas.command import COMMAND
from schemas.errors import Interrupted, SettingsError, ShopBusy, TorgsyncError
from schemas.report import RunReport
from schemas.settings.shop import Shop

Listen = Callable[[str, float | None], None]
"""Called at the start (seconds None) and the end of each step."""


def run_one(folder: str, listen: Listen | None = None, check: Callable[[Shop], None] | None = None) -> ShopResult:
    """Run the sync of the shop in ``folder`` in this process and return its result. ``check`` may raise SettingsError.

    An unexpected error is an outcome too; ``engine.session`` has recorded its run.
    """
    begin = perf_counter()
    try:
        shop = load_shop(folder)
        if check is not None:
            check(shop)
        result = of_report(folder, sync(shop, steps=Steps(listen)))
    except ShopBusy as error:
        result = ended(folder, "busy", error.exit_code, error.message, error.next_step)
    except SettingsError as error:
        result = ended(folder, "wrong settings", error.exit_code, error.message, error.next_step)
    except TorgsyncError as error:
        result = ended(folder, "failed", error.exit_code, error.message, error.next_step)
    except (KeyboardInterrupt, Interrupted) as error:
        result = ended(folder, "interrupted", getattr(error, "exit_code", 130), "stopped by a signal", "run again")
    except Exception as error:
        result = ended(folder, "failed", 1, f"{type(error).__name__}: {error}", f"{COMMAND} runs {folder}")
    return result.model_copy(update={"seconds": round(perf_counter() - begin, 2)})


def of_report(folder: str, report: RunReport) -> ShopResult:
    """Return the report of a run as a row of the chain's report."""
    outcome: ChainOutcome = "failed" if report.outcome == "running" else report.outcome
    return ShopResult(
        shop=report.shop, folder=folder, outcome=outcome, exit_code=report.exit_code, run=report.run,
        did=phrase(report), next_step=report.next_step, goods=report.counts.get("goods_loaded"),
        written=sum(store.written for store in report.stores),
    )  # fmt: skip


def ended(folder: str, outcome: ChainOutcome, exit_code: int, did: str, next_step: str = "") -> ShopResult:
    """Return the result of a shop whose run left no report."""
    return ShopResult(
        shop=name_of(folder), folder=folder, outcome=outcome, exit_code=exit_code, did=did, next_step=next_step
    )


def name_of(folder: str) -> str:
    """Return the name of the shop, or of its folder where the settings cannot be read."""
    try:
        return load_shop(folder).name
    except SettingsError:
        return Path(folder).name
