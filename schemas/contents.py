"""What a store holds of ours, or shall hold: the two sides that a plan compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Key = int | str
Entity = Literal["category", "offer", "redirect", "feed"]


@dataclass(frozen=True)
class Rows:
    """The rows of one table by key; each row's values stand in the order of ``columns``, which leave out the key."""

    columns: tuple[str, ...] = ()
    rows: Mapping[Key, tuple[Any, ...]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def value(self, key: Key, column: str) -> Any:
        """One value."""
        return self.rows[key][self.columns.index(column)]

    def row(self, key: Key) -> dict[str, Any]:
        """One row by column."""
        return dict(zip(self.columns, self.rows[key], strict=True))


@dataclass(frozen=True)
class Contents:
    """Categories (parents first), offers and redirects by key.

    ``categories`` and ``offers`` have the columns ``hidden`` and ``retired`` where the store can hold such rows.
    ``files`` maps a feed's file name to the SHA-256 of its content. ``others`` are keys that rows of somebody else have
    in the store: no operation touches them.
    """

    categories: Rows = Rows()
    offers: Rows = Rows()
    redirects: Rows = Rows()
    files: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[Entity, frozenset[Key]] = field(default_factory=dict)

    def table(self, entity: Entity) -> Rows:
        """The rows of one entity."""
        return {"category": self.categories, "offer": self.offers, "redirect": self.redirects}.get(entity, Rows())
