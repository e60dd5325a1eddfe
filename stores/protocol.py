"""What every store does: tell what it holds of ours, and apply a plan. One module per kind of store implements it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from schemas.catalogue import Catalogue
from schemas.contents import Contents
from schemas.plan import Kind, Operation
from schemas.report import StoreResult


@dataclass(frozen=True)
class Capabilities:
    """What a kind of store cannot do: ``gaps`` (kind → why), which every run's report tells."""

    gaps: Mapping[Kind, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What a store shall hold: ``contents`` row by row, ``catalogue`` the same as frames with all that a feed needs."""

    catalogue: Catalogue
    contents: Contents


@dataclass(frozen=True)
class PriorState:
    """What we know of a store from the last time: the ``contents`` that it confirmed and the ``catalogue`` that they
    were made of, its own ids and slugs by (entity, key), and the fingerprints of a feed's files.
    """

    contents: Contents = field(default_factory=Contents)
    catalogue: Catalogue | None = None
    bindings: Mapping[tuple[str, int], tuple[str, str | None]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


Begun = Callable[[], None]
"""Notes durably that this run begins to write to this store. An adapter calls it once, before its first write: what a
run that is killed afterwards may have shown must be known to the next one.
"""

Progress = Callable[[int, int], None]
"""Operations of an apply that are done, and how many there are: called after every batch."""


def silent(done: int, total: int) -> None:
    """Progress that nobody listens to."""


Replan = Callable[[Contents], tuple[Operation, ...]]
"""Operations that are needed for what a store holds now; raises StalePlan where the plan does not list one of them."""


class StoreAdapter(Protocol):
    """One store of a shop. Every method raises StoreError, with what to do, when the store fails."""

    @property
    def name(self) -> str:
        """The store's name in shop.toml."""
        ...

    @property
    def kind(self) -> str:
        """The kind of store in shop.toml."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the store can do."""
        ...

    def want(self, catalogue: Catalogue, contents: Contents) -> Wanted:
        """What the store shall hold, cut down to what it can hold (columns, lengths, files)."""
        ...

    def read(self) -> Contents:
        """What the store holds of ours, in the columns of ``want``. Never writes."""
        ...

    def apply(self, wanted: Wanted, replan: Replan, begun: Begun) -> StoreResult:
        """Do what ``replan`` finds needed, which is in the plan. Call ``begun`` first. An empty plan is not applied."""
        ...
