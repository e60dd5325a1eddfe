"""Rebuilds the tree of sections from the section columns of a sync file; pure.

A chain (``1=Обличчя;10=Основний догляд``) gives keys, parents and names; ``Category`` gives the number of the chain's
leaf. The number of a section that is only an ancestor is not in the file: it is inferred and reported.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import pandas as pd

from schemas.tables import INTEGER, TEXT
from sources.trs.chain import Chain

V = TypeVar("V", int, str)

FREE_KEYS = 1_000_000_000
"""The first key for a number without a chain whose key belongs to another section."""


class Link(NamedTuple):
    """The section of a good in the file: ``Category``, its chain, ``SynchronizationSection``, its type's name."""

    category: int | None
    chain: Chain
    name: str
    type_name: str


@dataclass
class SectionTree:
    """``sections`` (RAW_SECTIONS), the section key of every link (None: none), and what was inferred or unusual."""

    sections: pd.DataFrame
    keys: dict[Link, int | None]
    inferred: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def build_sections(links: Mapping[Link, int]) -> SectionTree:
    """Build the section tree of all links, each with its count of goods. The majority of goods decides, with a note."""
    notes: list[str] = []
    names: dict[int, Counter[str]] = defaultdict(Counter)
    parents: dict[int, Counter[int]] = defaultdict(Counter)  # 0 means a root
    numbers: dict[int, Counter[int]] = defaultdict(Counter)
    leaves: set[int] = set()
    for link, goods in links.items():
        above = 0
        for key, title in link.chain:
            names[key][title] += goods
            parents[key][above] += goods
            above = key
        if link.chain:
            leaves.add(above)
            if _has_number(link):
                numbers[above][link.category or 0] += goods
    name = {key: _elect(counter, f"section {key} has several names", notes) for key, counter in names.items()}
    parent = {key: _elect(counter, f"section {key} has several parents", notes) for key, counter in parents.items()}
    number = {key: _elect(counter, f"section {key} has several numbers", notes) for key, counter in numbers.items()}
    _note_lost_categories(links, number, notes)
    inferred = _infer_numbers(set(names), leaves, number)
    flat = _flat_sections(links, name, number, inferred, notes)
    keys: dict[Link, int | None] = {}
    for link in links:
        keys[link] = link.chain[-1][0] if link.chain else flat.get(link.category or 0)
    ordered = sorted(name)
    texts = [str(number[key]) if key in number else None for key in ordered]
    frame = pd.DataFrame(
        {
            "section_key": pd.Series(ordered, dtype=INTEGER),
            "parent_key": pd.Series([parent.get(key) or None for key in ordered], dtype=INTEGER),
            "name": pd.Series([name[key] for key in ordered], dtype=TEXT),
            "number": pd.Series(texts, dtype=TEXT),
        }
    )
    return SectionTree(frame, keys, inferred, notes)


def _has_number(link: Link) -> bool:
    return link.category is not None and link.category > 0


def _elect(counter: Counter[V], what: str, notes: list[str]) -> V:
    """Return the value of most goods; of equal ones the smaller, so that the result is always the same."""
    ranked = sorted(counter.items(), key=lambda item: (-item[1], str(item[0]).zfill(20)))
    if len(ranked) > 1:
        listed = ", ".join(f'"{value}" ({goods} goods)' for value, goods in ranked)
        notes.append(f"{what}: {listed}; the first was taken")
    return ranked[0][0]


def _note_lost_categories(links: Mapping[Link, int], number: Mapping[int, int], notes: list[str]) -> None:
    """Note goods without a number although their section has one: the base has a number per section, not per good."""
    lost: Counter[int] = Counter()
    for link, goods in links.items():
        if link.chain and not _has_number(link) and link.chain[-1][0] in number:
            lost[link.chain[-1][0]] += goods
    for key, goods in sorted(lost.items()):
        notes.append(f"section {key} has number {number[key]}, but {goods} of its goods have Category -1")


def _infer_numbers(keys: set[int], leaves: set[int], number: dict[int, int]) -> list[str]:
    """Give ancestors their key as number where every leaf's number is its key; a leaf without one stays without."""
    if not number or any(key != value for key, value in number.items()):
        return []
    ancestors = sorted(keys - leaves)
    number.update({key: key for key in ancestors})
    if not ancestors:
        return []
    return [
        f"the numbers of {len(ancestors)} sections without goods were taken from their keys, as key and "
        f"number agree in all other sections: {_listed(ancestors)}"
    ]


def _flat_sections(
    links: Mapping[Link, int], name: dict[int, str], number: dict[int, int], inferred: list[str], notes: list[str]
) -> dict[int, int]:
    """Return section keys by ``Category`` for goods without a chain; adds sections that are in no chain."""
    by_number: dict[int, int] = {}
    for key in sorted(number):
        by_number.setdefault(number[key], key)
    names: dict[int, Counter[str]] = defaultdict(Counter)
    types: dict[int, set[str]] = defaultdict(set)
    for link, goods in links.items():
        if not link.chain and _has_number(link) and (category := link.category or 0) not in by_number:
            types[category].add(link.type_name)
            names[category].update({link.name: goods} if link.name else {})
    made: list[str] = []
    for category in sorted(types):
        key = category if category not in name else FREE_KEYS + category
        while key in name:
            key += 1
        if key != category:
            notes.append(f"section number {category} has no chain, and key {category} is another section: key {key}")
        if names[category]:
            name[key] = _elect(names[category], f"section number {category} has several names", notes)
        else:
            own = types[category] - {""}
            name[key] = next(iter(own)) if len(own) == 1 else f"Section {category}"
            made.append(f'{category} "{name[key]}"')
        number[key] = category
        by_number[category] = key
    if types:
        inferred.append(f"{len(types)} sections without a chain became roots, with their number as key")
    if made:
        inferred.append(f"{len(made)} sections have no name in the file and were named: {_listed(made)}")
    return by_number


def _listed(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items)
