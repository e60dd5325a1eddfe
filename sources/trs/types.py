"""Rebuilds the tree of product types from the type paths of a sync file; pure.

``GoodTypeFull`` joins the levels by a comma without a blank, and names have commas too (``КЕДЫ,КРОССОВКИ,СНИКЕРСЫ``,
``Гелі, пінки для душу``), so a path cannot be split safely (domain.md section 2.4). The evidence for a split, strongest
first:

a. ``GoodTypeName`` is the last level;
b. what is left of it, or a beginning of that, is itself the path of another good's type: that path's split counts;
c. a comma before a blank lies inside a name: no name seen begins with a blank;
d. a name with a comma that is known: a section of this good's own chain, or another type's ``GoodTypeName``;
e. otherwise every comma without a blank splits.

A split with only (e) as evidence is listed as an ``Ambiguity``. The levels joined by commas always equal the path.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import pandas as pd

from schemas.errors import ConservationError
from schemas.tables import INTEGER, TEXT

Levels = tuple[str, ...]

_BARE_COMMA = re.compile(r",(?!\s)")


@dataclass(frozen=True, order=True)
class TypePath:
    """One type in the goods of a file: the path text and the leaf's name ("" where the layout has none)."""

    path: str
    leaf: str = ""


@dataclass(frozen=True)
class Seen:
    """The evidence for one ``TypePath``: its number of goods and the names in their section chains."""

    goods: int
    sections: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Ambiguity:
    """A split without evidence: the path (or its beginning), the levels chosen, why they are open, goods concerned."""

    path: str
    chosen: list[str]
    reason: str
    goods: int


@dataclass(frozen=True)
class TypeTree:
    """``types`` (type_id, parent_id, name, path as a list; parents first), the id and levels of every path seen."""

    types: pd.DataFrame
    type_ids: dict[TypePath, int]
    levels: dict[TypePath, Levels]
    ambiguities: list[Ambiguity]


def build_types(seen: Mapping[TypePath, Seen]) -> TypeTree:
    """Split every path and build the tree. Do not pass an empty path with an empty leaf: it is not a type.

    Two nights of one shop give a type the same id: it is a hash of the path (``type_id``).
    """
    levels = split_paths(seen)
    nodes = sorted({path[:depth] for path in levels.values() for depth in range(1, len(path) + 1)})
    ids: dict[Levels, int] = {node: type_id(node) for node in nodes}
    if len(set(ids.values())) < len(ids):
        raise ConservationError(
            "two product types got the same id out of their paths: report this to the makers of torgsync"
        )
    types = pd.DataFrame(
        {
            "type_id": pd.array([ids[node] for node in nodes], dtype=INTEGER),
            "parent_id": pd.array([ids[node[:-1]] if len(node) > 1 else None for node in nodes], dtype=INTEGER),
            "name": pd.array([node[-1] for node in nodes], dtype=TEXT),
            "path": pd.Series([list(node) for node in nodes], dtype=object),
        }
    )
    return TypeTree(types, {key: ids[path] for key, path in levels.items()}, levels, _ambiguities(seen, levels))


def type_id(path: Levels) -> int:
    """Return a stable id of a type: 48 bits of a hash of its path, above zero."""
    digest = blake2b(json.dumps(path, ensure_ascii=False).encode("utf-8", "surrogatepass"), digest_size=6)
    return int.from_bytes(digest.digest(), "big") or 1


def split_paths(seen: Mapping[TypePath, Seen]) -> dict[TypePath, Levels]:
    """Return the levels of every path, by the evidence named at the top of this module."""
    leaves = {key.leaf for key in seen if "," in key.leaf}
    first = _split_all(seen, leaves, {})
    # A name that the chain of one path proves is valid for every path with the same beginning.
    votes: dict[str, Counter[Levels]] = defaultdict(Counter)
    for key, path in first.items():
        for depth, name in enumerate(path, 1):
            if _has_bare_comma(name) and name in seen[key].sections:
                votes[",".join(path[:depth])][path[:depth]] += seen[key].goods
    hints = {text: _most_common(counter) for text, counter in votes.items()}
    return _split_all(seen, leaves, hints) if hints else first


def _split_all(seen: Mapping[TypePath, Seen], leaves: set[str], hints: Mapping[str, Levels]) -> dict[TypePath, Levels]:
    """Split all paths once, shortest first, so that the beginning of a path is known before the path."""
    result: dict[TypePath, Levels] = {}
    known: dict[str, Levels] = dict(hints)
    weight: dict[str, int] = {}
    for key in sorted(seen, key=lambda key: (len(key.path), key.path, -seen[key].goods, key.leaf)):
        head, leaf = _cut_leaf(key)
        names = {name for name in seen[key].sections if "," in name}
        path = _split(head, known, names, leaves) if head else ()
        result[key] = (*path, leaf) if leaf else path
        if weight.get(key.path, 0) < seen[key].goods:  # two types with one path text: the one with more goods
            weight[key.path] = seen[key].goods
            known[key.path] = result[key]
    return result


def _cut_leaf(key: TypePath) -> tuple[str, str]:
    """Return the path before the leaf, and the leaf; "" where it is unknown or not the end of the path."""
    if key.leaf and key.path in ("", key.leaf):
        return "", key.leaf
    if key.leaf and key.path.endswith("," + key.leaf) and len(key.path) > len(key.leaf) + 1:
        return key.path[: -len(key.leaf) - 1], key.leaf
    return key.path, ""


def _split(text: str, known: Mapping[str, Levels], own: set[str], leaves: set[str]) -> Levels:
    tokens = _tokens(text)
    path: list[str] = []
    position = 0
    for end in range(len(tokens), 0, -1):
        beginning = ",".join(tokens[:end])
        if beginning in known:
            path, position = list(known[beginning]), end
            break
    while position < len(tokens):
        step = next(
            (
                end
                for names in (own, leaves)
                for end in range(len(tokens), position + 1, -1)
                if ",".join(tokens[position:end]) in names
            ),
            position + 1,
        )
        path.append(",".join(tokens[position:step]))
        position = step
    return tuple(path)


def _tokens(text: str) -> list[str]:
    """Split the text at commas without a blank. No token is empty: a comma beside nothing stays with its neighbour."""
    tokens: list[str] = []
    for token in _BARE_COMMA.split(text):
        if tokens and (token == "" or tokens[-1] == ""):
            tokens[-1] += "," + token
        else:
            tokens.append(token)
    return tokens


def _has_bare_comma(name: str) -> bool:
    return _BARE_COMMA.search(name) is not None


def _most_common(counter: Counter[Levels]) -> Levels:
    return min(counter, key=lambda path: (-counter[path], path))


def _ambiguities(seen: Mapping[TypePath, Seen], levels: Mapping[TypePath, Levels]) -> list[Ambiguity]:
    """Return every boundary and join without evidence, each once, with the goods at or below it."""
    nodes = {path[:depth] for path in levels.values() for depth in range(1, len(path) + 1)}
    children = Counter(node[:-1] for node in nodes)
    typed = set(levels.values())
    leaves = {key.leaf for key in seen if key.leaf}
    goods: Counter[tuple[Levels, str]] = Counter()
    cleared: set[tuple[Levels, str]] = set()
    for key, path in levels.items():
        leaf = _cut_leaf(key)[1]
        sections = seen[key].sections
        for depth, name in enumerate(path, 1):
            last = depth == len(path)
            joined = _has_bare_comma(name) and not (last and leaf) and name not in leaves
            if joined:
                entry = (path[:depth], f'"{name}" is one name, though it could be several levels')
                goods[entry] += seen[key].goods
                if name in sections:
                    cleared.add(entry)
            if last or (depth == len(path) - 1 and leaf):
                continue
            right = path[depth]
            entry = (path[: depth + 1], f'"{name}" and "{right}" are two levels, though they could be one name')
            goods[entry] += seen[key].goods
            evident = path[:depth] in typed or children[path[:depth]] > 1 or right in leaves
            if evident or name in sections or right in sections:
                cleared.add(entry)
    found = [
        Ambiguity(",".join(path), list(path), reason, count)
        for (path, reason), count in goods.items()
        if (path, reason) not in cleared
    ]
    return sorted([*found, *_one_text_two_types(seen, levels), *_leaf_beside_path(seen, levels)], key=_by_path)


def _one_text_two_types(seen: Mapping[TypePath, Seen], levels: Mapping[TypePath, Levels]) -> Iterable[Ambiguity]:
    texts: dict[str, set[Levels]] = defaultdict(set)
    for key, path in levels.items():
        texts[key.path].add(path)
    for key, path in levels.items():
        if len(texts[key.path]) > 1:
            yield Ambiguity(key.path, list(path), "several types have this path", seen[key].goods)


def _leaf_beside_path(seen: Mapping[TypePath, Seen], levels: Mapping[TypePath, Levels]) -> Iterable[Ambiguity]:
    for key, path in levels.items():
        if key.leaf and path[-1] != key.leaf:
            reason = f'GoodTypeName "{key.leaf}" is not the end of the path and was ignored'
            yield Ambiguity(key.path, list(path), reason, seen[key].goods)


def _by_path(entry: Ambiguity) -> tuple[str, str, list[str]]:
    return entry.path, entry.reason, entry.chosen
