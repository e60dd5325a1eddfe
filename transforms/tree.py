"""Checks a tree of keys and parents for cycles, orphans and self-parents; never loops for ever."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class TreeCheck(Generic[K]):
    """``order``: the sound keys, parents before children; ``bad``: key → (reason code, detail), whole subtrees."""

    order: list[K]
    bad: dict[K, tuple[str, str]]


def check_tree(parents: Mapping[K, K | None], quarantined: Collection[K] = ()) -> TreeCheck[K]:
    """Split the keys of a forest into sound and bad ones (design.md section 4, Tree).

    ``parents`` maps each key to its parent's key, None for a root; ``quarantined`` are keys that exist but were
    rejected before, so that their children get ``parent_quarantined`` and not ``parent_unknown``. The result does not
    depend on the mapping's order: siblings come in the order of their keys.
    """
    children: dict[K, list[K]] = {}
    roots: list[K] = []
    bad: dict[K, tuple[str, str]] = {}
    for key in sorted(parents, key=_sort_key):
        parent = parents[key]
        if parent is None:
            roots.append(key)
        elif parent == key:
            bad[key] = ("parent_self", f"parent {parent}")
        elif parent in parents:
            children.setdefault(parent, []).append(key)
        else:
            is_quarantined = parent in quarantined
            bad[key] = ("parent_quarantined" if is_quarantined else "parent_unknown", f"parent {parent}")
    order = _walk(roots, children)
    for top in list(bad):
        for key in _walk([top], children)[1:]:
            bad[key] = ("parent_quarantined", f"below {top}")
    sound = set(order)
    rest = [key for key in sorted(parents, key=_sort_key) if key not in sound and key not in bad]
    bad |= _cycles(rest, parents)
    return TreeCheck(order, bad)


def _sort_key(key: Hashable) -> tuple[int, object]:
    return (0, key) if isinstance(key, int) else (1, str(key))


def _walk(roots: list[K], children: Mapping[K, list[K]]) -> list[K]:
    """Return the keys from the roots down, parents before children."""
    order, stack = [], list(reversed(roots))
    while stack:
        key = stack.pop()
        order.append(key)
        stack.extend(reversed(children.get(key, [])))
    return order


def _cycles(rest: list[K], parents: Mapping[K, K | None]) -> dict[K, tuple[str, str]]:
    """Return the keys that no root reaches: members of a cycle, and all keys below one."""
    bad: dict[K, tuple[str, str]] = {}
    for start in rest:
        trail: dict[K, int] = {}
        key: K | None = start
        while key is not None and key not in trail and key not in bad:
            trail[key] = len(trail)
            key = parents[key]
        steps = list(trail)
        if key is not None and key in trail:
            loop = steps[trail[key] :]
            detail = " → ".join(str(k) for k in [*loop, loop[0]])
            bad |= dict.fromkeys(loop, ("parent_cycle", detail))
            steps = steps[: trail[key]]
        bad |= {k: ("parent_quarantined", f"below {key}") for k in steps}
    return bad


def paths(order: list[K], parents: Mapping[K, K | None], names: Mapping[K, str]) -> dict[K, list[str]]:
    """Return the names from the root to each key; in ``order`` parents come before children."""
    out: dict[K, list[str]] = {}
    for key in order:
        parent = parents[key]
        out[key] = [*(out[parent] if parent is not None else []), names[key]]
    return out
