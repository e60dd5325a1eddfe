"""Builds categories, assignments and offers, and checks that no good was lost."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schemas.catalogue import Catalogue
from schemas.errors import ConservationError
from schemas.tables import ASSIGNMENTS, CATEGORIES, INTEGER, OFFERS, TEXT, conform
from transforms.names import normalize
from transforms.sections import Decision, SectionPlan
from transforms.tree import paths
from transforms.validate import validated
from transforms.values import missing


def build_catalogue(types: pd.DataFrame, goods: pd.DataFrame, plan: SectionPlan, sections: pd.DataFrame) -> Catalogue:
    """Return the catalogue: every good is in the category of its product type's section.

    A good whose type has no section stays in the catalogue as a hidden offer with an empty category: Torgsoft's own
    file lists it too, with Category = -1 (domain.md section 4).
    """
    numbers = dict(zip(sections["identity"], sections["number"].astype(int), strict=True))
    by_type = types[["type_id", "name"]].assign(
        category_number=_column(types, plan.decisions, lambda d: numbers.get(d.section or "")).astype(INTEGER),
        decided_by=_column(types, plan.decisions, lambda d: d.decided_by).astype(TEXT),
    )
    joined = goods[["good_id", "type_id", "good_name"]].merge(by_type, on="type_id", how="left", validate="many_to_one")
    assignments = validated(conform(joined, ASSIGNMENTS), ASSIGNMENTS)
    offers = goods.assign(
        category_number=joined["category_number"].array,
        name=_offer_names(joined, plan.kept_names),
        hidden=(joined["category_number"].isna() | goods["display"].eq(0).fillna(False)).to_numpy(bool),
    )
    categories = _categories(sections, assignments)
    return Catalogue(categories, assignments, validated(conform(offers, OFFERS), OFFERS), sections, types)


def _column(types: pd.DataFrame, decisions: Mapping[int, Decision], get: object) -> pd.Series:
    return pd.Series([get(decisions[int(t)]) for t in types["type_id"]], index=types.index, dtype=object)  # type: ignore[operator]


def _offer_names(joined: pd.DataFrame, kept: Mapping[int, str]) -> pd.Series:
    """Return the names of the goods; ``keep_in_name`` appends the name of a merged type where it is missing."""
    names = [str(name) for name in joined["good_name"]]
    if not kept:
        return pd.Series(names, index=joined.index, dtype=TEXT)
    for row, type_id in enumerate(joined["type_id"]):
        kept_name = kept.get(int(type_id), "")
        if normalize(kept_name).casefold() not in normalize(names[row]).casefold():
            names[row] = f"{names[row]} {kept_name}"
    return pd.Series(names, index=joined.index, dtype=TEXT)


def _categories(sections: pd.DataFrame, assignments: pd.DataFrame) -> pd.DataFrame:
    order = list(sections["identity"])
    parents = {i: None if missing(p) else str(p) for i, p in zip(order, sections["parent_identity"], strict=True)}
    chains = paths(order, parents, dict(zip(order, sections["name"], strict=True)))
    numbers = dict(zip(order, sections["number"], strict=True))
    counts = assignments["category_number"].value_counts()
    frame = pd.DataFrame(
        {
            "number": sections["number"],
            "name": sections["name"],
            "parent_number": [pd.NA if p is None else numbers[p] for p in parents.values()],
            "path": pd.Series([chains[i] for i in order], index=sections.index, dtype=object),
            "depth": [len(chains[i]) for i in order],
            "goods": [int(counts.get(numbers[i], 0)) for i in order],
        }
    )
    return validated(conform(frame, CATEGORIES), CATEGORIES)


def check_conservation(raw_goods: pd.DataFrame, offers: pd.DataFrame, quarantine: pd.DataFrame) -> dict[str, int]:
    """Check that goods in = goods loaded + goods quarantined, row by row; returns the three counts.

    Raises ConservationError, before anything is loaded, when a good is missing or double.
    """
    rejected = quarantine[quarantine["table"] == "raw_goods"]
    counts = {
        "goods_in": len(raw_goods),
        "goods_loaded": len(offers),
        "goods_quarantined": int(rejected["row_number"].nunique()),
    }
    named = set(raw_goods["good_id"].iloc[sorted(set(rejected["row_number"] - 1))].dropna())
    lost = set(raw_goods["good_id"].dropna()) - set(offers["good_id"]) - named
    if lost or counts["goods_in"] != counts["goods_loaded"] + counts["goods_quarantined"]:
        raise ConservationError(
            f"{counts['goods_in']} goods came in, {counts['goods_loaded']} would be loaded and "
            f"{counts['goods_quarantined']} are in the quarantine; missing: {sorted(lost)[:10]}",
            "nothing was changed in any store; please report this with the run's folder",
        )
    return counts
