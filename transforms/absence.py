"""Tombstones: categories and goods that left the catalogue, and for how many nights (design.md section 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from schemas.catalogue import Catalogue
from transforms.values import key_or_none

RetirableEntity = Literal["category", "offer"]
AbsentKey = tuple[RetirableEntity, int]


@dataclass(frozen=True)
class Tombstone:
    """A category or good that has been absent for ``nights``; ``last_night`` is the last of them.

    ``path`` and ``parent_number`` are the last known ones of a category.
    """

    entity: RetirableEntity
    key: int
    last_night: str
    nights: int = 1
    path: tuple[str, ...] = ()
    parent_number: int | None = None


def next_tombstones(
    prior: Mapping[AbsentKey, Tombstone],
    before: Catalogue | None,
    after: Catalogue,
    held: Mapping[Any, Collection[int]],
    night: str,
) -> dict[AbsentKey, Tombstone]:
    """Return the tombstones after loading ``after`` on ``night`` (a date); ``before``: the catalogue of the last load.

    Several runs of one night count once. A key that is back loses its tombstone. A ``held`` key (its row is in the
    quarantine) gets no tombstone, and an existing one does not count this night.
    """
    living = _keys(after)
    out = {
        absent: replace(tombstone, nights=tombstone.nights + 1, last_night=night)
        if tombstone.last_night != night and tombstone.key not in held.get(tombstone.entity, ())
        else tombstone
        for absent, tombstone in prior.items()
        if absent not in living
    }
    for absent, (path, parent) in (_keys(before) if before is not None else {}).items():
        if absent not in living and absent not in out and absent[1] not in held.get(absent[0], ()):
            out[absent] = Tombstone(*absent, last_night=night, path=path, parent_number=parent)
    return dict(sorted(out.items()))


def _keys(catalogue: Catalogue) -> dict[AbsentKey, tuple[tuple[str, ...], int | None]]:
    frame = catalogue.categories
    rows = zip(frame["number"], frame["path"], frame["parent_number"], strict=True)
    categories: dict[AbsentKey, tuple[tuple[str, ...], int | None]] = {
        ("category", int(number)): (tuple(path), key_or_none(parent)) for number, path, parent in rows
    }
    return categories | {("offer", int(good)): ((), None) for good in catalogue.offers["good_id"]}


def due(tombstones: Iterable[Tombstone], retire_after: int, night: str) -> list[Tombstone]:
    """Return the tombstones with ``retire_after`` nights before ``night``, so that all runs of one night agree."""
    return [tombstone for tombstone in tombstones if tombstone.nights - (tombstone.last_night == night) >= retire_after]


def by_entity(tombstones: Iterable[Tombstone]) -> dict[RetirableEntity, set[int]]:
    """Group the keys of tombstones by entity."""
    out: dict[RetirableEntity, set[int]] = {"category": set(), "offer": set()}
    for tombstone in tombstones:
        out[tombstone.entity].add(tombstone.key)
    return out
