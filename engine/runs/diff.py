"""What changed in a shop's catalogue from one run to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.runs.find import find_run
from engine.runs.pages import paths_of
from engine.shops import shop_word
from schemas.command import COMMAND
from schemas.contents import Rows
from schemas.errors import SettingsError
from schemas.plan import Operation
from schemas.settings.shop import Shop
from state.history import History
from state.open import open_state
from transforms.plan import Absent, operations, wanted_contents


@dataclass(frozen=True)
class Difference:
    """The operations from the catalogue of run ``before`` to that of ``after``; ``names``: number → path."""

    before: str
    after: str
    operations: tuple[Operation, ...]
    names: dict[int, str]


def difference(shop: Shop, before: str, after: str) -> Difference:
    """Compare the kept catalogues of two runs, each given by name, start of the name, or ``last``.

    Raises SettingsError for an unknown run or one without a catalogue, StalePlan for a deleted catalogue.
    """
    rows = [_run(shop, run) for run in (before, after)]
    for row in rows:
        if not row["catalogue"]:
            raise SettingsError(
                f"run {row['run']} ended before it had a catalogue ({row['outcome']})",
                f"choose another: {COMMAND} runs {shop_word(shop)}",
            )
    history = History(shop.folder / "history")
    old, new = (history.catalogue(row["catalogue"]) for row in rows)
    found = operations(wanted_contents(new, Rows()), wanted_contents(old, Rows()), Absent())
    names = paths_of(old.categories) | paths_of(new.categories)
    return Difference(rows[0]["run"], rows[1]["run"], tuple(found), names)


def _run(shop: Shop, run: str) -> dict[str, Any]:
    """Return a run by its name; ``last`` is the one that is loaded, else the newest one with a catalogue."""
    if run == "last":
        with open_state(shop) as state:
            loaded = state.loaded()
            planned = (str(row["run"]) for row in state.runs() if row["catalogue"])
            run = loaded.run if loaded is not None else next(planned, run)
    return find_run(shop, run, plans=True)
