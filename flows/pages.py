"""The pages of a plan and of a run, with the names of categories that only the history knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schemas.plan import Plan
from schemas.report import RunReport
from state.history import History


def category_names(history: History, plan: Plan) -> dict[int, str]:
    """Number → path of every category before and after a plan, as far as the history still knows them."""
    base = history.plan(plan.base) if plan.base else None
    names: dict[int, str] = {}
    for fingerprint in (base.catalogue if base else "", plan.catalogue):
        if history.has_catalogue(fingerprint):
            frame = history.categories(fingerprint)
            names |= {int(n): " › ".join(path) for n, path in zip(frame["number"], frame["path"], strict=True)}
    return names


def report_page(history: History, report: RunReport, plan: Plan | None, rejected: Sequence[Mapping[Any, Any]]) -> str:
    """A run's page."""
    from reports.html import run_page

    names = category_names(history, plan) if plan is not None else {}
    categories: pd.DataFrame | None = None
    if plan is not None and history.has_catalogue(plan.catalogue):
        categories = history.categories(plan.catalogue)
    return run_page(report, plan, names, rejected, categories)
