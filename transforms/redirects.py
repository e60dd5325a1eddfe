"""Redirects: which living category an address leads to that a category had before (design.md section 4).

An address follows the goods: it leads to the living category that has most of them, never to another section that took
over the number.

Chains are collapsed, as a redirect holds the number of the category it leads to and never an address; a living
category's own address is never redirected, so there are no loops.
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
"""Days by which the clock may go ahead from one load to the next, for what expires: more than a month between two runs
is rather a wrong clock than a pause, and a pause costs an old address one night more."""


@dataclass(frozen=True)
class Retirement:
    """A category that has been absent long enough: its last path and the number of its parent."""

    number: int
    path: Path
    parent_number: int | None


@dataclass(frozen=True)
class Redirects:
    """``kept``: all that are remembered. ``emitted``: those that lead to a category which is shown now.

    ``fresh``: those of ``kept`` whose address was left just now: they are as old as this night.
    """

    kept: Rows
    emitted: Rows
    fresh: frozenset[Key]


def redirect_id(path: Path) -> str:
    """Key of the redirect of one address: the same address has one target only."""
    return hashlib.sha256("\0".join(path).encode()).hexdigest()[:32]


def expired_redirects(since: Mapping[Key, str], night: str, last: str | None, keep_months: int) -> frozenset[Key]:
    """Those of the redirects, remembered ``since`` a night each, that have led on for long enough on ``night``.

    ``last`` is the night that was loaded last. One run with a clock that is years ahead makes hardly any expire.
    """
    today = date.fromisoformat(night)
    if last is not None and (today - date.fromisoformat(last)).days > CLOCK_STEP:
        today = date.fromisoformat(last) + timedelta(days=CLOCK_STEP)
    oldest = (today - timedelta(days=30 * keep_months)).isoformat()
    return frozenset(key for key, first in since.items() if first < oldest)


def next_redirects(
    known: Rows,
    before: Catalogue | None,
    after: Catalogue,
    buried: Collection[Retirement] = (),
    expired: Collection[Key] = (),
    reused: Collection[int] = (),
) -> Redirects:
    """The redirects once ``after`` is loaded, where ``before`` was loaded last.

    A category that moved, was renamed or is gone leaves its address to the living category that most of its goods are
    in now: mostly itself, or what it was merged into. Without goods it leaves the address to itself, unless its number
    means another section now: then to its nearest living ancestor, as a buried category does.
    ``reused``: numbers that are known to mean another section tonight, beside those that the two catalogues tell.

    An ``expired`` one is dead. It is remembered all the same: a buried category, which stays buried,
    must not leave its address anew, and a clock that was wrong must not cost an address for good.
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
    graves = {grave.number: grave for grave in buried if grave.number not in living}
    retired = {number: _ancestor(grave, graves, sound_paths) for number, grave in graves.items()}
    for number, grave in graves.items():
        heir = retired[number]
        if heir is not None and redirect_id(grave.path) not in known.rows:
            found[redirect_id(grave.path)] = (number, list(grave.path), heir)
    heirs = {**{number: heir for number, heir in retired.items() if heir is not None}, **merged}
    stale = set(expired) - set(found)
    kept: dict[Key, tuple[Any, ...]] = {}
    for key, row in [*known.rows.items(), *found.items()]:
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
    """Numbers that mean another section in ``after`` than in ``before``."""
    known = Registry({meaning.number: meaning for meaning in meanings_of(before.sections)})
    changes = number_changes(meanings_of(after.sections), known, flow)
    return {change.number for change in changes if change.kind == "number_reused"}


def _ancestor_in(before: Catalogue, number: int, living: Collection[int]) -> int | None:
    """The nearest category above it, as the tree was, that lives on."""
    frame = before.categories
    parents = {int(n): key_or_none(p) for n, p in zip(frame["number"], frame["parent_number"], strict=True)}
    at = parents.get(number)
    while at is not None and at not in living:
        at = parents.get(at)
    return at


def _ancestor(grave: Retirement, graves: Mapping[int, Retirement], living: Mapping[int, Path]) -> int | None:
    """The nearest ancestor that is shown, by the parents as they last were."""
    seen: set[int] = set()
    parent = grave.parent_number
    while parent is not None and parent not in living and parent in graves and parent not in seen:
        seen.add(parent)
        parent = graves[parent].parent_number
    return parent if parent in living else None
