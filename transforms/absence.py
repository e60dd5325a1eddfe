"""Tombstones: what the catalogue has no more, and for how many nights (design.md section 4: hide before retire)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from schemas.catalogue import Catalogue
from transforms.values import key_or_none

Buriable = Literal["category", "offer"]
Grave = tuple[Buriable, int]


@dataclass(frozen=True)
class Tombstone:
    """A category or good that has been absent for ``nights``, the last of which was ``last_night``.

    ``path`` and parent are a category's last ones.
    """

    entity: Buriable
    key: int
    last_night: str
    nights: int = 1
    path: tuple[str, ...] = ()
    parent_number: int | None = None


def next_tombstones(
    known: Mapping[Grave, Tombstone],
    before: Catalogue | None,
    after: Catalogue,
    held: Mapping[Any, Collection[int]],
    night: str,
) -> dict[Grave, Tombstone]:
    """The tombstones once ``after`` is loaded on ``night`` (a date), where ``before`` was loaded last.

    Several runs of one night count once. What is back has no tombstone any more; what is held (its row is in the
    quarantine) gets none and grows no older.
    """
    living = _keys(after)
    out = {
        grave: replace(stone, nights=stone.nights + 1, last_night=night)
        if stone.last_night != night and stone.key not in held.get(stone.entity, ())
        else stone
        for grave, stone in known.items()
        if grave not in living
    }
    for grave, (path, parent) in (_keys(before) if before is not None else {}).items():
        if grave not in living and grave not in out and grave[1] not in held.get(grave[0], ()):
            out[grave] = Tombstone(*grave, last_night=night, path=path, parent_number=parent)
    return dict(sorted(out.items()))


def _keys(catalogue: Catalogue) -> dict[Grave, tuple[tuple[str, ...], int | None]]:
    frame = catalogue.categories
    rows = zip(frame["number"], frame["path"], frame["parent_number"], strict=True)
    categories: dict[Grave, tuple[tuple[str, ...], int | None]] = {
        ("category", int(number)): (tuple(path), key_or_none(parent)) for number, path, parent in rows
    }
    return categories | {("offer", int(good)): ((), None) for good in catalogue.offers["good_id"]}


def due(stones: Iterable[Tombstone], retire_after: int, night: str) -> list[Tombstone]:
    """What had been absent for ``retire_after`` nights before ``night``: runs of one night agree on it."""
    return [stone for stone in stones if stone.nights - (stone.last_night == night) >= retire_after]


def by_entity(stones: Iterable[Tombstone]) -> dict[Buriable, set[int]]:
    """The keys of some tombstones, by entity."""
    out: dict[Buriable, set[int]] = {"category": set(), "offer": set()}
    for stone in stones:
        out[stone.entity].add(stone.key)
    return out
