"""Frames that the source tests build bases from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd

from schemas.tables import RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, conform
from schemas.trs import GOOD_COLUMNS

UKRAINIAN = "ґ є і ї ’ № Ґанок «Їжак»"

TYPES = conform(
    pd.DataFrame(
        {
            "type_id": [1, 2, 3],
            "parent_id": [None, 1, 1],
            "name": [UKRAINIAN, "КЕДЫ,КРОССОВКИ", "Flormar "],
            "section_key": [89, None, 90],
        }
    ),
    RAW_PRODUCT_TYPES,
)
SECTIONS = conform(
    pd.DataFrame(
        {
            "section_key": [89, 90],
            "parent_key": [None, 89],
            "name": ["Біжутерія", "Браслет"],
            "number": ["17", None],
        }
    ),
    RAW_SECTIONS,
)


def value(kind: str, width: int | None, index: int) -> Any:
    """A value of every kind that a careless reader would change."""
    return {
        "text": f"{index} {UKRAINIAN}"[: width or 500],
        "integer": 2**40 + index,
        "flag": index % 2,
        "decimal": Decimal("31.03448276") + index,
    }[kind]


def goods(count: int = 3) -> pd.DataFrame:
    """Goods with every column filled."""
    data: dict[str, list[Any]] = {
        "good_id": list(range(1, count + 1)),
        "type_id": [1 + i % 3 for i in range(count)],
        "position": list(range(1, count + 1)),
    }
    for column in GOOD_COLUMNS:
        if column.field not in data:
            data[column.field] = [value(column.kind, column.width, i) for i in range(count)]
    return conform(pd.DataFrame(data), RAW_GOODS)


GOODS = goods()
