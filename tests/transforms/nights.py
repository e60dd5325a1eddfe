"""Shops of every size as raw tables, what happens to them in a night, and what the guards say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from random import Random

import pandas as pd

from schemas.catalogue import Catalogue
from schemas.contents import Rows
from schemas.plan import GuardViolation
from schemas.registry import Registry
from schemas.tables import RAW_GOODS, conform
from tests.pure import Result, decide, registry_after, sections_frame, types_frame
from transforms.goods_flow import goods_flow
from transforms.guards import (
    Limits,
    extract_violations,
    feed_violations,
    night_violations,
    number_violations,
    store_violations,
)
from transforms.numbers import meanings_of, number_changes
from transforms.plan import REDIRECT_COLUMNS, Absent, operations, wanted_contents

SIZES = (8, 40, 600, 1864)
WORDS = ("Крем", "Помада", "Шампунь", "Туш", "Лак", "Пудра", "Їжачок", "Гель", "Маска", "Олія")
LIMITS = Limits()


@dataclass(frozen=True)
class Night:
    """The raw tables of one night."""

    types: pd.DataFrame
    sections: pd.DataFrame
    goods: pd.DataFrame
    unmapped: str = "inherit"
    rules: str = ""

    def but(self, **tables: object) -> Night:
        return replace(self, **tables)  # type: ignore[arg-type]


def shop(size: int, unmapped: str = "inherit") -> Night:
    """A root, branches, and leaves with goods; ``create`` has no sections, else two types of three have their own."""
    branches = max(2, min(8, size // 6))
    leaves = max(2, min(90, size // 5))
    tree = [(1, None, "Магазин", 1)]
    tree += [(10 + n, 1, f"Відділ {WORDS[n]}", 10 + n) for n in range(branches)]
    tree += [(100 + n, 10 + n % branches, f"{WORDS[n % 10]} вид {n}", 100 + n) for n in range(leaves)]
    own = {row[0] for row in tree if row[0] < 100 or row[0] % 3}
    linked = unmapped != "create"
    types = types_frame(*((*row[:3], row[3] if linked and row[0] in own else None) for row in tree))
    sections = sections_frame(*(row for row in tree if linked and row[0] in own))
    random = Random(size)
    frame = pd.DataFrame(
        {
            "good_id": range(1, size + 1),
            "type_id": [100 + n % leaves for n in range(size)],
            "position": range(1, size + 1),
            "good_name": [f"{random.choice(WORDS)} «{random.choice(WORDS)}» №{n}" for n in range(size)],
            "retail_price": [Decimal(random.randrange(2000, 90000)) / 100 for _ in range(size)],
            "warehouse_quantity": [Decimal(random.randrange(1, 40)) for _ in range(size)],
            "display": [1] * size,
        }
    )
    frame["wholesale_price"] = [price / 2 for price in frame["retail_price"]]
    frame["retail_price_with_discount"] = frame["retail_price"]
    return Night(types, sections, conform(frame, RAW_GOODS), unmapped)


def built(night: Night, registry: Registry | None = None) -> Result:
    return decide(night.types, night.sections, night.goods, night.rules, registry, unmapped=night.unmapped)


def judged(
    before: Result, after: Result, registry: Registry | None = None, week_ago: Catalogue | None = None
) -> list[GuardViolation]:
    """Every guard that a run asks, as the engine asks them, for one store that took last night's catalogue."""
    old, new = before.catalogue, after.catalogue
    rows = {
        t: (len(getattr(before.raw, t)), len(getattr(after.raw, t))) for t in ("product_types", "sections", "goods")
    }
    found = extract_violations({t: n for t, (_, n) in rows.items()}, {t: o for t, (o, _) in rows.items()}, LIMITS)
    found += night_violations(new, old, week_ago, LIMITS)
    known = registry or registry_after(before)
    found += number_violations(number_changes(meanings_of(new.sections), known, goods_flow(old, new)))
    none = Rows(REDIRECT_COLUMNS)
    wanted, present = wanted_contents(new, none), wanted_contents(old, none)
    found += store_violations("web", present, operations(wanted, present, Absent()), LIMITS)
    return found + feed_violations(new, old, ["feed"])


@cache
def last_night(size: int, unmapped: str = "inherit") -> Result:
    """The night before, built once."""
    return built(shop(size, unmapped))


def after(size: int, change: Callable[[Night], Night], unmapped: str = "inherit") -> list[GuardViolation]:
    """What the guards say of a night that comes after that of ``shop(size)``."""
    before = last_night(size, unmapped)
    return judged(before, built(change(shop(size, unmapped)), registry_after(before)))


def stops(found: list[GuardViolation]) -> set[str]:
    return {violation.guard for violation in found if violation.level == "stop"}


def tells(found: list[GuardViolation]) -> set[str]:
    return {violation.guard for violation in found if violation.level == "tell"}


# --- what can happen to tables ---


def with_column(frame: pd.DataFrame, column: str, values: object, rows: object = slice(None)) -> pd.DataFrame:
    """The frame with other values in some rows of a column."""
    out = frame.copy()
    if pd.api.types.is_scalar(values) or isinstance(values, Decimal):
        values = [values] * len(out.loc[rows, column])
    held = out[column].astype(object)
    held.loc[rows] = list(values)  # type: ignore[call-overload]
    out[column] = held.astype(frame[column].dtype)
    return out


def scaled(frame: pd.DataFrame, column: str, factor: str, rows: object = slice(None)) -> pd.DataFrame:
    """The frame with a decimal column multiplied."""
    held = frame.loc[rows, column]
    return with_column(
        frame, column, [None if v is None or v is pd.NA else round(v * Decimal(factor), 4) for v in held], rows
    )


def turned(frame: pd.DataFrame, key: str, column: str) -> pd.DataFrame:
    """The tree with every leaf in the next branch."""
    leaves = frame.index[frame[key] >= 100]
    branches = sorted(frame.loc[(frame[key] >= 10) & (frame[key] < 100), key].tolist())
    after = [branches[(branches.index(parent) + 1) % len(branches)] for parent in frame.loc[leaves, column]]
    return with_column(frame, column, after, leaves)
