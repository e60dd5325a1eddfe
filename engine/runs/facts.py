"""What each run of a shop did, as ``torgsync runs`` lists it."""

from __future__ import annotations

from typing import Any

from reports.runs import run_facts
from schemas.settings.shop import Shop
from state.open import open_state


def facts(shop: Shop) -> list[dict[str, Any]]:
    """Every run of a shop, newest first, each as ``reports.runs.run_facts`` gives it."""
    with open_state(shop) as state:
        rows, loaded = state.runs(), state.loaded()
    now, last = (loaded.run, loaded.last_successful) if loaded else (None, None)
    # only the newest run can be the one that holds the shop
    return [run_facts(row, now, last, number == 0 and _goes_on(shop, row)) for number, row in enumerate(rows)]


def _goes_on(shop: Shop, row: dict[str, Any]) -> bool:
    """Whether a run that says so is running still: somebody holds the shop."""
    if row["outcome"] != "running":
        return False
    from engine.lock import held  # its libraries cost more than all the rest, and it is seldom needed

    return held(shop)
