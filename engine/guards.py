"""Evaluates every guard of a plan, in one place; what each measures stands in ``transforms.guards``.

Guards compare with what was loaded last, shop-wide, and with what each store took last (docs/adr/0009).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.context import Run
from engine.stages import SHOP_WIDE, Comparison, Decided, Planned
from schemas.plan import GuardViolation
from schemas.settings.shop import GuardsSettings
from state.database import Confirmed, Loaded
from transforms.guards import (
    Limits,
    allowance,
    catalogue_violations,
    category_violations,
    check_violations,
    drift_violations,
    extract_violations,
    feed_violations,
    first_feed_violations,
    first_night_violations,
    history_violations,
    number_violations,
    state_violations,
    store_violations,
    taken_violations,
    told_sentences,
)

_OF_A_ROLLBACK = ("moved_goods", "moved_categories", "root_vanished")
"""A rollback reads no base. The other guards that compare catalogues look at the extract, and have nothing to say."""

_ON_CATEGORIES = {"moved_goods", "moved_categories", "root_vanished", "second_root", "renumbered"}

PRICED_FEEDS = ("yml", "google")
"""Kinds of feeds that leave out a good without a price."""


@dataclass(frozen=True)
class GuardCheck:
    """Evaluates the guards of one run on what was decided for it."""

    run: Run
    decided: Decided

    def all(self, compared: Mapping[str, Comparison]) -> tuple[GuardViolation, ...]:
        """Every violation: of the shop's catalogue, then of each store that was compared, in their order."""
        of_stores = (each for store, comparison in compared.items() for each in self._store(store, comparison))
        return (
            *self._lost_state(compared),
            *self._history([SHOP_WIDE, *compared]),
            *self._shop_wide(),
            *self._empty_feeds(),
            *of_stores,
        )

    @property
    def _limits(self) -> Limits:
        return limits(self.run.shop.guards)

    def _shop_wide(self) -> list[GuardViolation]:
        """What compares with the last load; without a history, the counts that the state has remain."""
        run, decided = self.run, self.decided
        loaded, previous = run.memory.last_loaded()
        catalogue = decided.shop_wide.catalogue
        found = number_violations(decided.number_changes)
        if loaded is not None and decided.extract is not None:
            found += extract_violations(decided.row_counts, loaded.counts, self._limits)
        if previous is not None:
            found += self._of_this_run(catalogue_violations(catalogue, previous, self._limits))
        elif loaded is None and decided.extract is not None:
            found += first_night_violations(catalogue, self._limits)
        if decided.extract is not None and (week_ago := run.memory.week_ago()) is not None:
            found += drift_violations(catalogue, week_ago[0], self._limits, week_ago[1])
        return found

    def _lost_state(self, compared: Mapping[str, Comparison]) -> list[GuardViolation]:
        """Whether the state lost what earlier runs left in the history and in the stores."""
        present = [store for store, comparison in compared.items() if len(comparison.present.categories)]
        return state_violations(self.run.memory.lost_state(present), self._goods)

    def _empty_feeds(self) -> list[GuardViolation]:
        """Feeds of priced goods that would be empty: the whole shop stops, not only that store."""
        found: list[GuardViolation] = []
        for memory in self.decided.stores:
            loaded, previous = self.run.memory.last_loaded(memory)
            stores = [
                store.name
                for store in self.run.stores
                if store.kind in PRICED_FEEDS and (store.name if store.name in self.decided.separate else "") == memory
            ]
            catalogue = self.decided.catalogues[memory].catalogue
            found += feed_violations(catalogue, previous, stores)
            if loaded is None and self.decided.extract is not None:
                found += first_feed_violations(catalogue, stores)
        return found

    def _of_this_run(self, found: Iterable[GuardViolation]) -> list[GuardViolation]:
        return [each for each in found if self.decided.extract is not None or each.guard in _OF_A_ROLLBACK]

    def _history(self, stores: Iterable[str]) -> list[GuardViolation]:
        """Whether the history holds what the run has to compare with: the last catalogue of the shop and of stores.

        A store that cannot be read tonight is not asked: it gets nothing, and must not keep the others from theirs.
        """
        confirmed, history = self.run.state.confirmed(), self.run.history
        lost: dict[str, str] = {}
        seen: set[str] = set()
        for store in stores:
            found: Loaded | Confirmed | None = confirmed.get(store) or self.run.state.loaded(store)
            if found is not None and found.catalogue not in seen and not history.has_catalogue(found.catalogue):
                seen.add(found.catalogue)
                lost[store] = found.run
        return history_violations(lost, self._goods)

    @property
    def _goods(self) -> int:
        return self.decided.row_counts.get("raw_goods", len(self.decided.shop_wide.catalogue.offers))

    def _store(self, store: str, comparison: Comparison) -> list[GuardViolation]:
        """The guards on what a plan does to one store."""
        found = store_violations(store, comparison.present, comparison.operations, self._limits)
        confirmed = self.run.state.confirmed().get(store)
        if confirmed is None:
            return found + self._taken(store, comparison)
        return found + self._categories(store, confirmed)

    def _taken(self, store: str, comparison: Comparison) -> list[GuardViolation]:
        """Numbers of a store that took nothing from us yet: only the store itself tells what they meant there."""
        sections, shown = self.decided.catalogues[store].catalogue.sections, comparison.present.categories
        origins = dict(zip(sections["number"].astype(int), sections["number_origin"], strict=True))
        known = {
            number
            for number, meaning in self.run.state.registry().meanings.items()
            if number in shown.rows
            and (shown.value(number, "name"), shown.value(number, "parent_number"))
            == (meaning.name, meaning.parent_number)
        }
        return taken_violations(store, comparison.wanted.contents.categories, shown, origins, known)

    def _categories(self, store: str, confirmed: Confirmed) -> list[GuardViolation]:
        """The guards on categories by what this store took last, where that is not what the shop loaded last.

        It has a separate catalogue; or a run left it out in which more was allowed than was allowed for this store. A
        store that was only out of reach is not asked: each step that it missed passed the guards.
        """
        run, separate = self.run, store in self.decided.separate
        loaded = run.state.loaded()
        if not run.history.has_catalogue(confirmed.catalogue):
            return []
        same = loaded is None or loaded.catalogue == confirmed.catalogue
        if not separate and (same or not self._allowed_since(confirmed.run)):
            return []
        before = run.history.catalogue(confirmed.catalogue)
        found = category_violations(self.decided.catalogues[store].catalogue, before, self._limits)
        found = found if separate else self._of_this_run(found)
        return [each.model_copy(update={"store": store}) for each in found]

    def _allowed_since(self, confirmed: str) -> bool:
        """Whether a run after ``confirmed`` was allowed more than the guards on categories let pass."""
        for row in self.run.state.runs():
            if row["run"] == confirmed:
                return False
            if set(row["allowed"] or {}) & _ON_CATEGORIES:
                return True
        return True  # that run is not on record any more


def stop_at_guards(run: Run, planned: Planned) -> None:
    """Keep the plan, then raise GuardStop where it violates a guard that this run does not allow."""
    plan, allow = planned.plan, run.options.allow
    run.history.save_plan(run.name, plan)
    run.report.guard_notes = told_sentences(plan.guards)
    run.warn(*run.report.guard_notes)
    stops = [violation for violation in plan.guards if violation.level == "stop"]
    passed = {violation.guard for violation in stops if violation.measured <= allowance(violation, allow)}
    granted = {guard: number for guard, number in allow.items() if guard in passed}
    run.state.note_plan(run.name, plan.catalogue, plan.extract, granted)
    for violation in check_violations(plan.guards, allow, run.command):
        run.report.allowed[violation.guard] = max(violation.measured, run.report.allowed.get(violation.guard, 0))
        run.warn(f"guard «{violation.guard}» was allowed to pass: {violation.text}")


def with_guards(run: Run, planned: Planned) -> Planned:
    """A kept plan with the guards as they are now: those that its file lists are not believed."""
    guards = GuardCheck(run, planned.decided).all(planned.compared)
    plan = planned.plan.model_copy(update={"guards": guards})
    run.findings.plan = plan
    return replace(planned, plan=plan)


def limits(settings: GuardsSettings) -> Limits:
    """The shop's guards as the transforms take them."""
    return Limits(**settings.model_dump())
