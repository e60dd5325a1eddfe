"""What becomes of a run whose guards were violated, and of one with too many rejected rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pandas as pd

from schemas.command import COMMAND
from schemas.errors import GuardStop, QuarantineLimit
from schemas.extract import Extract
from schemas.guards import GUARD_TABLE, GUARDS, guard_stores
from schemas.plan import GuardViolation
from transforms.guards.limits import part

NOTHING = "nothing was changed in any store"


def check_extract(raw: Extract) -> None:
    """Raise GuardStop for an extract without product types or without goods; no override allows it."""
    for table, frame in (("product types", raw.product_types), ("goods", raw.goods)):
        if frame.empty:
            raise GuardStop(
                f"guard «empty_extract»: {GUARD_TABLE['empty_extract'].message.format(what=table)}; {NOTHING}",
                "check that the dsn names the right base, then run again",
            )


def _sentences(violations: Iterable[GuardViolation]) -> list[str]:
    """One sentence per guard; stores of which it says the same are named in one."""
    stores: dict[tuple[str, str, int], list[str]] = {}
    for each in violations:
        stores.setdefault((each.guard, each.message, each.limit), []).append(each.store)
    return [
        f"guard «{guard}»: {message}{guard_stores(guard, [name for name in names if name])} (limit {limit})"
        for (guard, message, limit), names in stores.items()
    ]


def check_violations(
    violations: Iterable[GuardViolation], allow: Mapping[str, int], command: str
) -> list[GuardViolation]:
    """Raise GuardStop for every guard above its limit and above what ``allow`` grants; returns the ones it granted.

    ``command`` is what to run again, for the message. Guards that only tell stop nothing, and need no allowance.
    """
    stopped: list[GuardViolation] = []
    granted: list[GuardViolation] = []
    for violation in violations:
        if violation.level == "stop":
            (granted if violation.measured <= allowance(violation, allow) else stopped).append(violation)
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


def allowance(violation: GuardViolation, allow: Mapping[str, int]) -> int:
    """The rows that ``--allow`` grants this guard in this run; -1 for none, and for a guard that it cannot raise."""
    return allow.get(violation.guard, -1) if violation.guard in GUARDS else -1


def told_sentences(violations: Iterable[GuardViolation]) -> list[str]:
    """What guards tell that stop nothing, one sentence each: for the report's warnings."""
    return _sentences(violation for violation in violations if violation.level == "tell")


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
        f"look at output/quarantine.csv; correct the rows in Torgsoft, accept them ({COMMAND} quarantine accept) "
        "or raise the limit"
    )
    if max_rows is not None and total > max_rows:
        raise QuarantineLimit(
            f"{total} rows are in the quarantine, more than quarantine.max_rows = {max_rows}; {NOTHING}", next_step
        )
    for table, size in sizes.items():
        bad = int(rejected.get(table, 0))
        if bad > part(max_share, size):
            raise QuarantineLimit(
                f"{bad} of {size} rows of {table} are in the quarantine, more than "
                f"quarantine.max_share = {max_share:g}; {NOTHING}",
                next_step,
            )
