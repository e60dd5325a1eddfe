"""What each run of a shop did, for ``torgsync runs``."""

from __future__ import annotations

from typing import Any

from reports.runs import run_facts
from schemas.settings.shop import Shop
from state.open import open_state


def facts(shop: Shop) -> list[dict[str, Any]]:
    """Return every run of a shop, newest first, as ``reports.runs.run_facts`` describes it."""
    with open_state(shop) as state:
        rows, loaded = state.runs(), state.loaded()
    now, last = (loaded.run, loaded.last_successful) if loaded else (None, None)
    # only the newest run can have the lock
    return [run_facts(row, now, last, number == 0 and _is_running(shop, row)) for number, row in enumerate(rows)]


def _is_running(shop: Shop, row: dict[str, Any]) -> bool:
    """Tell whether a run with the outcome "running" still runs: a process has the lock of the shop."""
    if row["outcome"] != "running":
        return False
    from engine.lock import held  # slow to import, and seldom needed

    return held(shop)
