"""Redirects: from the old address of a category to a living category (design.md section 4).

An address follows the goods: it leads to the living category that has most of them, and never to another section that
got the number.

A redirect holds the number of its target and no address, so there are no chains. The address of a living category is
never redirected, so there are no loops.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schemas.catalogue import Catalogue
from schemas.contents import Key, Rows
from schemas.registry import Registry
from transforms.goods_flow import GoodsFlow, goods_flow
from transforms.numbers import meanings_of, number_changes
from transforms.plan import REDIRECT_COLUMNS
from transforms.values import key_or_none

Path = tuple[str, ...]

CLOCK_STEP = 35
"""Days. Expiry counts at most this time from one load to the next: more than a month between two runs is more likely a
wrong clock than a pause. After a real pause an old address lives one night longer."""


@dataclass(frozen=True)
class Retirement:
    """A category that has been absent long enough to be retired: its last path and the number of its parent."""

    number: int
    path: Path
    parent_number: int | None


@dataclass(frozen=True)
class Redirects:
    """``kept``: all remembered redirects. ``emitted``: those whose target is shown now.

    ``new_redirects``: those of ``kept`` whose address a category left in this run; their age counts from this night.
    """

    kept: Rows
    emitted: Rows
    new_redirects: frozenset[Key]


def redirect_id(path: Path) -> str:
    """Return the key of the redirect from one address: an address has one target."""
    return hashlib.sha256("\0".join(path).encode()).hexdigest()[:32]


def expired_redirects(since: Mapping[Key, str], night: str, last: str | None, keep_months: int) -> frozenset[Key]:
    """Return the redirects that are older than ``keep_months`` on ``night``; ``since`` maps each to its first night.

    ``last``: the night of the last load. It limits the effect of one run with a wrong clock (see CLOCK_STEP).
    """
    today = date.fromisoformat(night)
    if last is not None and (today - date.fromisoformat(last)).days > CLOCK_STEP:
        today = date.fromisoformat(last) + timedelta(days=CLOCK_STEP)
    oldest = (today - timedelta(days=30 * keep_months)).isoformat()
    return frozenset(key for key, first in since.items() if first < oldest)


def next_redirects(
    remembered: Rows,
    before: Catalogue | None,
    after: Catalogue,
    retirements: Collection[Retirement] = (),
    expired: Collection[Key] = (),
    reused: Collection[int] = (),
) -> Redirects:
    """Return the redirects after loading ``after``; ``before`` is the catalogue of the last load.

    The address of a moved, renamed or missing category leads to the living category with most of its goods: usually
    the category itself, or the one it was merged into. Without goods it leads to the category itself, unless its number
    means another section now: then to the nearest living ancestor, as for a retired category.
    ``reused``: numbers that mean another section tonight, beside those that the two catalogues show.

    An ``expired`` redirect is dead but stays remembered: a retired category must not get a new redirect, and a wrong
    clock must not delete an address for ever.
    """
    living = _paths(after)
    old = _paths(before) if before is not None else {}
    left = {number: path for number, path in old.items() if living.get(number) != path}
    taken = set(reused)
    merged: dict[int, int] = {}
    found: dict[str, tuple[int, list[str], int]] = {}
    if before is not None and left:
        flow = goods_flow(before, after)
        taken |= _reused(before, after, flow)
        sound = living.keys() - taken
        for number, path in left.items():
            heir = flow.heir(number)
            if heir is None and number in sound:
                heir = number
            if heir is None and number in taken:
                heir = _ancestor_in(before, number, sound)
            if heir is not None:
                merged[number] = heir
                found[redirect_id(path)] = (number, list(path), heir)
    lost = living.keys() & taken
    sound_paths = {number: path for number, path in living.items() if number not in lost}
    absent = {item.number: item for item in retirements if item.number not in living}
    retired = {number: _ancestor(item, absent, sound_paths) for number, item in absent.items()}
    for number, item in absent.items():
        heir = retired[number]
        if heir is not None and redirect_id(item.path) not in remembered.rows:
            found[redirect_id(item.path)] = (number, list(item.path), heir)
    heirs = {**{number: heir for number, heir in retired.items() if heir is not None}, **merged}
    stale = set(expired) - set(found)
    kept: dict[Key, tuple[Any, ...]] = {}
    for key, row in [*remembered.rows.items(), *found.items()]:
        target = row[2]
        if key not in found and (target in lost or (target not in living and key not in stale)):
            if target in lost and target not in heirs:
                continue  # another section has the number: the address is dead
            target = heirs.get(target, target)
        kept[key] = (row[0], row[1], target)
    shown = {redirect_id(path) for path in living.values()}
    kept = {key: kept[key] for key in sorted(kept, key=str) if key not in shown}
    return Redirects(
        Rows(REDIRECT_COLUMNS, kept),
        Rows(REDIRECT_COLUMNS, {key: row for key, row in kept.items() if row[2] in living and key not in stale}),
        frozenset(key for key in found if key in kept),
    )


def _paths(catalogue: Catalogue) -> dict[int, Path]:
    frame = catalogue.categories
    return {int(n): tuple(path) for n, path in zip(frame["number"], frame["path"], strict=True)}


def _reused(before: Catalogue, after: Catalogue, flow: GoodsFlow) -> set[int]:
    """Return the numbers that mean another section in ``after`` than in ``before``."""
    registry = Registry({meaning.number: meaning for meaning in meanings_of(before.sections)})
    changes = number_changes(meanings_of(after.sections), registry, flow)
    return {change.number for change in changes if change.kind == "number_reused"}


def _ancestor_in(before: Catalogue, number: int, living: Collection[int]) -> int | None:
    """Return the nearest category above it in the old tree that is still living."""
    frame = before.categories
    parents = {int(n): key_or_none(p) for n, p in zip(frame["number"], frame["parent_number"], strict=True)}
    at = parents.get(number)
    while at is not None and at not in living:
        at = parents.get(at)
    return at


def _ancestor(item: Retirement, absent: Mapping[int, Retirement], living: Mapping[int, Path]) -> int | None:
    """Return the nearest living ancestor, by the last known parents."""
    seen: set[int] = set()
    parent = item.parent_number
    while parent is not None and parent not in living and parent in absent and parent not in seen:
        seen.add(parent)
        parent = absent[parent].parent_number
    return parent if parent in living else None
