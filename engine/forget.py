"""Deletes what is too old, at the end of every run: a shop whose nights all end badly must not fill the disk either."""

from __future__ import annotations

from engine.context import Run
from engine.stages import SHOP_WIDE


def forget(run: Run) -> None:
    """Delete what no run that is kept, no store and no rollback needs any more, from the state and the history.

    Called when the run is recorded. Raises OSError and the state's errors; what is left is deleted after a later run.
    """
    run.state.forget(run.shop.history.keep_runs, run.name)
    rows = run.state.runs()
    loaded = [run.state.loaded(store) for store in (SHOP_WIDE, *(store.name for store in run.shop.stores))]
    catalogues = {row["catalogue"] for row in rows} | {item.catalogue for item in run.state.confirmed().values()}
    catalogues |= {each.catalogue for each in loaded if each is not None}
    for row in rows:  # those of stores with rules of their own: a rollback needs them
        catalogues |= {own["catalogue"] for own in (row["report"] or {}).get("own_catalogues", {}).values()}
    if (plan := run.findings.plan) is not None:
        catalogues |= {plan.target_state(store).catalogue for store in plan.stores}
    run.history.forget(
        {c for c in catalogues if c}, {row["extract"] for row in rows if row["extract"]}, {row["run"] for row in rows}
    )
