"""What a step of the main path has done, in a few words with its counts: the message of its task's state."""

from __future__ import annotations

from typing import Any

from engine.sections import Decisions
from engine.stages import Planned
from reports.summary import store_sentence
from schemas.catalogue import Catalogue
from schemas.extract import Extract
from schemas.plan import Plan
from schemas.report import StoreResult
from transforms.clean import Clean


def told(result: Any) -> str:
    """A step's result as a sentence; empty where there is nothing to count."""
    if isinstance(result, Extract):
        return (
            f"{len(result.product_types)} product types, {len(result.sections)} sections and "
            f"{len(result.goods)} goods read"
        )
    if isinstance(result, Clean):
        rejected = len(result.quarantine[["table", "row_number"]].drop_duplicates())
        return f"{len(result.goods)} goods pass, {rejected} rows in the quarantine"
    if isinstance(result, Decisions):
        return f"{len(result.clean.product_types)} product types in {len(result.numbered.sections)} sections"
    if isinstance(result, Catalogue):
        hidden = int(result.offers["category_number"].isna().sum())
        return f"{len(result.categories)} categories, {len(result.offers)} goods, {hidden} of them without a category"
    if isinstance(result, Planned):
        return _plan(result.plan)
    if isinstance(result, StoreResult):
        return store_sentence(result)
    return ""


def _plan(plan: Plan) -> str:
    if plan.empty:
        return "nothing to do"
    number = sum(len(store.operations) for store in plan.stores)
    stops = dict.fromkeys(violation.guard for violation in plan.guards if violation.level == "stop")
    stopped = f"; guards: {', '.join(stops)}" if stops else ""
    return f"{number} operations in {len(plan.stores)} stores{stopped}"
