"""Redirects: which living category an address leads to that a category had before (design.md section 4).

Chains are collapsed, as a redirect holds the number of the category it leads to and never an address; a living
category's own address is never redirected, so there are no loops.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schemas.catalogue import Catalogue
from schemas.contents import Key, Rows
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
) -> Redirects:
    """The redirects once ``after`` is loaded, where ``before`` was loaded last.

    A category that moved or was renamed leaves its old address to itself. One that is gone leaves its address to the
    category that most of its goods are in now (a merge); one that is buried to its nearest living ancestor.

    An ``expired`` one leads nowhere any more. It is remembered all the same: a buried category, which stays buried,
    must not leave its address anew, and a clock that was wrong must not cost an address for good.
    """
    living = _paths(after)
    old = _paths(before) if before is not None else {}
    found: dict[str, tuple[int, list[str], int]] = {}
    for number, path in old.items():
        if number in living and living[number] != path:
            found[redirect_id(path)] = (number, list(path), number)
    merged = _merged_into(before, after, set(old) - set(living)) if before is not None else {}
    for number, target in merged.items():
        found[redirect_id(old[number])] = (number, list(old[number]), target)
    graves = {grave.number: grave for grave in buried if grave.number not in living}
    retired = {number: _ancestor(grave, graves, living) for number, grave in graves.items()}
    for number, grave in graves.items():
        heir = retired[number]
        if heir is not None and redirect_id(grave.path) not in known.rows:
            found[redirect_id(grave.path)] = (number, list(grave.path), heir)
    heirs = {**{number: heir for number, heir in retired.items() if heir is not None}, **merged}
    stale = set(expired) - set(found)
    kept: dict[Key, tuple[Any, ...]] = {
        key: (row[0], row[1], heirs.get(row[2], row[2]) if row[2] not in living and key not in stale else row[2])
        for key, row in [*known.rows.items(), *found.items()]
    }
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


def _merged_into(before: Catalogue, after: Catalogue, gone: Collection[int]) -> dict[int, int]:
    """Where most goods of each vanished category are now; the smallest number wins a tie."""
    if not gone:
        return {}
    now = _category_of(after)
    votes: dict[int, Counter[int]] = {}
    for good, number in _category_of(before).items():
        target = now.get(good)
        if number is not None and number in gone and target is not None:
            votes.setdefault(number, Counter())[target] += 1
    return {number: min(count, key=lambda target: (-count[target], target)) for number, count in votes.items()}


def _category_of(catalogue: Catalogue) -> dict[int, int | None]:
    frame = catalogue.assignments
    return {int(g): key_or_none(n) for g, n in zip(frame["good_id"], frame["category_number"], strict=True)}


def _ancestor(grave: Retirement, graves: Mapping[int, Retirement], living: Mapping[int, Path]) -> int | None:
    """The nearest ancestor that is shown, by the parents as they last were."""
    seen: set[int] = set()
    parent = grave.parent_number
    while parent is not None and parent not in living and parent in graves and parent not in seen:
        seen.add(parent)
        parent = graves[parent].parent_number
    return parent if parent in living else None
