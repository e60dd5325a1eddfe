"""What the state and the history remember of a shop, or of a store with a separate memory (docs/adr/0010)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from engine.stages import SHOP_WIDE, Decided
from schemas.catalogue import Catalogue
from schemas.contents import Key
from schemas.errors import TorgsyncError
from schemas.guards import DRIFT_NIGHTS
from schemas.plan import Plan
from schemas.settings.shop import Shop
from state.database import Loaded, State
from state.history import History
from transforms.absence import Tombstone, due
from transforms.goods_flow import goods_flow
from transforms.numbers import number_changes
from transforms.redirects import Redirects, Retirement, expired_redirects, next_redirects

MOST_UNSETTLED = 10
"""At most so many catalogues of unsettled runs are read: a store that fails for weeks must not slow the nights down."""


@dataclass(frozen=True)
class Memory:
    """What is remembered when the run ``run`` of the night ``night`` (an ISO date) begins."""

    shop: Shop
    state: State
    history: History
    run: str
    night: str

    def key(self, store: str) -> str:
        """Whose memory a store uses: its own, or the shop's until it has had a separate catalogue once."""
        return store if store and self.state.loaded(store) is not None else SHOP_WIDE

    def last_loaded(self, store: str = SHOP_WIDE) -> tuple[Loaded | None, Catalogue | None]:
        """What was loaded last, and its catalogue where it is still kept."""
        loaded = self.state.loaded(self.key(store))
        kept = loaded is not None and self.history.has_catalogue(loaded.catalogue)
        return loaded, self.history.catalogue(loaded.catalogue) if loaded and kept else None

    def with_number_changes(self, decided: Decided) -> Decided:
        """The same, with the numbers that mean something else than in the last run. A section follows its goods."""
        _, previous = self.last_loaded()
        flow = None if previous is None else goods_flow(previous, decided.shop_wide.catalogue)
        return replace(decided, number_changes=number_changes(decided.meanings, self.state.registry(), flow))

    def week_ago(self) -> tuple[Catalogue, int] | None:
        """The oldest catalogue that was loaded within the last DRIFT_NIGHTS, and its age in nights.

        A run in which a guard was allowed to pass, and a rollback, begin the week anew: a person looked at what they
        loaded. None where that is the last load itself, or where it is kept no more.
        """
        oldest: dict[str, Any] | None = None
        last = self.state.loaded()
        for row in self.state.runs():
            if row["run"] == self.run or row["outcome"] != "ok" or row["purpose"] == "plan" or not row["catalogue"]:
                continue
            if self._age(row) > DRIFT_NIGHTS:
                break
            oldest = row
            if row["allowed"] or row["purpose"] == "rollback":
                break
        if oldest is None or last is None or oldest["catalogue"] == last.catalogue:
            return None
        if not self.history.has_catalogue(oldest["catalogue"]):
            return None
        return self.history.read_catalogue(oldest["catalogue"]), self._age(oldest)

    def _age(self, row: Mapping[str, Any]) -> int:
        return (date.fromisoformat(self.night) - date.fromisoformat(str(row["started_at"])[:10])).days

    def lost_state(self, present: Collection[str]) -> list[str]:
        """What proves earlier runs where the state remembers none, one clause each; nothing where it does remember.

        ``present`` names the stores that hold categories of ours.
        """
        if self.state.registry().meanings or self.state.loaded() is not None:
            return []
        kept = self.history.runs_with_plans() - {str(row["run"]) for row in self.state.runs()}
        found = [f"history/ holds the plans of {len(kept)} runs"] if kept else []
        return found + [f"store {store} holds categories that torgsync made" for store in present]

    def last_night(self) -> str | None:
        """The night that the shop was loaded last; None before the first."""
        loaded = self.state.loaded()
        return self.state.night_of(loaded.run) if loaded else None

    def tombstones(self, store: str = SHOP_WIDE) -> dict[Any, Tombstone]:
        """The tombstones that the state holds, by (entity, key)."""
        rows = self.state.tombstones(self.key(store))
        found = (Tombstone(**{**row, "path": tuple(row["path"] or ())}) for row in rows)
        return {(tombstone.entity, tombstone.key): tombstone for tombstone in found}

    def due_tombstones(self, store: str = SHOP_WIDE) -> list[Tombstone]:
        """What has been absent for long enough to be retired tonight."""
        return due(self.tombstones(store).values(), self.shop.removals.retire_after_nights, self.night)

    def redirects_for(self, decided: Decided, store: str = SHOP_WIDE) -> Redirects:
        """The redirects once a store's catalogue is loaded, by way of what stores showed since the last load."""
        catalogue, separate = decided.catalogues[store].catalogue, decided.separate
        reused = {change.number for change in decided.number_changes if change.kind == "number_reused"}
        _, previous = self.last_loaded(store)
        known, since = self.state.redirects(self.key(store)), self.state.redirects_since(self.key(store))
        expired = expired_redirects(since, self.night, self.last_night(), self.shop.redirects.keep_months)
        retired = [
            Retirement(tombstone.key, tombstone.path, tombstone.parent_number)
            for tombstone in self.due_tombstones(store)
            if tombstone.entity == "category"
        ]
        new: frozenset[Key] = frozenset()
        for between in self.unsettled(store, separate):
            found = next_redirects(known, previous, between, (), expired - new)
            known, previous, new = found.kept, between, new | found.new_redirects
        found = next_redirects(known, previous, catalogue, retired, expired - new, reused)
        return replace(found, new_redirects=found.new_redirects | new.intersection(found.kept.rows))

    def unsettled(self, store: str = SHOP_WIDE, separate: Collection[str] = ()) -> Iterator[Catalogue]:
        """Yield the catalogues that runs since the last load began to bring to a store, or to those of the shop.

        Such a run was interrupted, or failed in every store, before the settlement. What it showed is in no state, yet
        it left addresses and rows behind. Only the newest ones: each is read again by every caller. ``separate`` names
        stores with a separate memory, which do not count for the shop.
        """
        loaded = self.state.loaded(self.key(store))
        brought: list[str] = []
        for name, wrote in self.state.written_since(loaded.run if loaded else None).items():
            if name == self.run or (store and store not in wrote):
                continue
            plan = self._plan(name)
            for each in plan.stores if plan is not None else ():
                mine = each.store == store if store else not self.key(each.store) and each.store not in separate
                if plan is not None and mine and each.store in wrote:
                    brought.append(plan.target_state(each).catalogue)
        known = {loaded.catalogue} if loaded else set()
        for catalogue in [found for found in dict.fromkeys(brought) if found not in known][-MOST_UNSETTLED:]:
            with suppress(TorgsyncError):
                if self.history.has_catalogue(catalogue):
                    yield self.history.read_catalogue(catalogue)

    def _plan(self, run: str) -> Plan | None:
        with suppress(TorgsyncError):  # a plan that cannot be read any more must not stop a night
            return self.history.plan(run)
        return None
