"""The catalogue of one run: what the stores shall show, and what feeds need beside it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pandas as pd
from pandera.pandas import DataFrameSchema

from schemas.tables import ASSIGNMENTS, CATEGORIES, CLEAN_PRODUCT_TYPES, OFFERS, SECTIONS


@dataclass(frozen=True)
class Catalogue:
    """CATEGORIES (parents first), ASSIGNMENTS and OFFERS (in the goods' order), SECTIONS and CLEAN_PRODUCT_TYPES.

    The last two give names and chains of a sync file; with them a kept catalogue can be loaded again into every kind of
    store.
    """

    categories: pd.DataFrame
    assignments: pd.DataFrame
    offers: pd.DataFrame
    sections: pd.DataFrame
    product_types: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the five frames by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


CATALOGUE_SCHEMAS: dict[str, DataFrameSchema] = {
    "categories": CATEGORIES,
    "assignments": ASSIGNMENTS,
    "offers": OFFERS,
    "sections": SECTIONS,
    "product_types": CLEAN_PRODUCT_TYPES,
}
"""The schema of each of the catalogue's tables."""
