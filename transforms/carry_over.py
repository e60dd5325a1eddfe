"""Keeps quarantined categories and goods in the catalogue as they were: a bad row removes nothing from a store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pandas as pd

from schemas.catalogue import CATALOGUE_SCHEMAS, Catalogue
from schemas.tables import conform
from transforms.values import key_or_none, missing

HELD = "held"
"""``decided_by`` of a good that stays where it was because its row is in the quarantine."""


def carry_over(catalogue: Catalogue, previous: Catalogue, held: Mapping[Any, Collection[int]]) -> Catalogue:
    """Return the catalogue with the ``held`` categories and goods of the last loaded one, in their old places.

    ``held`` maps ``category`` to numbers and ``offer`` to good ids. A held category keeps the categories above it. A
    held good is hidden when its category is missing for another reason.
    """
    sections = _held_sections(catalogue, previous, held.get("category", ()))
    goods = set(held.get("offer", ())) - {int(good) for good in catalogue.offers["good_id"]}
    offers = previous.offers[previous.offers["good_id"].isin(goods)]
    if sections.empty and offers.empty:
        return catalogue
    categories = _categories(catalogue, previous, sections)
    living = {int(number) for number in categories["number"]}
    assignments = previous.assignments[previous.assignments["good_id"].isin(goods)].assign(decided_by=HELD)
    lost = ~offers["category_number"].isin(living)
    offers = offers.assign(category_number=offers["category_number"].mask(lost), hidden=offers["hidden"] | lost)
    assignments = assignments.assign(
        category_number=assignments["category_number"].mask(~assignments["category_number"].isin(living))
    )
    present = set(catalogue.product_types["type_id"])
    types = previous.product_types[previous.product_types["type_id"].isin(set(assignments["type_id"]) - present)]
    order = _order(previous.offers["good_id"], catalogue.offers["good_id"])
    assignments = _in_order(_join("assignments", catalogue.assignments, assignments), order)
    counts = assignments["category_number"].value_counts()
    categories["goods"] = [int(counts.get(number, 0)) for number in categories["number"]]
    return Catalogue(
        categories=conform(categories, CATALOGUE_SCHEMAS["categories"]),
        assignments=assignments,
        offers=_in_order(_join("offers", catalogue.offers, offers), order),
        sections=_join("sections", catalogue.sections, sections),
        product_types=_join("product_types", catalogue.product_types, types),
    )


def _held_sections(catalogue: Catalogue, previous: Catalogue, numbers: Collection[int]) -> pd.DataFrame:
    """Return the rows of the sections to keep, and of missing ones above them, parents first."""
    before = previous.sections
    parents = {str(i): None if missing(p) else str(p) for i, p in _pairs(before, "identity", "parent_identity")}
    living = {str(identity) for identity in catalogue.sections["identity"]}
    taken = {int(number) for number in catalogue.sections["number"]}
    keep: set[str] = set()
    for identity, number in _pairs(before, "identity", "number"):
        step: str | None = str(identity) if int(number) in numbers else None
        while step is not None and step not in living and step not in keep:
            keep.add(step)
            step = parents[step]
    return before[before["identity"].isin(keep) & ~before["number"].isin(taken)]


def _categories(catalogue: Catalogue, previous: Catalogue, sections: pd.DataFrame) -> pd.DataFrame:
    """Return the categories with those of the kept sections; each path has tonight's names of the categories above."""
    frame = catalogue.categories
    paths = {int(n): list(path) for n, path in _pairs(frame, "number", "path")}
    numbers = {int(number) for number in sections["number"]}
    rows = []
    for row in previous.categories.to_dict("records"):
        number, parent = int(row["number"]), key_or_none(row["parent_number"])
        if number not in numbers:
            continue
        if parent is not None and parent not in paths:
            parent = None
        paths[number] = [*([] if parent is None else paths[parent]), str(row["name"])]
        rows.append(
            {**row, "parent_number": parent if parent is not None else pd.NA, "path": paths[number],
             "depth": len(paths[number])}
        )  # fmt: skip
    return _join("categories", frame, pd.DataFrame(rows, columns=list(frame.columns)))


def _pairs(frame: pd.DataFrame, left: str, right: str) -> Iterable[tuple[Any, Any]]:
    return zip(frame[left], frame[right], strict=True)


def _join(name: str, now: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    schema = CATALOGUE_SCHEMAS[name]
    return pd.concat([now, conform(more, schema)], ignore_index=True) if len(more) else now.copy()


def _order(before: pd.Series, now: pd.Series) -> dict[int, tuple[int, int]]:
    """Return a sort key per good: tonight's goods in their order, a held one directly after its former neighbour."""
    position = {int(good): (n, 0) for n, good in enumerate(now)}
    out = dict(position)
    last, behind = -1, 0
    for good in before:
        if int(good) in position:
            last, behind = position[int(good)][0], 0
        else:
            behind += 1
            out[int(good)] = (last, behind)
    return out


def _in_order(frame: pd.DataFrame, order: Mapping[int, tuple[int, int]]) -> pd.DataFrame:
    labels = sorted(range(len(frame)), key=lambda n: order[int(frame["good_id"].iloc[n])])
    return frame.iloc[labels].reset_index(drop=True)
