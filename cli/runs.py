"""``torgsync runs``: what was run, and what changed between two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cli.console import out, out_json
from engine.setup.shops import load_shop, shop_word
from schemas.errors import SettingsError
from schemas.settings.shop import Shop
from state.url import state_url


def run_list(name: str | None, limit: int, as_json: bool) -> None:
    """Print the newest runs of one shop, or of all shops that are found."""
    from reports.runs import runs_text

    shops = [load_shop(name)] if name else _shops()
    found = {shop.name: facts(shop) for shop in shops}
    if as_json:
        shown = {shop: runs[:limit] for shop, runs in found.items()}
        out_json(shown[shops[0].name] if name else shown)
        return
    for shop, runs in found.items():
        out(runs_text(shop, runs[:limit], max(0, len(runs) - limit)))


def facts(shop: Shop) -> list[dict[str, Any]]:
    """Every run of a shop, newest first."""
    from engine.lock import held
    from reports.runs import run_facts
    from state.database import State

    state = State(state_url(shop), shop.name)
    try:
        rows, loaded = state.runs(), state.loaded()
    finally:
        state.close()
    runs_now = any(row["outcome"] == "running" for row in rows) and held(shop)
    now, last = (loaded.run, loaded.last_successful) if loaded else (None, None)
    newest = True
    out = []
    for row in rows:  # only the newest run can be the one that holds the shop
        out.append(run_facts(row, now, last, runs_now and newest))
        newest = False
    return out


def _shops() -> list[Shop]:
    """The shop of this folder, or those below ``shops/``."""
    if Path("shop.toml").is_file():
        return [load_shop(Path())]
    found = [load_shop(path) for path in sorted(Path("shops").glob("*/shop.toml"))]
    if not found:
        raise SettingsError("no shop here", "give one: torgsync runs SHOP")
    return found


def _run(shop: Shop, run: str) -> dict[str, Any]:
    """A run by its name; ``last`` is the newest one that came as far as a catalogue."""
    from engine.runs.find import find_run

    if run == "last":
        with_catalogue = [str(row["run"]) for row in _rows(shop) if row["catalogue"]]
        run = with_catalogue[0] if with_catalogue else run
    return find_run(shop, run, plans=True)


def _rows(shop: Shop) -> list[dict[str, Any]]:
    """The rows of ``runs``, newest first."""
    from state.database import State

    state = State(state_url(shop), shop.name)
    try:
        return state.runs()
    finally:
        state.close()


def run_diff(name: str, before: str, after: str, as_json: bool) -> None:
    """Print what changed in the catalogue from run ``before`` to run ``after``."""
    from reports.runs import diff_text
    from schemas.contents import Rows
    from state.history import History
    from transforms.plan import Absent, operations, wanted_contents

    shop = load_shop(name)
    history = History(shop.folder / "history")
    rows = [_run(shop, run) for run in (before, after)]
    for row in rows:
        if not row["catalogue"]:
            raise SettingsError(
                f"run {row['run']} ended before it had a catalogue ({row['outcome']})",
                f"choose another: torgsync runs {shop_word(shop)}",
            )
    old, new = (history.catalogue(row["catalogue"]) for row in rows)
    found = operations(wanted_contents(new, Rows()), wanted_contents(old, Rows()), Absent())
    if as_json:
        told = [json.loads(operation.line()) for operation in found]
        out_json({"shop": shop.name, "before": rows[0]["run"], "after": rows[1]["run"], "operations": told})
        return
    names: dict[int, str] = {}
    for catalogue in (old, new):
        frame = catalogue.categories
        names |= {int(n): " › ".join(path) for n, path in zip(frame["number"], frame["path"], strict=True)}
    out(diff_text(f"{shop.name}: from run {rows[0]['run']} to run {rows[1]['run']}", found, names))
