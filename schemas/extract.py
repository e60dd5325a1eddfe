"""The extract: three raw tables of the base, read in one snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Extract:
    """Product types, sections and goods of one snapshot, in the columns of RAW_PRODUCT_TYPES, RAW_SECTIONS, RAW_GOODS.

    ``source`` describes the base without secrets (dsn, charset, server version); ``notes`` are sentences for the
    report.
    """

    product_types: pd.DataFrame
    sections: pd.DataFrame
    goods: pd.DataFrame
    source: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
