"""Pages of a plan and of a run, with names of categories from the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from engine.shops import shop_word
from schemas.command import COMMAND
from schemas.errors import SettingsError
from schemas.plan import Plan
from schemas.report import RunReport
from schemas.settings.shop import Shop
from state.database import State
from state.history import History
from state.open import open_state


def category_names(history: History, state: State, plan: Plan) -> dict[int, str]:
    """Map the number of every category before and after a plan to its path, as far as the history has them."""
    names: dict[int, str] = {}
    for fingerprint in dict.fromkeys((state.catalogue_of(plan.base), plan.catalogue)):
        if history.has_catalogue(fingerprint):
            names |= paths_of(history.categories(fingerprint))
    for store in plan.stores:  # categories of only a store's own catalogue
        if store.own is not None and history.has_catalogue(store.own.catalogue):
            names = paths_of(history.categories(store.own.catalogue)) | names
    return names


def paths_of(categories: pd.DataFrame) -> dict[int, str]:
    """Map the numbers of CATEGORIES to paths."""
    return {int(n): " › ".join(path) for n, path in zip(categories["number"], categories["path"], strict=True)}


def names_of_plan(shop: Shop, plan: Plan) -> dict[int, str]:
    """Return ``category_names`` of a shop's plan."""
    with open_state(shop) as state:
        return category_names(History(shop.folder / "history"), state, plan)


def report_page(
    history: History, state: State, report: RunReport, plan: Plan | None, rejected: Sequence[Mapping[Any, Any]]
) -> str:
    """Return the page of a run."""
    from reports.html import run_page  # only pages need jinja2

    if plan is None:
        return run_page(report, rejected=rejected)
    kept = history.has_catalogue(plan.catalogue)
    categories = history.categories(plan.catalogue) if kept else None
    return run_page(report, plan, category_names(history, state, plan), rejected, categories)


def read_report(shop: Shop, run: str) -> RunReport:
    """Read the report of a run from the state. Raises SettingsError where there is no such run, or no report."""
    from engine.runs.find import find_run

    row = find_run(shop, run, plans=True)
    if not row["report"]:
        raise SettingsError(
            f"run {row['run']} left no report ({row['outcome']}{': ' + row['message'] if row['message'] else ''})",
            f"{COMMAND} runs {shop_word(shop)}",
        )
    return RunReport.model_validate(row["report"])


def page_of(shop: Shop, run: str) -> str:
    """Return the page of a run, by its name."""
    report = read_report(shop, run)
    with open_state(shop) as state:
        history = History(shop.folder / "history")
        return report_page(history, state, report, history.plan(report.run), state.quarantine(report.run))
