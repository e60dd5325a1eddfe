"""Turns a sync file into the three raw tables of a base: product types, sections, goods (``base build --from-trs``).

A sync file is less than the base: it shows only types and sections that goods hang on, and their ancestors by name.
``TrsFrames.inferred`` lists what had to be inferred, ``ambiguities`` what is undecided, ``notes`` what is unusual. No
good is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from schemas.errors import ConservationError, SourceError
from schemas.tables import INTEGER, RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, TEXT, conform
from sources.trs.chain import Chain, Separator, parse_chain
from sources.trs.file import TrsFile
from sources.trs.links import link_ancestors
from sources.trs.sections import Link, SectionTree, build_sections
from sources.trs.types import Ambiguity, Seen, TypePath, TypeTree, build_types


@dataclass(frozen=True)
class TrsFrames:
    """The raw tables of one sync file, in the columns of RAW_PRODUCT_TYPES, RAW_SECTIONS and RAW_GOODS.

    ``inferred``: sentences on what was inferred, as the file does not say it; ``notes``: what is unusual in the file.
    """

    product_types: pd.DataFrame
    sections: pd.DataFrame
    goods: pd.DataFrame
    ambiguities: tuple[Ambiguity, ...] = ()
    inferred: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def frames_from_trs(trs: TrsFile) -> TrsFrames:
    """Rebuild the raw tables; the values of goods stay as they are, ``position`` is the order of the lines (from 1).

    Raises SourceError when the file has neither a product type nor a name of the goods.
    """
    for fields, title in ((("good_type_full", "good_type_name"), "GoodTypeFull"), (("good_name",), "GoodName")):
        if not any(name in trs.frame for name in fields):
            raise SourceError(f"{trs.path}: no column {title}", "switch the column on in Torgsoft's export")
    notes = list(trs.notes)
    rows = _rows(trs, notes)
    tree = build_types(_seen(rows))
    links = [Link(row.category, row.chain, row.section, _type_name(tree, row.type)) for row in rows]
    sections = build_sections(Counter(links))
    type_ids = [tree.type_ids.get(row.type) for row in rows]
    section_keys = [sections.keys[link] for link in links]
    own = _own_sections(tree, type_ids, section_keys, notes)
    inherited = link_ancestors(tree, own, _chains_by_type(tree, rows), sections.sections)
    product_types = tree.types.assign(
        section_key=pd.array([(own | inherited.keys).get(key) for key in tree.types["type_id"]], dtype=INTEGER)
    )
    goods = trs.frame.assign(
        type_id=pd.array(type_ids, dtype=INTEGER),
        position=pd.array(range(1, len(trs.frame) + 1), dtype=INTEGER),
    )
    if untyped := sum(key is None for key in type_ids):
        notes.append(f"{untyped} goods have no product type")
    frames = TrsFrames(
        conform(product_types, RAW_PRODUCT_TYPES),
        conform(sections.sections, RAW_SECTIONS),
        conform(goods, RAW_GOODS),
        (*tree.ambiguities, *inherited.ambiguities),
        (*sections.inferred, *inherited.inferred),
        (*notes, *sections.notes),
    )
    if len(frames.goods) != len(trs.frame):
        raise ConservationError(f"{trs.path}: {len(trs.frame)} goods became {len(frames.goods)}")
    return frames


@dataclass(frozen=True)
class _Row:
    """The type and section of one good in the file."""

    type: TypePath
    category: int | None
    chain: Chain
    section: str


def _rows(trs: TrsFile, notes: list[str]) -> list[_Row]:
    """Return one entry per good; equal entries are one object, so that a chain is parsed once."""
    frame = trs.frame
    texts = [
        (frame[name] if name in frame else pd.Series("", index=frame.index, dtype=TEXT)).fillna("").tolist()
        for name in ("good_type_full", "good_type_name", "synchronization_section", "synchronization_section_full")
    ]
    numbers = frame["category"] if "category" in frame else pd.Series(pd.NA, index=frame.index, dtype=INTEGER)
    categories = [None if value is pd.NA else int(value) for value in numbers.array]
    row_of_cells: dict[tuple[str, str, str, str, int | None], _Row] = {}
    broken: Counter[str] = Counter()
    rows = []
    for full, leaf, section, chain_text, category in zip(*texts, categories, strict=True):
        cells = (full, leaf, section, chain_text, category)
        if cells not in row_of_cells:
            chain = _chain(chain_text, trs.dialect.chain_separator, section)
            row_of_cells[cells] = _Row(TypePath(full or leaf, leaf), category, chain or (), section)
            if chain is None:
                broken[chain_text] = 0
        if chain_text in broken:
            broken[chain_text] += 1
        rows.append(row_of_cells[cells])
    notes.extend(
        f'"{text}" is not a section chain: {goods} goods were assigned by Category' for text, goods in broken.items()
    )
    return rows


def _chain(text: str, separator: Separator, leaf: str) -> Chain | None:
    return parse_chain(text, separator, leaf)


def _seen(rows: list[_Row]) -> dict[TypePath, Seen]:
    goods: Counter[TypePath] = Counter()
    names: dict[TypePath, set[str]] = defaultdict(set)
    for row in rows:
        if row.type.path:
            goods[row.type] += 1
            names[row.type].update(name for _, name in row.chain)
    return {key: Seen(count, frozenset(names[key])) for key, count in goods.items()}


def _type_name(tree: TypeTree, key: TypePath) -> str:
    return tree.levels[key][-1] if key in tree.levels else ""


def _own_sections(
    tree: TypeTree, type_ids: list[int | None], section_keys: list[int | None], notes: list[str]
) -> dict[int, int | None]:
    """Return the section of every type with goods: that of most of its goods (None: most have none)."""
    votes: dict[int, Counter[int | None]] = defaultdict(Counter)
    for type_key, section_key in zip(type_ids, section_keys, strict=True):
        if type_key is not None:
            votes[type_key][section_key] += 1
    paths: Mapping[int, list[str]] = dict(zip(tree.types["type_id"], tree.types["path"], strict=True))
    own: dict[int, int | None] = {}
    for type_key, counter in votes.items():
        ranked = sorted(counter, key=lambda key: (-counter[key], key is None, key or 0))
        own[type_key] = ranked[0]
        if len(ranked) > 1:
            listed = ", ".join(f"{'none' if key is None else key} ({counter[key]} goods)" for key in ranked)
            path = " > ".join(paths[type_key])
            notes.append(f"the goods of type {path} have several sections: {listed}; the first was taken")
    return own


def _chains_by_type(tree: TypeTree, rows: list[_Row]) -> dict[tuple[str, ...], Counter[Chain]]:
    chains: dict[tuple[str, ...], Counter[Chain]] = defaultdict(Counter)
    for row in rows:
        if row.chain and row.type in tree.levels:
            chains[tree.levels[row.type]][row.chain] += 1
    return chains


__all__ = ["SectionTree", "TrsFrames", "frames_from_trs"]
