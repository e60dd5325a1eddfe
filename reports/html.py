"""HTML pages of a plan and of a run. A page is one file: it loads nothing from a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.outputs import goods_below, preorder
from reports.plan import MOST, Names, blocks, named, plan_title, twin
from reports.summary import counted, phrase, store_sentence, title
from schemas.plan import Plan
from schemas.reasons import REASONS
from schemas.report import RunReport


@cache
def _environment() -> Environment:
    loader = PackageLoader("reports", "templates")
    return Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, cache_size=10
    )


def plan_page(plan: Plan, report: RunReport, names: Names | None = None) -> str:
    """Return the page of a plan: guards, then the operations of each store, removals first."""
    shown = {"title": plan_title(plan), "report": report, **_planned(plan, names)}
    return _environment().get_template("plan.html").render(shown)


def run_page(
    report: RunReport,
    plan: Plan | None = None,
    names: Names | None = None,
    rejected: Sequence[Mapping[Any, Any]] = (),
    categories: pd.DataFrame | None = None,
) -> str:
    """Return the page of a run: result and next step, then counts, plan, unmapped types, rejected rows and the tree."""
    unmapped = [item for item in report.unmapped_types if item.goods]
    shown = {
        "title": title(report),
        "report": report,
        "tiles": counted(report),
        "lost": [item for item in unmapped if item.category_number is None],
        "saved": [item for item in unmapped if item.category_number is not None],
        "rejected": rejected,
        "reasons": REASONS,
        "sentence": store_sentence,
        "result": phrase(report),
        "tree": [] if categories is None else tree(categories),
        "plan": None,
        "limit": MOST,
    }
    if plan is not None:
        shown |= _planned(plan, names)
    return _environment().get_template("run.html").render(shown)


def _planned(plan: Plan, names: Names | None) -> dict[str, Any]:
    all_names = {**named(plan), **(names or {})}
    stores = []
    for position, store in enumerate(plan.stores):
        same = twin(plan.stores[:position], store)
        found = blocks(store, all_names)
        if same is not None:
            found = [block for block in found if block.kind in ("redirect", "unredirect", "publish")]
        stores.append((store, found, same))
    return {"plan": plan, "stores": stores, "limit": MOST}


def tree(categories: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the category tree as a flat list of ``open``, ``leaf`` and ``close`` items.

    The list is flat so that the template needs no recursion, at any depth.
    """
    rows = [{str(name): value for name, value in row.items()} for row in categories.to_dict("records")]
    below = goods_below(rows)
    few = len(rows) <= MOST
    out: list[dict[str, Any]] = []
    opened: list[int] = []
    for row, has_children in preorder(rows):
        while opened and opened[-1] >= row["depth"]:
            opened.pop()
            out.append({"kind": "close"})
        if has_children:
            opened.append(row["depth"])
        shown = {name: row[name] for name in ("name", "number", "goods", "depth")}
        out.append(
            {**shown, "kind": "open" if has_children else "leaf", "below": below[int(row["number"])], "few": few}
        )
    return out + [{"kind": "close"} for _ in opened]
