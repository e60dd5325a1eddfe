"""The guards that compare a catalogue with the one that was loaded last, and with the one of a week ago."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from schemas.catalogue import Catalogue
from schemas.guards import DRIFT_NIGHTS, FEW, GUARD_TABLE, Guard, Level
from schemas.plan import GuardViolation
from transforms.guards.build import some, violation
from transforms.guards.limits import Limits, below_half, part, rows_allowed
from transforms.guards.measures import (
    Compared,
    Measure,
    broken,
    compare,
    measures,
    moved_categories,
    moved_goods,
    priced,
    stocked,
)
from transforms.matched import Matched


def night_violations(
    after: Catalogue, before: Catalogue | None, week_ago: Catalogue | None, limits: Limits
) -> list[GuardViolation]:
    """All that catalogues tell of one night: against last night's, or as a first night's, and against an older one.

    ``before`` is None where nothing was ever loaded (a lost history is another guard's). ``week_ago`` is the catalogue
    of 7 nights ago; None where there is none, or where one of the nights since then was allowed to pass a guard.
    """
    if before is None:
        return first_night_violations(after, limits)
    drift = drift_violations(after, week_ago, limits) if week_ago is not None else []
    return [*catalogue_violations(after, before, limits), *drift]


def catalogue_violations(after: Catalogue, before: Catalogue, limits: Limits) -> list[GuardViolation]:
    """The guards that compare the catalogue with the one that was loaded last."""
    both = compare(before, after)
    found = list(measures(both))
    return [
        *_another_base("product types", both.types, limits),
        *_another_base("goods", both.goods, limits),
        *_older(both, limits),
        *nightly(found, limits),
        *_close(found, limits),
        *_roots(both),
        *_second_root(both),
        *_renumbered(both),
    ]


def category_violations(after: Catalogue, before: Catalogue, limits: Limits) -> list[GuardViolation]:
    """Those of them that tell what becomes of categories: asked of a store whose past is not the shop's too."""
    both = compare(before, after)
    found = [moved_goods(both), moved_categories(both)]
    return [*nightly(found, limits), *_roots(both), *_renumbered(both)]


def drift_violations(
    after: Catalogue, week_ago: Catalogue, limits: Limits, nights: int = DRIFT_NIGHTS
) -> list[GuardViolation]:
    """``drift``: the same measures against an older catalogue, with ``drift_factor`` times the limit of a night.

    Never half of the rows where they are gone or hidden. A shop that lets nothing pass on a night has no drift.
    """
    violations = []
    for each in measures(compare(week_ago, after)):
        guard = GUARD_TABLE[each.guard]
        if guard.drift and (limit := _drift_limit(each, limits)) is not None and each.measured > limit:
            told = guard.drift.format(measured=each.measured, size=each.size, what=each.what)
            violations.append(violation("drift", each.measured, limit, nights=nights, told=told))
    return violations


def _drift_limit(each: Measure, limits: Limits) -> int | None:
    """The rows that may change in a week; None where the shop lets none pass on any night: then there is no drift."""
    guard = GUARD_TABLE[each.guard]
    night = _limit(each, guard.stop.split(", ")[0], limits)
    if not night and not limits.share(guard.stop.split(", ")[0]):
        return None
    week = part(limits.share("drift_factor"), night)
    return week if guard.one else max(night, min(week, below_half(each.size)))


def first_night_violations(after: Catalogue, limits: Limits) -> list[GuardViolation]:
    """What can be said of a catalogue without another to compare it with: unreadable names stop, a catalogue that looks
    as if columns were mapped wrongly is told.
    """
    names = ("product types", after.product_types), ("sections", after.sections), ("goods", after.offers)
    violations = nightly((broken(what, frame) for what, frame in names), limits)
    goods = len(after.offers)
    if not goods:
        return violations

    def tell(case: str = "", what: str = "", categories: int = 0) -> None:
        words = {"size": goods, "what": what, "categories": categories}
        violations.append(violation("first_night", goods, goods - 1, case, "tell", "", **words))

    if not priced(after.offers):
        tell(what="a retail price")
    if not stocked(after.offers):
        tell(what="any stock")
    if after.offers["hidden"].all():
        tell("hidden")
    filled = after.categories[after.categories["goods"] > 0]
    held = after.offers["category_number"].notna().all()
    if goods >= 3 and len(filled) == 1 and held and max(len(after.categories), len(after.product_types)) > 1:
        tell("one_category", what=str(filled["name"].iloc[0]), categories=len(after.categories))
    return violations


def nightly(measured: Iterable[Measure], limits: Limits) -> list[GuardViolation]:
    """The violations of one night: each measure against its stop, else against what is told."""
    violations = []
    for each in measured:
        guard = GUARD_TABLE[each.guard]
        if not each.nightly:
            continue
        examples = ", ".join(f"«{name}»" for name in each.examples)
        for level, key in _levels(guard):
            limit = _limit(each, key, limits)
            if each.measured > limit:
                found = violation(
                    each.guard, each.measured, limit, each.case, level,
                    size=each.size, what=each.what, examples=examples,
                )  # fmt: skip
                violations.append(found)
                break
    return violations


def _close(measured: Iterable[Measure], limits: Limits) -> list[GuardViolation]:
    """``close_to_limits``: guards that measure more than three quarters of their limit and do not stop, one row aside.

    Missing rows are counted as what a store would hide.
    """
    close: dict[str, None] = {}
    for each in measured:
        limit = _limit(each, GUARD_TABLE[each.guard].stop.split(", ")[0], limits)
        if each.guard != "short_extract" and 1 < each.measured <= limit and each.measured * 4 > limit * 3:
            close[each.guard] = None
    for level, limit in (("stop", limits.count("max_close_guards") or 0), ("tell", 2)):
        if len(close) > limit:
            names = ", ".join(f"«{name}»" for name in close)
            return [violation("close_to_limits", len(close), limit, "", level, names=names)]  # type: ignore[arg-type]
    return []


def _levels(guard: Guard) -> list[tuple[Level, str]]:
    """The limits of a guard by their level, the higher one first."""
    levels: list[tuple[Level, str]] = [("stop", guard.stop)]
    return [*levels, ("tell", guard.tell)] if guard.tell else levels


def _limit(each: Measure, key: str, limits: Limits) -> int:
    """The rows that may pass. Growth takes nothing away: new goods may be more than half of a tiny shop's."""
    share = limits.share(key)
    if each.guard == "growth" and each.case != "same":
        return max(FEW, part(share, each.size)) if share else 0
    return rows_allowed(share, each.size, one=GUARD_TABLE[each.guard].one, sparse=each.sparse)


def _another_base(what: str, rows: Matched, limits: Limits) -> list[GuardViolation]:
    """Most keys changed at once: rows gone or renamed. Three rows of a tiny shop may."""
    size = len(rows.before)
    other = rows.gone + int(rows.changed("name").sum())
    limit = max(3, part(limits.share("max_changed_share"), size))
    return [violation("another_base", other, limit, size=size, what=what)] if other > limit else []


def _older(both: Compared, limits: Limits) -> list[GuardViolation]:
    """Goods get ever higher ids: a base whose newest goods vanished is older than the last one."""
    after = both.after.offers["good_id"]
    newest = int(after.max()) if len(after) else 0
    gone = int((both.before.offers["good_id"] > newest).sum())
    limit = limits.count("max_lost_newest") or 0
    return [violation("older_base", gone, limit, newest=newest)] if gone > limit else []


def _renumbered(both: Compared) -> list[GuardViolation]:
    """A path with a new number, while the number that it had is gone. A path that stands twice proves nothing."""
    old, new = _numbers(both.before.categories), _numbers(both.after.categories)
    known, living = set(both.before.categories["number"]), set(both.after.categories["number"])
    changed = [
        f"«{' > '.join(path)}» was {number} and is {new[path]}"
        for path, number in old.items()
        if path in new and new[path] != number and number not in living and new[path] not in known
    ]
    return [violation("renumbered", len(changed), 0, names=some(changed, "; "))] if changed else []


def _numbers(categories: pd.DataFrame) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], list[int]] = {}
    for number, path in zip(categories["number"], categories["path"], strict=True):
        found.setdefault(tuple(path), []).append(int(number))
    return {path: numbers[0] for path, numbers in found.items() if len(numbers) == 1}


def _roots(both: Compared) -> list[GuardViolation]:
    old = both.before.categories
    living = {int(n) for n in both.after.categories["number"]}
    filled = {path[0] for path, goods in zip(old["path"], old["goods"], strict=True) if goods}
    roots = old[old["depth"] == 1]
    gone = [
        str(name)
        for number, name in zip(roots["number"], roots["name"], strict=True)
        if int(number) not in living and str(name) in filled
    ]
    return [violation("root_vanished", len(gone), 0, names=some(gone))] if gone else []


def _second_root(both: Compared) -> list[GuardViolation]:
    """More roots of product types than the one of before; or a category that stood below the only root is one now."""
    violations = []
    then, now = (c.product_types[c.product_types["depth"] == 1] for c in (both.before, both.after))
    if len(then) == 1 and len(now) > 1:
        violations.append(violation("second_root", len(now) - 1, 0, roots=len(now), names=some(now["name"])))
    categories = both.before.categories
    depths = dict(zip(categories["number"], categories["depth"], strict=True))
    roots = both.after.categories[both.after.categories["depth"] == 1]
    lifted = [
        str(name) for number, name in zip(roots["number"], roots["name"], strict=True) if depths.get(number, 1) > 1
    ]
    if lifted and list(depths.values()).count(1) == 1 < len(roots):
        violations.append(violation("second_root", len(lifted), 0, "lifted", names=some(lifted)))
    return violations
