"""``torgsync explain``: why a good is in its category, from the outputs of the last run."""

from __future__ import annotations

from cli.console import out, out_json
from engine.runs.explain import explain
from engine.shops import load_shop
from schemas.errors import SettingsError


def run_explain(name: str, key: str, as_json: bool) -> None:
    """Print the decisions for the goods that ``key`` names, in the last finished run."""
    shop = load_shop(name)
    found = explain(shop.output, key)
    if not found:
        raise SettingsError(f'nothing in the last run matches "{key}"', "try a good's id, type:ID, number:N or a name")
    if as_json:
        out_json(found)
        return
    for item in found[:20]:
        out(f"{item['good_id']}  {item.get('name', '')}")
        out(f"    category: {item['category']}")
        out(f"    decided by {item['decided_by']}: {item['why']}")
        for store, other in item.get("stores", {}).items():
            out(f"    in store {store}: {other['category']}, decided by {other['decided_by']}: {other['why']}")
    if len(found) > 20:
        out(f"… and {len(found) - 20} more (all of them with --json)")
