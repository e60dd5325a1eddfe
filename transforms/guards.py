"""What stops a run before the first write."""

from __future__ import annotations

import pandas as pd

from schemas.errors import GuardStop, QuarantineLimit
from schemas.extract import Extract

FEW = 10
"""So many rows may disappear whatever the share: a small shop may close a category (stores.md section 5)."""

NOTHING = "nothing was changed in any store"


def check_extract(raw: Extract) -> None:
    """Raise GuardStop for an extract without product types or without goods."""
    for table, frame in (("product types", raw.product_types), ("goods", raw.goods)):
        if frame.empty:
            raise GuardStop(
                f"guard «empty extract»: the base gave no {table}; {NOTHING}",
                "check that the dsn names the right base, then run again",
            )


def check_removed(store: str, table: str, removed: int, shown: int, max_share: float) -> None:
    """Raise GuardStop when more than a share of a store's shown rows would disappear; 0 allows none."""
    allowed = max(FEW, max_share * shown) if max_share else 0
    if removed > allowed:
        raise GuardStop(
            f"guard «removed share»: {removed} of {shown} {table} would disappear from store {store}, "
            f"more than {max_share:.0%}; {NOTHING}",
            "look at the run's report; if this is meant, raise guards.max_removed_share for one run",
        )


def check_quarantine(quarantine: pd.DataFrame, sizes: dict[str, int], max_rows: int | None, max_share: float) -> None:
    """Raise QuarantineLimit when more rows of a table are rejected than the shop allows.

    ``sizes`` maps each raw table to its number of rows; a row with several reasons counts once.
    """
    rejected = quarantine[["table", "row_number"]].drop_duplicates()["table"].value_counts()
    total = int(rejected.sum())
    if max_rows is not None and total > max_rows:
        raise QuarantineLimit(
            f"{total} rows are in the quarantine, more than quarantine.max_rows = {max_rows}; {NOTHING}",
            "look at output/quarantine.csv, mend the rows in Torgsoft or raise the limit",
        )
    for table, size in sizes.items():
        bad = int(rejected.get(table, 0))
        if bad > max_share * size:
            raise QuarantineLimit(
                f"{bad} of {size} rows of {table} are in the quarantine, more than "
                f"quarantine.max_share = {max_share:g}; {NOTHING}",
                "look at output/quarantine.csv, mend the rows in Torgsoft or raise the limit",
            )
