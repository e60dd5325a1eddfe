"""What one run has gathered so far: a run that was stopped reports as much as it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from engine.sections import Decided
from schemas.catalogue import Catalogue
from schemas.contents import Entity
from schemas.errors import TorgsyncError
from schemas.extract import Extract
from schemas.plan import Plan
from schemas.report import Outcome, RunReport
from schemas.rules import Rules
from schemas.settings.shop import Shop
from schemas.settings.stores import StoreSettings
from state.database import State
from state.history import History
from stores.protocol import Wanted
from transforms.clean import Clean


@dataclass(frozen=True)
class OwnCatalogue:
    """The catalogue of a store that has rules of its own; ``decided`` is None where it comes from the history."""

    catalogue: Catalogue
    held: dict[Entity, list[int]]
    decided: Decided | None = None


@dataclass
class Run:
    """Filled step by step by ``engine.main_path``; ``None`` is a step that was not reached.

    ``command`` is what a person types to do the same again; ``only`` names the stores that the run may touch, none for
    all; ``extract`` is the extract's fingerprint in the history; ``broken``: it ended by a signal or by an error that
    is not ours, so a store may be changed half way; ``before``: how the nightly run before it ended. ``progress`` hears
    from long steps (step, done, total). ``catalogue`` and ``decided`` are the shop-wide ones, ``own`` those of stores
    that differ (docs/adr/0010); ``unread`` are stores that could not be read again before a kept plan is carried out.
    """

    shop: Shop
    report: RunReport
    state: State
    history: History
    allow: Mapping[str, int] = field(default_factory=dict)
    command: str = ""
    only: tuple[str, ...] = ()
    rules: Rules | None = None
    raw: Extract | None = None
    extract: str = ""
    cleaned: Clean | None = None
    decided: Decided | None = None
    catalogue: Catalogue | None = None
    own: dict[str, OwnCatalogue] = field(default_factory=dict)
    plan: Plan | None = None
    wanted: dict[str, Wanted] = field(default_factory=dict)
    unread: dict[str, TorgsyncError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    broken: bool = False
    before: Outcome | None = None
    progress: Callable[[str, int, int], None] = lambda step, done, total: None

    @property
    def stores(self) -> tuple[StoreSettings, ...]:
        """The stores that the run may touch."""
        return tuple(store for store in self.shop.stores if not self.only or store.name in self.only)

    def catalogue_of(self, store: str) -> Catalogue:
        """What a store shall hold: its own catalogue, else the shop-wide one."""
        assert self.catalogue is not None
        return self.own[store].catalogue if store in self.own else self.catalogue

    @property
    def quarantine(self) -> pd.DataFrame | None:
        """The rejected rows that are known so far."""
        found = self.decided.clean if self.decided else self.cleaned
        return None if found is None else found.quarantine

    @property
    def sizes(self) -> dict[str, int]:
        """Rows of each raw table."""
        if self.raw is None:
            return {}
        return {
            "raw_product_types": len(self.raw.product_types), "raw_sections": len(self.raw.sections),
            "raw_goods": len(self.raw.goods),
        }  # fmt: skip
