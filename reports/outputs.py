"""The output files of a run for a person: categories, assignments, offers, quarantine, and the tree as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from reports.spreadsheet import for_people
from schemas.numbers import format_decimal
from schemas.tables import DECIMAL
from schemas.values import decimals


def catalogue_files(categories: pd.DataFrame, assignments: pd.DataFrame, offers: pd.DataFrame) -> dict[str, bytes]:
    """Return ``categories.csv``, ``assignments.csv``, ``offers.csv`` and ``tree.txt`` of one catalogue, by file name.

    CSV is comma-separated UTF-8 with a header. An empty cell means no value; ``path`` is a JSON list of names; decimals
    have a point and no trailing zeros; flags are 0 and 1. A text that a spreadsheet would take for a formula has an
    apostrophe before it (``for_people``).
    """
    return {
        "categories.csv": csv_bytes(categories),
        "assignments.csv": csv_bytes(assignments),
        "offers.csv": csv_bytes(offers),
        "tree.txt": tree_text(categories, offers).encode(),
    }


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return a frame as CSV, in the form that ``catalogue_files`` describes."""
    text = pd.DataFrame({name: _cells(frame[name]) for name in frame}, columns=frame.columns)
    return text.to_csv(index=False, lineterminator="\n").encode()


def _cells(column: pd.Series) -> pd.Series:
    if column.dtype == DECIMAL:
        texts = [None if value is None else format_decimal(value) for value in decimals(column)]
        return pd.Series(texts, index=column.index, dtype=object)
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype(int)
    if pd.api.types.is_object_dtype(column.dtype):
        return column.map(lambda value: json.dumps(value, ensure_ascii=False))
    if pd.api.types.is_string_dtype(column.dtype):
        return column.map(for_people, na_action="ignore")
    return column


def tree_text(categories: pd.DataFrame, offers: pd.DataFrame) -> str:
    """Return the category tree as text: each category with its number and goods, siblings by name.

    Goods are counted twice: in the category, and with all categories below it.
    """
    rows: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in categories.to_dict("records")]
    children: dict[int | None, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda r: (r["path"], r["number"])):
        parent = row["parent_number"]
        children.setdefault(None if parent is None or parent is pd.NA else int(parent), []).append(row)
    below = goods_below(rows)
    lines: list[str] = []
    stack = [("", "", "", row) for row in reversed(children.get(None, []))]
    while stack:
        indent, branch, inner, row = stack.pop()
        lines.append(f"{indent}{branch}{row['name']}  [{row['number']}]  {row['goods']} / {below[row['number']]}")
        kids = children.get(row["number"], [])
        for position, kid in reversed(list(enumerate(kids))):
            last = position == len(kids) - 1
            stack.append((indent + inner, "└── " if last else "├── ", "    " if last else "│   ", kid))
    hidden = int(offers["category_number"].isna().sum())
    head = "category  [number]  goods on it / with all below\n"
    tail = f"\nwithout a category (hidden): {hidden} goods\n" if hidden else ""
    return head + "\n".join(lines) + "\n" + tail


def goods_below(categories: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Return the goods of each category and of all categories below it, by number."""
    below = {int(row["number"]): int(row["goods"]) for row in categories}
    for row in sorted(categories, key=lambda row: -row["depth"]):
        parent = row["parent_number"]
        if parent is not None and parent is not pd.NA:
            below[int(parent)] += below[int(row["number"])]
    return below


def preorder(categories: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Yield each category before its children, siblings by name, with a flag: whether it has children."""
    children: dict[int | None, list[Mapping[str, Any]]] = {}
    for row in sorted(categories, key=lambda row: (row["path"], row["number"]), reverse=True):
        parent = row["parent_number"]
        children.setdefault(None if parent is None or parent is pd.NA else int(parent), []).append(row)
    stack = children.get(None, [])
    while stack:
        row = stack.pop()
        kids = children.get(int(row["number"]), [])
        yield row, bool(kids)
        stack += kids
