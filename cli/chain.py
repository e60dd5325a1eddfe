"""``torgsync chain``: the sync of many shops, several at a time, and one report."""

from __future__ import annotations

import os
from pathlib import Path

from cli.console import note, out, out_json
from schemas.chain import ChainReport, ShopResult
from schemas.errors import SettingsError


def run_chain_command(
    shops: list[str] | None, workers: int | None, dask: str | None, flow: bool | None, as_json: bool, quiet: bool
) -> None:
    """Run the shops, print the report and exit with the worst code."""
    from engine.shops import find_shops

    folders = find_shops(shops or [])
    report = _run(folders, workers, dask, flow, as_json or quiet)
    if as_json:
        out_json({**report.model_dump(mode="json"), "exit_code": report.exit_code, "sentence": report.sentence})
    elif not quiet:
        from reports.chain import chain_text

        out(chain_text(report))
    if report.exit_code:
        note(f"torgsync: {report.sentence}")
    raise SystemExit(report.exit_code)


def _run(folders: list[str], workers: int | None, dask: str | None, flow: bool | None, silent: bool) -> ChainReport:
    if dask and (flow is False or not os.environ.get("PREFECT_API_URL")):
        raise SettingsError(
            "--dask needs a Prefect server, and PREFECT_API_URL is not set" if flow is not False
            else "--dask runs as a Prefect flow: it cannot be used with --no-flow",
            "start one and set PREFECT_API_URL, here and for the workers: docs/chain.md",
        )  # fmt: skip
    if dask and workers:
        raise SettingsError("--workers is for this machine: on Dask the workers decide", "leave out one of the two")
    if flow is None:
        flow = bool(os.environ.get("PREFECT_API_URL"))
    if flow:
        # the report shows failures: Prefect would print each failed task's whole result, twice
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        if not silent:
            note("running as a Prefect flow …")
        from flows.chain import run_chain_as_flow

        return run_chain_as_flow(folders, workers, dask)
    from engine.chain.chain import run_chain

    return run_chain(folders, workers, listen=None if silent else _step, tell=None if silent else _told)


def _step(shop: str, name: str, seconds: float | None) -> None:
    """Print whole lines, as several shops print at the same time."""
    if seconds is not None:
        note(f"  {Path(shop).name}: {name} {seconds:.2f} s")


def _told(shop: ShopResult) -> None:
    note(f"{shop.shop}: {shop.outcome} ({shop.seconds:.1f} s)")
