"""Links product types without goods to the section of the same name in the chains of their descendants.

A sync file does not have the section of such a type. It is still needed: a new leaf without a section inherits
from it (design.md section 4, ``unmapped: inherit``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sources.trs.chain import Chain
from sources.trs.types import Ambiguity, TypeTree

Levels = tuple[str, ...]


@dataclass(frozen=True)
class Inherited:
    """Section keys by type id, sentences about them, and undecided cases."""

    keys: dict[int, int | None]
    inferred: tuple[str, ...]
    ambiguities: tuple[Ambiguity, ...]


def link_ancestors(
    tree: TypeTree,
    own: Mapping[int, int | None],
    chains: Mapping[Levels, Counter[Chain]],
    sections: pd.DataFrame,
) -> Inherited:
    """Find the section of every type that is not in ``own`` (the types with goods).

    A section whose chain equals the path of the type wins over one that only has its name. Of two equal ones none is
    taken, and the type is listed. Without a section of that name the type has none, as in a base with only linked
    leaves.
    """
    numbers = dict(zip(sections["section_key"], sections["number"], strict=True))
    offers = _offers(chains)
    keys: dict[int, int | None] = {}
    done: list[str] = []
    without: list[str] = []
    open_ones: list[Ambiguity] = []
    for type_key, names in zip(tree.types["type_id"], tree.types["path"], strict=True):
        if type_key in own:
            continue
        path = tuple(names)
        found = offers.get(path, {})
        exact = {key for key, (same_path, _) in found.items() if same_path}
        choice = exact or set(found)
        if len(choice) == 1:
            keys[type_key] = next(iter(choice))
            done.append(f"{' > '.join(path)} -> {_label(keys[type_key], numbers)}")
        elif choice:
            listed = ", ".join(_label(key, numbers) for key in sorted(choice))
            goods = sum(count for _, count in found.values())
            open_ones.append(Ambiguity(",".join(path), names, f"its section may be any of {listed}: none taken", goods))
        else:
            without.append(" > ".join(path))
    inferred = []
    if done:
        inferred.append(f"{len(done)} types without goods got the section of the same name: {'; '.join(done)}")
    if without:
        inferred.append(
            f"{len(without)} types without goods and without such a section have none: {'; '.join(without)}"
        )
    return Inherited(keys, tuple(inferred), tuple(open_ones))


def _offers(chains: Mapping[Levels, Counter[Chain]]) -> dict[Levels, dict[int, tuple[bool, int]]]:
    """Return for every ancestor the sections of its name in its descendants' chains -> (the same path?, goods)."""
    offers: dict[Levels, dict[int, tuple[bool, int]]] = defaultdict(dict)
    for path, counter in chains.items():
        for chain, goods in counter.items():
            names = tuple(name for _, name in chain)
            for depth in range(1, len(path)):
                for position, (key, name) in enumerate(chain, 1):
                    if name == path[depth - 1]:
                        same, before = offers[path[:depth]].get(key, (False, 0))
                        offers[path[:depth]][key] = (same or names[:position] == path[:depth], before + goods)
    return offers


def _label(key: int | None, numbers: Mapping[int, object]) -> str:
    number = numbers.get(key) if key is not None else None
    return f"section {key} (no number)" if number is None or pd.isna(number) else f"section {key} (number {number})"  # type: ignore[call-overload]
