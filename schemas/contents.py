"""Our rows in a store, present or wanted: the two sides that a plan compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Key = int | str
Entity = Literal["category", "offer", "redirect", "feed"]


@dataclass(frozen=True)
class Rows:
    """The rows of one table by key; the values are in the order of ``columns``, which do not include the key."""

    columns: tuple[str, ...] = ()
    rows: Mapping[Key, tuple[Any, ...]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def value(self, key: Key, column: str) -> Any:
        """Return one value."""
        return self.rows[key][self.columns.index(column)]

    def row(self, key: Key) -> dict[str, Any]:
        """Return one row by column."""
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
        """Return the rows of one entity."""
        return {"category": self.categories, "offer": self.offers, "redirect": self.redirects}.get(entity, Rows())
