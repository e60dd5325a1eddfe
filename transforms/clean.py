"""Raw tables → clean product types, usable hand-made sections, goods on a known type; the rest is rejected."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from schemas.extract import Extract
from schemas.numbers import MAX_NUMBER
from schemas.settings.names import NamesSettings
from schemas.tables import CLEAN_PRODUCT_TYPES, RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, TEXT, conform
from transforms import quarantine
from transforms.names import clean_name, fault
from transforms.tree import check_tree, paths
from transforms.validate import split_valid, validated
from transforms.values import key_or_none, missing


@dataclass(frozen=True)
class HandSection:
    """A section made by hand in Torgsoft, after its checks. ``number`` is None where Torgsoft has no number."""

    key: int
    parent: int | None
    name: str
    number: int | None


@dataclass(frozen=True)
class NameChange:
    """A name, or a text of a good, that the policy changed: table, key of the row, text before and after."""

    table: str
    key: int
    before: str
    after: str


@dataclass(frozen=True)
class Clean:
    """Valid rows: CLEAN_PRODUCT_TYPES, hand-made sections by key, goods as in RAW_GOODS; and the quarantine.

    ``reserved``: numbers and keys of Torgsoft, usable or not. The registry must never give one of them.
    """

    product_types: pd.DataFrame
    sections: dict[int, HandSection]
    goods: pd.DataFrame
    quarantine: pd.DataFrame
    name_changes: tuple[NameChange, ...]
    reserved: frozenset[int]


def clean(extract: Extract, policy: NamesSettings) -> Clean:
    """Validate and clean one extract (design.md section 4: Numbers, Names, Tree).

    Every raw row is either in the result or in its quarantine, with a reason. Raises SchemaError when a table's shape
    is wrong.
    """
    types, types_out, type_changes = _clean_types(extract.product_types, policy)
    sections, sections_out, section_changes = _clean_sections(extract.sections, policy)
    raw_goods, text_changes = without_nul(extract.goods)
    goods, goods_out = _clean_goods(raw_goods, types, extract.product_types)
    return Clean(
        _count_goods(types, goods),
        sections,
        goods,
        quarantine.join(types_out, sections_out, goods_out),
        (*type_changes, *section_changes, *text_changes),
        _reserved(extract.sections),
    )


def _clean_types(raw: pd.DataFrame, policy: NamesSettings) -> tuple[pd.DataFrame, pd.DataFrame, tuple[NameChange, ...]]:
    valid, rejects = split_valid(raw, RAW_PRODUCT_TYPES, "type_id")
    ids = [int(i) for i in valid["type_id"]]
    names = dict(zip(ids, (clean_name(str(n), policy) for n in valid["name"]), strict=True))
    raw_names = dict(zip(ids, map(str, valid["name"]), strict=True))
    parents = dict(zip(ids, map(key_or_none, valid["parent_id"]), strict=True))
    # a type with an unusable name stays in the tree: it keeps Torgsoft's spelling, and may be
    # linked to a section, but no section is ever made from it
    names = {i: name or raw_names[i].strip() for i, name in names.items()}
    checked = check_tree(parents, _ids(raw["type_id"]) - set(ids))
    label = dict(zip(ids, map(int, valid.index), strict=True))
    rejects = quarantine.join(
        rejects,
        quarantine.reject(RAW_PRODUCT_TYPES.name, valid, "type_id", {label[i]: w for i, w in checked.bad.items()}),
    )
    clean_paths, raw_paths = (paths(checked.order, parents, n) for n in (names, raw_names))
    rows = valid.loc[[label[i] for i in checked.order]]
    frame = pd.DataFrame(
        {
            "type_id": checked.order,
            "parent_id": rows["parent_id"].array,
            "name": [names[i] for i in checked.order],
            "raw_name": [raw_names[i] for i in checked.order],
            "section_key": rows["section_key"].array,
            "path": pd.Series([clean_paths[i] for i in checked.order], dtype=object),
            "raw_path": pd.Series([raw_paths[i] for i in checked.order], dtype=object),
            "depth": [len(clean_paths[i]) for i in checked.order],
        }
    )
    changes = [NameChange("raw_product_types", i, raw_names[i], names[i]) for i in checked.order]
    return frame, rejects, tuple(c for c in changes if c.before != c.after)


def _clean_sections(
    raw: pd.DataFrame, policy: NamesSettings
) -> tuple[dict[int, HandSection], pd.DataFrame, tuple[NameChange, ...]]:
    valid, rejects = split_valid(raw, RAW_SECTIONS, "section_key")
    keys = [int(k) for k in valid["section_key"]]
    label = dict(zip(keys, map(int, valid.index), strict=True))
    before = dict(zip(keys, map(str, valid["name"]), strict=True))
    after = {k: clean_name(name, policy) for k, name in before.items()}
    numbers, bad = _numbers(dict(zip(keys, valid["number"], strict=True)))
    bad |= {k: (why, f"name = {before[k][:60]!r}") for k in keys if (why := fault(after[k], policy)) and k not in bad}
    parents = {k: key_or_none(p) for k, p in zip(keys, valid["parent_key"], strict=True) if k not in bad}
    checked = check_tree(parents, _ids(raw["section_key"]) - set(parents))
    rejects = quarantine.join(
        rejects,
        quarantine.reject(RAW_SECTIONS.name, valid, "section_key", {label[k]: w for k, w in bad.items()}),
        quarantine.reject(RAW_SECTIONS.name, valid, "section_key", {label[k]: w for k, w in checked.bad.items()}),
    )
    sections = {k: HandSection(k, parents[k], after[k], numbers[k]) for k in checked.order}
    changes = (NameChange("raw_sections", k, before[k], after[k]) for k in checked.order)
    return sections, rejects, tuple(c for c in changes if c.before != c.after)


def _numbers(raw: dict[int, object]) -> tuple[dict[int, int | None], dict[int, tuple[str, str]]]:
    """Return Torgsoft's numbers as integers, and why some cannot be used; a missing number is not a fault."""
    numbers: dict[int, int | None] = {}
    bad: dict[int, tuple[str, str]] = {}
    for key, value in raw.items():
        numbers[key] = None
        text = "" if missing(value) else str(value).strip()
        if not text:
            continue
        detail = f"number = {text[:60]}"
        number = _integer(text)
        if number is None:
            bad[key] = ("number_not_integer", detail)
        elif number < 1:
            bad[key] = ("number_not_positive", detail)
        elif number > MAX_NUMBER:
            bad[key] = ("number_too_large", detail)
        numbers[key] = number
    held: dict[int, list[int]] = {}
    for key, held_number in numbers.items():
        if held_number is not None and key not in bad:
            held.setdefault(held_number, []).append(key)
    for held_number, keys in held.items():
        if len(keys) > 1:
            bad |= dict.fromkeys(keys, ("number_duplicate", f"number = {held_number}, sections {sorted(keys)}"))
    return numbers, bad


def without_nul(goods: pd.DataFrame) -> tuple[pd.DataFrame, tuple[NameChange, ...]]:
    """Return the goods with blanks for NUL characters, which no database takes.

    Other control characters stay: a description has line breaks, and each store replaces what it cannot hold.
    """
    cleaned: dict[str, pd.Series] = {}
    changes = []
    for name in goods.columns[goods.dtypes == TEXT]:
        found = goods[name].str.contains("\0", regex=False).fillna(False).astype(bool)
        if found.any():
            cleaned[name] = goods[name].where(~found, goods[name].str.replace("\0+", " ", regex=True))
            pairs = zip(goods.loc[found, "good_id"], goods.loc[found, name], cleaned[name][found], strict=True)
            changes += [NameChange("raw_goods", int(key), old, new) for key, old, new in pairs if not missing(key)]
    return (goods.assign(**cleaned) if cleaned else goods), tuple(changes)


def _clean_goods(raw: pd.DataFrame, types: pd.DataFrame, raw_types: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    valid, rejects = split_valid(raw, RAW_GOODS, "good_id")
    placed = valid["type_id"].isin(set(types["type_id"]))
    held = _ids(raw_types["type_id"])
    why = {
        int(label): ("type_quarantined" if int(type_id) in held else "type_unknown", f"type_id = {type_id}")
        for label, type_id in zip(valid.index[~placed], valid.loc[~placed, "type_id"], strict=True)
    }
    rejects = quarantine.join(rejects, quarantine.reject(str(RAW_GOODS.name), valid, "good_id", why))
    goods = conform(valid[placed], RAW_GOODS)
    return goods.sort_values(["position", "good_id"], ignore_index=True, kind="stable"), rejects


def _count_goods(types: pd.DataFrame, goods: pd.DataFrame) -> pd.DataFrame:
    """Count the goods of each type, and of it with all types below. In ``types`` parents come first."""
    own = goods["type_id"].value_counts()
    counts = {int(i): int(own.get(i, 0)) for i in types["type_id"]}
    below = dict(counts)
    parents = {int(i): key_or_none(p) for i, p in zip(types["type_id"], types["parent_id"], strict=True)}
    for type_id in reversed(list(parents)):
        parent = parents[type_id]
        if parent is not None:
            below[parent] += below[type_id]
    counted = types.assign(goods=list(counts.values()), goods_below=list(below.values()))
    return validated(conform(counted, CLEAN_PRODUCT_TYPES), CLEAN_PRODUCT_TYPES)


def _reserved(raw: pd.DataFrame) -> frozenset[int]:
    numbers = {n for value in raw["number"].dropna() if (n := _integer(str(value).strip())) is not None}
    return frozenset(n for n in numbers | _ids(raw["section_key"]) if n > 0)


def _integer(text: str) -> int | None:
    """Parse an ASCII integer with an optional sign; ``1.0``, ``٣`` and ``1_0`` give None."""
    digits = text.removeprefix("-").removeprefix("+")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


def _ids(column: pd.Series) -> set[int]:
    return {int(i) for i in column.dropna()}
