"""``torgsync runs``: lists runs, and what changed between two of them."""

from __future__ import annotations

import json

from cli.console import out, out_json
from engine.shops import load_shop


def run_list(name: str | None, limit: int, as_json: bool) -> None:
    """Print the newest runs of one shop, or of all shops that are found."""
    from engine.runs.facts import facts
    from engine.shops import shops_here
    from reports.runs import runs_text

    shops = [load_shop(shop) for shop in ([name] if name else shops_here("runs"))]
    found = {shop.name: facts(shop) for shop in shops}
    if as_json:
        shown = {shop: runs[:limit] for shop, runs in found.items()}
        out_json(shown[shops[0].name] if name else shown)
        return
    for shop, runs in found.items():
        out(runs_text(shop, runs[:limit], max(0, len(runs) - limit)))


def run_diff(name: str, before: str, after: str, as_json: bool) -> None:
    """Print what changed in the catalogue from run ``before`` to run ``after``."""
    from engine.runs.diff import difference
    from reports.runs import diff_text

    shop = load_shop(name)
    found = difference(shop, before, after)
    if as_json:
        operations = [json.loads(operation.line()) for operation in found.operations]
        out_json({"shop": shop.name, "before": found.before, "after": found.after, "operations": operations})
        return
    title = f"{shop.name}: from run {found.before} to run {found.after}"
    out(diff_text(title, found.operations, found.names))
