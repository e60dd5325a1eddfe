"""Guards: what stops a run before the first write (design.md section 4, stores-facts.md section 5).

Each guard measures rows and has a limit of rows; ``--allow GUARD=N`` raises the limit to N for one run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from schemas.catalogue import Catalogue
from schemas.command import COMMAND
from schemas.contents import Contents, Rows
from schemas.errors import GuardStop, QuarantineLimit
from schemas.extract import Extract
from schemas.plan import GuardViolation, Operation
from schemas.registry import NumberChange, Origin

FEW = 10
"""So many rows may disappear whatever the share: a small shop may close a category (stores-facts.md section 5)."""

_STORE_ENDINGS = (" from store {}", " (store {})")
"""How the message of a guard on one store ends."""

NOTHING = "nothing was changed in any store"

GUARDS: dict[str, str] = {
    "no_history": "the catalogue that was loaded last is not in history/: there is nothing to compare with",
    "short_extract": "the base gave far fewer product types or goods than the last run",
    "another_base": "most product types or goods are not those of the last run",
    "older_base": "the newest goods of the last run are gone and none is newer: an old backup?",
    "mass_rename": "many names changed at once: a wrong charset?",
    "second_root": "the product types, or the categories, had one root and have more now: a lost parent?",
    "root_vanished": "a root category with goods would disappear",
    "hidden_categories": "too many categories would disappear from a store",
    "hidden_offers": "too many goods would disappear from a store",
    "moved_goods": "too many goods would change their category",
    "renumbered": "a category has another number than in the last run: stores and marketplaces know it by the old one",
    "number_reused": "a section number means another section than in the last run",
}
"""Every guard that ``--allow`` can raise, and what it says. An empty extract can never be allowed."""


@dataclass(frozen=True)
class Limits:
    """Shares of rows (0 to 1; 0 allows none) and counts of rows; see ``[guards]`` in docs/shop.md."""

    max_removed_share: float = 0.10
    max_removed: int | None = None
    max_short_share: float = 0.10
    max_moved_share: float = 0.30
    max_renamed_share: float = 0.30
    max_changed_share: float = 0.50
    max_lost_newest: int = 2

    def rows(self, share: float, size: int) -> int:
        """A share as a count of rows."""
        return max(FEW, int(share * size)) if share else 0


def check_extract(raw: Extract) -> None:
    """Raise GuardStop for an extract without product types or without goods; no override allows it."""
    for table, frame in (("product types", raw.product_types), ("goods", raw.goods)):
        if frame.empty:
            raise GuardStop(
                f"guard «empty_extract»: the base gave no {table}; {NOTHING}",
                "check that the dsn names the right base, then run again",
            )


def history_violations(lost: Mapping[str, str], goods: int) -> list[GuardViolation]:
    """``no_history``: the guards that compare would let everything pass, so all ``goods`` are at stake.

    ``lost`` maps a store (``""``: the whole shop) to the run that loaded what the history does not hold.
    """
    if not lost:
        return []
    runs = ", ".join(f"store {store}: run {run}" if store else f"run {run}" for store, run in lost.items())
    message = (
        f"the catalogue that was loaded last ({runs}) is not in history/, so nothing tells what would change for the "
        "worse: put the folder back from a backup; several machines have to share it"
    )
    return [GuardViolation(guard="no_history", measured=goods, limit=0, message=message)]


def extract_violations(sizes: Mapping[str, int], counts: Mapping[str, int], limits: Limits) -> list[GuardViolation]:
    """``short_extract``: fewer rows of ``raw_product_types`` or ``raw_goods`` than the last run read (``counts``).

    The counts stand in the state, so this holds without a history too.
    """
    violations = []
    for table, size in sizes.items():
        before = counts.get(table, 0)
        limit = limits.rows(limits.max_short_share, before)
        limit = min(limit, max(0, before - 1) // 2)  # a tiny table may lose FEW rows, yet never half of it
        if before - size > limit:
            violations.append(
                GuardViolation(guard="short_extract", measured=before - size, limit=limit,
                     message=f"the base gave {size} rows of {table.removeprefix('raw_')}, {before} in the last run")
            )  # fmt: skip
    return violations


def catalogue_violations(after: Catalogue, before: Catalogue, limits: Limits) -> list[GuardViolation]:
    """The guards that compare the catalogue with the one that was loaded last."""
    types = _names(before.product_types, "type_id"), _names(after.product_types, "type_id")
    goods = _names(before.offers, "good_id"), _names(after.offers, "good_id")
    violations = []
    for what, (old, new) in (("product types", types), ("goods", goods)):
        gone = sum(key not in new for key in old)
        renamed = sum(key in new and new[key] != name for key, name in old.items())
        half = int(limits.max_changed_share * len(old))
        if gone + renamed > max(3, half):
            violations.append(
                GuardViolation(guard="another_base", measured=gone + renamed, limit=max(3, half),
                     message=f"{gone + renamed} of {len(old)} {what} of the last run are gone or have another name")
            )  # fmt: skip
        limit = limits.rows(limits.max_renamed_share, len(old))
        if renamed > limit:
            violations.append(
                GuardViolation(guard="mass_rename", measured=renamed, limit=limit,
                     message=f"{renamed} of {len(old)} {what} have another name than in the last run")
            )  # fmt: skip
    violations += _older(goods[0], goods[1], limits.max_lost_newest)
    violations += _moved(before, after, limits)
    violations += _roots(before, after)
    violations += _second_root(before, after)
    violations += _renumbered(before, after)
    return violations


def category_violations(after: Catalogue, before: Catalogue, limits: Limits) -> list[GuardViolation]:
    """Those of them that tell what becomes of categories: asked of a store whose past is not the shop's too."""
    return [*_moved(before, after, limits), *_roots(before, after), *_renumbered(before, after)]


def _names(frame: pd.DataFrame, key: str) -> dict[int, str]:
    return {int(k): str(name) for k, name in zip(frame[key], frame["name"], strict=True)}


def _older(before: Mapping[int, str], after: Mapping[int, str], limit: int) -> list[GuardViolation]:
    """Goods get ever higher ids: a base whose newest goods vanished is older than the last one."""
    newest = max(after, default=0)
    gone = sum(key > newest for key in before)
    if gone <= limit:
        return []
    message = f"the {gone} newest goods of the last run (above id {newest}) are gone and there is no newer one"
    return [GuardViolation(guard="older_base", measured=gone, limit=limit, message=message)]


def _moved(before: Catalogue, after: Catalogue, limits: Limits) -> list[GuardViolation]:
    old, new = before.assignments, after.assignments
    both = old[["good_id", "category_number"]].merge(new[["good_id", "category_number"]], on="good_id")
    left, right = both["category_number_x"], both["category_number_y"]
    moved = int(left.ne(right).fillna(False).sum())  # a good without a category, before or now, has not moved
    limit = limits.rows(limits.max_moved_share, len(both))
    if moved <= limit:
        return []
    message = f"{moved} of {len(both)} goods would change their category"
    return [GuardViolation(guard="moved_goods", measured=moved, limit=limit, message=message)]


def _renumbered(before: Catalogue, after: Catalogue) -> list[GuardViolation]:
    """A path with a new number, while the number that it had is gone. A path that stands twice proves nothing."""
    old, new = _numbers(before.categories), _numbers(after.categories)
    known, living = set(before.categories["number"]), set(after.categories["number"])
    changed = [
        f"«{' > '.join(path)}» was {number} and is {new[path]}"
        for path, number in old.items()
        if path in new and new[path] != number and number not in living and new[path] not in known
    ]
    if not changed:
        return []
    message = f"categories have another number than in the last run: {'; '.join(changed[:5])}"
    return [GuardViolation(guard="renumbered", measured=len(changed), limit=0, message=message)]


def _numbers(categories: pd.DataFrame) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], list[int]] = {}
    for number, path in zip(categories["number"], categories["path"], strict=True):
        found.setdefault(tuple(path), []).append(int(number))
    return {path: numbers[0] for path, numbers in found.items() if len(numbers) == 1}


def _roots(before: Catalogue, after: Catalogue) -> list[GuardViolation]:
    old = before.categories
    living = {int(n) for n in after.categories["number"]}
    filled = {path[0] for path, goods in zip(old["path"], old["goods"], strict=True) if goods}
    roots = old[old["depth"] == 1]
    gone = [
        str(name)
        for number, name in zip(roots["number"], roots["name"], strict=True)
        if int(number) not in living and str(name) in filled
    ]
    if not gone:
        return []
    message = f"root categories with goods would disappear: {', '.join(gone[:5])}"
    return [GuardViolation(guard="root_vanished", measured=len(gone), limit=0, message=message)]


def _second_root(before: Catalogue, after: Catalogue) -> list[GuardViolation]:
    """More roots of product types than the one of before; or a category that stood below the only root is one now."""
    violations = []
    then, now = (c.product_types[c.product_types["depth"] == 1] for c in (before, after))
    if len(then) == 1 and len(now) > 1:
        message = (
            f"the product types have {len(now)} roots, one in the last run: {', '.join(map(str, now['name'][:5]))}"
        )
        violations.append(GuardViolation(guard="second_root", measured=len(now) - 1, limit=0, message=message))
    depths = dict(zip(before.categories["number"], before.categories["depth"], strict=True))
    roots = after.categories[after.categories["depth"] == 1]
    lifted = [
        str(name) for number, name in zip(roots["number"], roots["name"], strict=True) if depths.get(number, 1) > 1
    ]
    if lifted and list(depths.values()).count(1) == 1 < len(roots):
        message = f"categories that stood below the one root would be roots: {', '.join(lifted[:5])}"
        violations.append(GuardViolation(guard="second_root", measured=len(lifted), limit=0, message=message))
    return violations


def store_violations(
    store: str, present: Contents, operations: Sequence[Operation], limits: Limits
) -> list[GuardViolation]:
    """``hidden_categories`` and ``hidden_offers`` of one store: rows that are shown now and would no longer be."""
    violations = []
    for entity, guard, word in (("category", "hidden_categories", "categories"), ("offer", "hidden_offers", "goods")):
        rows = present.table(entity)  # type: ignore[arg-type]
        place = rows.columns.index("hidden") if "hidden" in rows.columns else None
        shown = sum(place is None or not row[place] for row in rows.rows.values())
        hidden = sum(operation.kind == "hide" and operation.entity == entity for operation in operations)
        limit = limits.rows(limits.max_removed_share, shown)
        limit = limit if limits.max_removed is None else min(limit, limits.max_removed)
        if hidden > limit:
            violations.append(
                GuardViolation(guard=guard, store=store, measured=hidden, limit=limit,
                     message=f"{hidden} of {shown} {word} would disappear from store {store}")
            )  # fmt: skip
    return violations


def number_violations(changes: Iterable[NumberChange]) -> list[GuardViolation]:
    """``number_reused``: numbers that mean another section than in the last run (domain.md section 2.5)."""
    reused = [change for change in changes if change.kind == "number_reused"]
    if not reused:
        return []
    told = "; ".join(f"{c.number} was «{c.before.name}» and is «{c.after.name}»" for c in reused[:5])
    message = f"section numbers mean another section than in the last run: {told}"
    return [GuardViolation(guard="number_reused", measured=len(reused), limit=0, message=message)]


def taken_violations(
    store: str, wanted: Rows, present: Rows, origins: Mapping[int, Origin], known: Collection[int]
) -> list[GuardViolation]:
    """``number_reused`` where the state is new and the store is not: numbers that the store shows as something else.

    A number that Torgsoft or a rule gave may have been renamed or moved meanwhile, so both must differ. One of the
    registry's, which had to begin anew, is only the same section where nothing differs. Numbers that the registry has
    ``known`` before tonight are left to ``number_violations``.
    """
    fields = [name for name in ("name", "parent_number") if name in wanted.columns and name in present.columns]
    reused = []
    for number in wanted:
        if number not in present.rows or number in known:
            continue
        differs = [wanted.value(number, name) != present.value(number, name) for name in fields]
        if any(differs) if origins.get(int(number)) == "registry" else len(differs) == 2 and all(differs):
            reused.append(f"{number} was «{present.value(number, 'name')}» and is «{wanted.value(number, 'name')}»")
    if not reused:
        return []
    message = f"section numbers mean another section than in the store: {'; '.join(reused[:5])} (store {store})"
    return [GuardViolation(guard="number_reused", store=store, measured=len(reused), limit=0, message=message)]


def _sentences(violations: Iterable[GuardViolation]) -> list[str]:
    """One sentence per guard; stores of which it says the same are named in one."""
    stores: dict[tuple[str, str, str, int], list[str]] = {}
    for violation in violations:
        found = [
            end for end in _STORE_ENDINGS if violation.store and violation.message.endswith(end.format(violation.store))
        ]
        what = violation.message.removesuffix(found[0].format(violation.store)) if found else violation.message
        stores.setdefault((violation.guard, what, "".join(found), violation.limit), []).append(violation.store)
    return [
        f"guard «{guard}»: {what}{ending.format(', '.join(names))} (limit {limit})"
        for (guard, what, ending, limit), names in stores.items()
    ]


def check_violations(
    violations: Iterable[GuardViolation], allow: Mapping[str, int], command: str
) -> list[GuardViolation]:
    """Raise GuardStop for every guard above its limit and above what ``allow`` grants; returns the ones it granted.

    ``command`` is what to run again, for the message.
    """
    stopped: list[GuardViolation] = []
    granted: list[GuardViolation] = []
    for violation in violations:
        (granted if violation.measured <= allow.get(violation.guard, -1) else stopped).append(violation)
    if stopped:
        told = "; ".join(_sentences(stopped))
        needed: dict[str, int] = {}
        for violation in stopped:
            needed[violation.guard] = max(violation.measured, needed.get(violation.guard, 0))
        flags = " ".join(f"--allow {guard}={measured}" for guard, measured in needed.items())
        raise GuardStop(
            f"{told}; {NOTHING}", f"look at the plan; if this is meant, for this one run: {command} {flags}"
        )
    return granted


def check_quarantine(
    quarantine: pd.DataFrame,
    sizes: Mapping[str, int],
    max_rows: int | None,
    max_share: float,
    accepted: Collection[tuple[str, str, str]] = (),
) -> None:
    """Raise QuarantineLimit when more rows of a table are rejected than the shop allows.

    ``sizes`` maps each raw table to its number of rows; a row with several reasons counts once. ``accepted`` are
    (table, row key, reason) that a person has seen and accepted: they do not count.
    """
    keys = zip(quarantine["table"], quarantine["row_key"], quarantine["reason"], strict=True)
    known = set(accepted)
    unknown = pd.Series([(str(t), str(k), str(r)) not in known for t, k, r in keys], quarantine.index, dtype=bool)
    counted = quarantine[unknown]
    rejected = counted[["table", "row_number"]].drop_duplicates()["table"].value_counts()
    total = int(rejected.sum())
    next_step = (
        f"look at output/quarantine.csv; mend the rows in Torgsoft, accept them ({COMMAND} quarantine accept) "
        "or raise the limit"
    )
    if max_rows is not None and total > max_rows:
        raise QuarantineLimit(
            f"{total} rows are in the quarantine, more than quarantine.max_rows = {max_rows}; {NOTHING}", next_step
        )
    for table, size in sizes.items():
        bad = int(rejected.get(table, 0))
        if bad > max_share * size:
            raise QuarantineLimit(
                f"{bad} of {size} rows of {table} are in the quarantine, more than "
                f"quarantine.max_share = {max_share:g}; {NOTHING}",
                next_step,
            )
