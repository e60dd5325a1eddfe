"""Finds earlier runs by name, by night, or by what they loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from engine.shops import shop_word
from schemas.command import COMMAND
from schemas.errors import SettingsError, closest
from schemas.plan import Plan
from schemas.settings.shop import Shop
from state.history import History
from state.open import open_state


def find_run(shop: Shop, run: str, plans: bool = False) -> dict[str, Any]:
    """Return the row of a run by name, start of the name, or ``last``; with ``plans`` also runs that only planned.

    Raises SettingsError that names the closest runs.
    """
    with open_state(shop) as state:
        rows = [row for row in state.runs() if plans or row["purpose"] != "plan"]
    refused = ("apply", "resume", "retry")  # without a catalogue: they were refused, and cannot be resumed
    last = [row for row in rows if plans or row["catalogue"] or row["purpose"] not in refused]
    if found := _chosen(rows, last, run):
        return found
    names = [str(row["run"]) for row in rows]
    raise SettingsError(f'shop {shop.name} has no run "{run}"', closest(run, names[:20]) if names else "run sync first")


def find_loaded_run(shop: Shop, run: str) -> dict[str, Any]:
    """Return a run that any store took, or may have taken before the run died; it is found as ``find_run`` does.

    A run that a guard stopped is refused: a rollback must not load what the guard kept out.
    """
    with open_state(shop) as state:
        begun = {now.run for now in state.confirmed().values()} | set(state.written_since(None))
        rows = [row for row in state.runs() if row["purpose"] != "plan" and row["catalogue"]]
    loaded = [row for row in rows if row["outcome"] == "ok" or row["run"] in begun or stores_that_took(row)]
    if found := _chosen(loaded, loaded, run):
        return found
    names = ", ".join(row["run"] for row in loaded[:5])
    row = find_run(shop, run)
    raise SettingsError(
        f"run {row['run']} ({row['outcome']}) was not loaded into any store",
        f"choose another: {names}" if names else "no run was loaded yet",
    )


def stores_that_took(row: Mapping[str, Any]) -> list[str]:
    """Return the stores that took the catalogue of a run, by its report."""
    return _stores(row, "ok")


def stores_that_failed(row: Mapping[str, Any]) -> list[str]:
    """Return the stores that failed in a run, by its report."""
    return _stores(row, "failed")


def _stores(row: Mapping[str, Any], outcome: str) -> list[str]:
    return [store["name"] for store in (row["report"] or {}).get("stores", []) if store["outcome"] == outcome]


def run_to_retry(shop: Shop, run: str) -> tuple[dict[str, Any], list[str]]:
    """A run and its stores that failed. ``last`` is the last run with a failed store that no later run has loaded.

    Later runs that were refused, only planned, or were for other stores do not matter. Where no store is behind,
    ``last`` is what it is elsewhere, and its list is empty. Raises SettingsError that names the closest runs.
    """
    if run == "last":
        with open_state(shop) as state:
            rows = [row for row in state.runs() if row["purpose"] != "plan"]
        stores, loaded = {store.name for store in shop.stores}, set[str]()
        for row in rows:
            if behind := [store for store in stores_that_failed(row) if store in stores - loaded]:
                return row, behind
            loaded.update(stores_that_took(row))
    row = find_run(shop, run)
    return row, [] if run == "last" else stores_that_failed(row)


def run_of_night(shop: Shop, night: date | None) -> str:
    """Return the last run of a night that every store took: the target of a rollback to that night.

    Raises SettingsError with the available nights.
    """
    with open_state(shop) as state:
        ended = [row for row in state.runs() if row["outcome"] == "ok" and row["purpose"] != "plan"]
    loaded = [(row["started_at"][:10], str(row["run"])) for row in ended if row["catalogue"]]
    found = [run for date_, run in loaded if night is not None and date_ == night.isoformat()]
    if found:
        return found[0]
    nights = list(dict.fromkeys(date_ for date_, _ in loaded))
    asked = "no night was given" if night is None else f"no run of shop {shop.name} was loaded on {night}"
    raise SettingsError(asked, f"nights to go back to: {', '.join(nights[:20])}" if nights else "run sync first")


def run_of_flow(shop: Shop, flow_run: str) -> str | None:
    """Return the run to resume when Prefect retries a flow run: its last one, if that has a plan and did not end.

    None where there is none. After a stop by a guard or a person a new run begins, as the base may be correct by now.
    """
    with open_state(shop) as state:
        mine = [row for row in state.runs() if flow_run and row["flow_run"] == flow_run and row["purpose"] != "plan"]
    begun = ("running", "interrupted", "failed", "some stores failed")
    if not mine or mine[0]["outcome"] not in begun or History(shop.folder / "history").plan(mine[0]["run"]) is None:
        return None
    return str(mine[0]["run"])


def plan_of_run(shop: Shop, row: Mapping[str, Any]) -> Plan:
    """Return the plan of a run. Raises SettingsError where it ended before it had one."""
    plan = History(shop.folder / "history").plan(row["run"])
    if plan is None:
        raise SettingsError(
            f"run {row['run']} ended before it had a plan ({row['outcome']}): it wrote nothing to any store",
            f"{COMMAND} sync {shop_word(shop)}",
        )
    return plan


def _chosen(rows: Sequence[dict[str, Any]], last: Sequence[dict[str, Any]], run: str) -> dict[str, Any] | None:
    """Return the row with this name or start of a name; for ``last`` the first of those rows; None for no match."""
    found = list(last[:1]) if run == "last" else [row for row in rows if row["run"].startswith(run)]
    if len(found) > 1 and found[0]["run"] != run:
        names = ", ".join(row["run"] for row in found[:5])
        raise SettingsError(f'several runs begin with "{run}": {names}', "give the whole name")
    return found[0] if found else None
