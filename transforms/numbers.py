"""Numbers of sections: Torgsoft's own, a rule's, else the registry's (design.md section 4, Numbers)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from schemas.errors import RulesError, TorgsyncError
from schemas.numbers import MAX_NUMBER
from schemas.registry import Meaning, NumberChange, Registry
from schemas.tables import SECTIONS, conform
from transforms.clean import HandSection
from transforms.goods_flow import GoodsFlow
from transforms.names import plain_name
from transforms.sections import Section
from transforms.tree import paths
from transforms.validate import validated
from transforms.values import missing


@dataclass(frozen=True)
class Numbered:
    """SECTIONS with numbers, and the meanings to store."""

    sections: pd.DataFrame
    meanings: tuple[Meaning, ...]


def taken_numbers(hand: Mapping[int, HandSection], registry: Registry) -> dict[int, tuple[str, str]]:
    """Return hand-made sections whose number the registry gave to another section: key → (reason, detail)."""
    out: dict[int, tuple[str, str]] = {}
    for key, section in hand.items():
        held = registry.meanings.get(section.number) if section.number is not None else None
        if held is not None and held.origin == "registry" and held.identity != f"torgsoft:{key}":
            out[key] = ("number_taken", f"number = {section.number}, given to {held.identity} «{held.name}»")
    return out


def assign_numbers(
    sections: Mapping[str, Section], registry: Registry, first_number: int, reserved: Collection[int]
) -> Numbered:
    """Give every section its number; in ``sections`` parents come before children.

    A section that never had a number gets the smallest free one from ``first_number`` on, in the order of the paths, so
    that the order of rows does not matter. ``reserved`` numbers (Torgsoft's numbers and keys, usable or not) and all
    numbers that were ever used are never given. Tonight's number from Torgsoft or a rule wins over a number
    that the registry gave to another section. Raises RulesError when a rule's number was used for another section.
    """
    parents = {identity: section.parent for identity, section in sections.items()}
    chains = paths(list(sections), parents, {identity: s.name for identity, s in sections.items()})
    given = registry.given()
    numbers: dict[str, int] = {}
    for identity, section in sections.items():
        if section.number is not None:
            held = registry.meanings.get(section.number)
            if section.number_origin == "rule" and held is not None and held.identity != identity:
                raise RulesError(
                    f"a rule gives number {section.number} to «{section.name}», it belonged to «{held.name}»",
                    "choose a number that was never used: a number once given is never re-used",
                )
            numbers[identity] = section.number
    own = set(numbers.values())
    numbers |= {i: given[i] for i in sections if i not in numbers and i in given and given[i] not in own}
    used = set(numbers.values()) | set(registry.meanings) | set(reserved)
    candidate = first_number
    for identity in sorted(set(sections) - set(numbers), key=lambda i: (chains[i], i)):
        while candidate in used:
            candidate += 1
        if candidate > MAX_NUMBER:
            raise TorgsyncError("no section number is left", "set a smaller sections.first_number")
        numbers[identity] = candidate
        used.add(candidate)
    meanings = tuple(
        Meaning(numbers[i], i, s.name, None if s.parent is None else numbers[s.parent], s.number_origin)
        for i, s in sections.items()
    )
    return Numbered(_frame(sections, numbers), meanings)


def meanings_of(sections: pd.DataFrame) -> tuple[Meaning, ...]:
    """Return the meaning of each number of a SECTIONS frame."""
    numbers = dict(zip(sections["identity"], sections["number"].astype(int), strict=True))
    return tuple(
        Meaning(
            int(row["number"]), str(row["identity"]), str(row["name"]),
            None if missing(row["parent_identity"]) else numbers[row["parent_identity"]], row["number_origin"],
        )
        for row in sections.to_dict("records")
    )  # fmt: skip


def number_changes(
    meanings: Iterable[Meaning], registry: Registry, flow: GoodsFlow | None = None
) -> tuple[NumberChange, ...]:
    """Return the numbers whose meaning differs from the registry, in their order.

    A section keeps its meaning while it keeps its goods (design.md section 4). ``flow`` counts where the goods of last
    night's catalogue are in tonight's. Without it, and for a section without goods on both nights, name, parent and key
    decide. A new key without another change is not enough: Torgsoft may create a section again.
    """
    pairs = [(registry.meanings[after.number], after) for after in meanings if after.number in registry.meanings]
    exchanged = _exchanged({after.number: (before.name, after.name) for before, after in pairs})
    changes = []
    for before, after in sorted(pairs, key=lambda pair: pair[1].number):
        renamed, moved = before.name != after.name, before.parent_number != after.parent_number
        stayed = flow.stayed(after.number) if flow is not None else (0, 0)
        if after.number in exchanged or _means_another(before, after, *stayed):
            changes.append(NumberChange(after.number, "number_reused", before, after))
        elif renamed or moved:
            changes.append(NumberChange(after.number, "renamed" if renamed else "moved", before, after))
    return tuple(changes)


def _means_another(before: Meaning, after: Meaning, had: int, stayed: int) -> bool:
    """Tell whether the number means another section: most of its goods are elsewhere, and its name changed.

    A change of both key and parent counts like a change of the name. Without goods two of name, parent and key decide.
    """
    renamed = plain_name(before.name) != plain_name(after.name)
    moved, other_key = before.parent_number != after.parent_number, before.identity != after.identity
    if had:
        return stayed * 2 < had and (renamed or (moved and other_key))
    return renamed + moved + other_key >= 2


def _exchanged(names: Mapping[int, tuple[str, str]]) -> set[int]:
    """Return numbers whose sections exchanged names, two or more in a ring; ``names``: number → (before, now)."""
    plain = {number: (plain_name(old), plain_name(new)) for number, (old, new) in names.items()}
    renamed = {number: pair for number, pair in plain.items() if pair[0] != pair[1]}
    pairs = set(renamed.values())
    found = {number for number, (old, new) in renamed.items() if (new, old) in pairs}
    counts = Counter(old for old, _ in renamed.values())
    owner = {old: number for number, (old, _) in renamed.items() if counts[old] == 1}
    for start in renamed:
        ring: list[int] = []
        at: int | None = start
        while at is not None and at not in ring:
            ring.append(at)
            at = owner.get(renamed[at][1])
        if at == start:
            found.update(ring)
    return found


def _frame(sections: Mapping[str, Section], numbers: Mapping[str, int]) -> pd.DataFrame:
    """Return SECTIONS. As in Torgsoft's exports a chain has the key if the number is Torgsoft's, else our number."""
    rows = [
        {
            "identity": identity,
            "parent_identity": section.parent,
            "name": section.name,
            "number": numbers[identity],
            "number_origin": section.number_origin,
            "chain_key": section.key if section.number_origin == "torgsoft" else numbers[identity],
        }
        for identity, section in sections.items()
    ]
    frame = pd.DataFrame(rows, columns=list(SECTIONS.columns))
    return validated(conform(frame, SECTIONS), SECTIONS)
