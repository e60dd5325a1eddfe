"""The stages of one run, in their order: ``Extracted``, ``Decided``, ``Planned``, ``Applied``.

Each is frozen and is made whole by one step of the main path. A step takes the stage before it, so it never asks
whether an earlier step has happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import pandas as pd

from engine.sections import Decisions
from schemas.catalogue import Catalogue
from schemas.contents import Contents, Entity
from schemas.extract import Extract
from schemas.plan import Operation, Plan
from schemas.registry import Meaning, NumberChange
from schemas.report import Outcome, StoreResult
from schemas.rules import Rules
from stores.protocol import StoreAdapter, Wanted
from transforms.clean import Clean
from transforms.numbers import meanings_of

SHOP_WIDE: Final = ""
"""Stands for the whole shop where a mapping is keyed by store."""

Held = Mapping[Entity, list[int]]
"""Keys per entity whose source row is in the quarantine: what a store holds of them stays as it is."""


@dataclass(frozen=True)
class Extracted:
    """What was read tonight: the raw tables, their fingerprint in the history, the shop's rules, the rows that pass."""

    extract: Extract
    fingerprint: str
    rules: Rules
    clean: Clean


@dataclass(frozen=True)
class StoreCatalogue:
    """What a store shall hold. ``decisions`` is None where the catalogue comes from the history."""

    catalogue: Catalogue
    held: Held = field(default_factory=dict)
    decisions: Decisions | None = None


@dataclass(frozen=True)
class Decided:
    """The catalogue of every store, by store; stores that share one hold the same object.

    ``catalogues[SHOP_WIDE]`` is the one that most stores share. ``separate`` names the stores with a memory of their
    own: rules are for them only, or were (docs/adr/0010). ``extract`` is None where the catalogue comes from the
    history alone, as in a rollback; ``fingerprint`` is that of the extract. ``rules`` are those that decided.
    ``number_changes`` are numbers that mean something else than in the last run.
    """

    catalogues: Mapping[str, StoreCatalogue]
    separate: frozenset[str] = frozenset()
    extract: Extract | None = None
    fingerprint: str = ""
    rules: Rules | None = None
    number_changes: tuple[NumberChange, ...] = ()

    @property
    def shop_wide(self) -> StoreCatalogue:
        """The catalogue that all stores without a separate one share."""
        return self.catalogues[SHOP_WIDE]

    @property
    def row_counts(self) -> dict[str, int]:
        """Rows of each raw table; empty where no base was read."""
        return {} if self.extract is None else row_counts(self.extract)

    @property
    def stores(self) -> tuple[str, ...]:
        """SHOP_WIDE, then the stores with a separate memory, in the order of shop.toml."""
        return (SHOP_WIDE, *(store for store in self.catalogues if store in self.separate))

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        """What each number means: by the shop-wide catalogue, else by the first store that has a catalogue with it."""
        found: dict[int, Meaning] = {}
        for store in self.stores:
            found = {m.number: m for m in meanings_of(self.catalogues[store].catalogue.sections)} | found
        return tuple(found.values())

    def with_separate(self, stores: Iterable[str]) -> Decided:
        """The same, with these stores' memory separate."""
        return replace(self, separate=self.separate | frozenset(stores))


@dataclass(frozen=True)
class Comparison:
    """What a store holds against what it shall hold. ``operations`` bring the one to the other."""

    adapter: StoreAdapter
    wanted: Wanted
    present: Contents
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Planned:
    """A plan, the catalogues that it brings, and the stores as they were compared for it.

    ``unread`` are stores of which the plan has operations, and that cannot be read now.
    """

    plan: Plan
    decided: Decided
    compared: Mapping[str, Comparison] = field(default_factory=dict)
    unread: Mapping[str, Exception] = field(default_factory=dict)


@dataclass(frozen=True)
class Applied:
    """A plan that was applied: what was written to each store."""

    planned: Planned
    results: tuple[StoreResult, ...]


def row_counts(extract: Extract) -> dict[str, int]:
    """Rows of each raw table, by table."""
    return {
        "raw_product_types": len(extract.product_types),
        "raw_sections": len(extract.sections),
        "raw_goods": len(extract.goods),
    }


@dataclass
class Findings:
    """What the report, the output files and the alerts can tell of a run so far, however far it came.

    Steps only write here. None is what was not reached. ``broken``: the run ended by a signal or an unexpected error,
    so a store may be changed half way. ``before`` is the outcome of the nightly run before this one.
    """

    extract: Extract | None = None
    rejected: pd.DataFrame | None = None
    decided: Decided | None = None
    plan: Plan | None = None
    warnings: list[str] = field(default_factory=list)
    broken: bool = False
    before: Outcome | None = None
