"""What the state and the history remember of a shop, or of a store with a past of its own (docs/adr/0010)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from engine.run import Run
from schemas.catalogue import Catalogue
from schemas.contents import Key
from schemas.errors import TorgsyncError
from state.database import Loaded
from transforms.absence import Tombstone, due
from transforms.redirects import Redirects, Retirement, expired_redirects, next_redirects

MOST_UNSETTLED = 10
"""So many catalogues of runs that were not settled are looked at: a store that fails for weeks must slow no night."""


def past(run: Run, store: str) -> str:
    """Whose past a store has: its own, or the shop's (``""``) as long as it has never had a catalogue of its own."""
    return store if store and run.state.loaded(store) is not None else ""


def last_loaded(run: Run, store: str = "") -> tuple[Loaded | None, Catalogue | None]:
    """What was loaded last, and its catalogue where it is still kept."""
    loaded = run.state.loaded(past(run, store))
    kept = loaded is not None and run.history.has_catalogue(loaded.catalogue)
    return loaded, run.history.catalogue(loaded.catalogue) if loaded and kept else None


def stones(run: Run, store: str = "") -> dict[Any, Tombstone]:
    """The tombstones that the state holds."""
    rows = run.state.tombstones(past(run, store))
    found = (Tombstone(**{**row, "path": tuple(row["path"] or ())}) for row in rows)
    return {(stone.entity, stone.key): stone for stone in found}


def wanted_redirects(run: Run, catalogue: Catalogue, previous: Catalogue | None, store: str = "") -> Redirects:
    """The redirects once ``catalogue`` is loaded, by way of what stores showed since ``previous`` was."""
    known, since = run.state.redirects(past(run, store)), run.state.redirects_since(past(run, store))
    night, months = run.report.started_at[:10], run.shop.redirects.keep_months
    expired = expired_redirects(since, night, last_night(run), months)
    graves = [Retirement(s.key, s.path, s.parent_number) for s in buried(run, store) if s.entity == "category"]
    fresh: frozenset[Key] = frozenset()
    for between in unsettled(run, store):
        found = next_redirects(known, previous, between, (), expired - fresh)
        known, previous, fresh = found.kept, between, fresh | found.fresh
    found = next_redirects(known, previous, catalogue, graves, expired - fresh)
    return replace(found, fresh=found.fresh | fresh.intersection(found.kept.rows))


def unsettled(run: Run, store: str = "") -> Iterator[Catalogue]:
    """The catalogues that runs since the last load began to bring to a store, or to those that share the shop's past.

    Such a run was interrupted, or failed in every store, ahead of the settlement: what it showed stands in no state,
    and leaves addresses and rows behind all the same. The newest ones only: each is read again by whoever asks.
    """
    loaded = run.state.loaded(past(run, store))
    brought: list[str] = []
    for name, wrote in run.state.written_since(loaded.run if loaded else None).items():
        if name == run.report.run or (store and store not in wrote):
            continue
        plan = None
        with suppress(TorgsyncError):  # one that cannot be read any more must not stop a night
            plan = run.history.plan(name)
        if plan is None:
            continue
        for each in plan.stores:
            mine = each.store == store if store else not past(run, each.store) and each.store not in run.own
            if mine and each.store in wrote:
                brought.append(plan.target_state(each).catalogue)
    known = {loaded.catalogue} if loaded else set()
    for catalogue in [found for found in dict.fromkeys(brought) if found not in known][-MOST_UNSETTLED:]:
        with suppress(TorgsyncError):
            if run.history.has_catalogue(catalogue):
                yield run.history.read_catalogue(catalogue)


def last_night(run: Run) -> str | None:
    """The night that the shop was loaded last; None before the first."""
    loaded = run.state.loaded()
    return run.state.night_of(loaded.run) if loaded else None


def buried(run: Run, store: str = "") -> list[Tombstone]:
    """What has been absent for long enough to be retired tonight."""
    return due(stones(run, store).values(), run.shop.removals.retire_after_nights, run.report.started_at[:10])
