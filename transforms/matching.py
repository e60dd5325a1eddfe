"""Finds the merge rule of each product type: from top to bottom the first that matches (design.md section 4)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd
import regex

from schemas.errors import RulesError
from schemas.rules import Glob, Match, Regex, Rule, Rules
from transforms.names import normalize

LONGEST_MATCH = 1.0
"""Seconds for one regular expression on one name. A sound one needs microseconds; ``^(а|аа)+$`` needs years."""

Record = Mapping[Hashable, Any]


@dataclass(frozen=True)
class RuleUse:
    """The effect of one rule: types that it matches, types that it decides, earlier rules that decide the others."""

    index: int
    matched: tuple[int, ...]
    decided: tuple[int, ...]
    shadowed_by: tuple[int, ...]


@dataclass(frozen=True)
class Matching:
    """``decides``: type id → index of the rule that decides it; ``uses``: one per rule that applies, in order."""

    decides: dict[int, int]
    uses: tuple[RuleUse, ...]


def match_rules(types: pd.DataFrame, rules: Rules, store: str = "") -> Matching:
    """Match the rules of a store's catalogue (``""``: the shop-wide one) against clean product types.

    Reads the columns type_id, parent_id, name, path, depth, goods_below.

    Raises RulesError, with file and line of each, for rules that match nothing or miss their ``expect``.
    """
    records = types[["type_id", "parent_id", "name", "path", "depth", "goods_below"]].to_dict("records")
    decides: dict[int, int] = {}
    uses: list[RuleUse] = []
    faults: list[str] = []
    for index, rule in enumerate(rules.rules):
        if not rule.holds_for(store):
            continue
        test = _test(rule.match)
        try:
            matched = [int(record["type_id"]) for record in records if test(record)]
        except TimeoutError:
            faults.append(
                f"{rules.where(index)}: the regular expression takes longer than {LONGEST_MATCH:g} s for one name: "
                "write it so that each letter can be matched in one way only"
            )
            continue
        if rule.do.exclude == "subtree":
            matched = _with_subtrees(set(matched), records)
        faults += _faults(rules, index, rule, matched, records)
        shadowed = {t: decides[t] for t in matched if t in decides}
        decided = tuple(t for t in matched if t not in shadowed)
        decides |= dict.fromkeys(decided, index)
        uses.append(RuleUse(index, tuple(matched), decided, tuple(sorted(set(shadowed.values())))))
    if faults:
        raise RulesError("\n".join(faults), "edit the rules, then run the same command again")
    return Matching(decides, tuple(uses))


def _faults(rules: Rules, index: int, rule: Rule, matched: list[int], records: Sequence[Record]) -> list[str]:
    if not matched and rule.expect != 0:
        return [f"{rules.where(index)}: the rule matches no product type{_hint(rule.match, records)}"]
    if rule.expect is not None and len(matched) != rule.expect:
        return [
            f"{rules.where(index)}: the rule expects {rule.expect} types and matches {len(matched)}: {matched[:10]}"
        ]
    return []


def _hint(match: Match, records: Sequence[Record]) -> str:
    """Suggest the closest existing name or path, for a rule that matches nothing."""
    if match.path:
        existing = {" > ".join(record["path"]) for record in records}
        wanted = " > ".join(match.path)
    elif isinstance(match.name, str):
        existing, wanted = {str(record["name"]) for record in records}, match.name
    else:
        return ""
    close = get_close_matches(wanted, sorted(existing), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def _with_subtrees(top: set[int], records: Sequence[Record]) -> list[int]:
    """Return the types and all below them; in ``records`` parents come first."""
    out: list[int] = []
    inside = set(top)
    for record in records:
        if record["type_id"] in inside or record["parent_id"] in inside:
            inside.add(int(record["type_id"]))
            out.append(int(record["type_id"]))
    return out


def _test(match: Match) -> Callable[[Record], bool]:
    """Return the conditions of a match as one function of a type's record; names are compared normalized."""
    tests: list[Callable[[Record], bool]] = []
    if match.type_id is not None:
        ids = {match.type_id} if isinstance(match.type_id, int) else set(match.type_id)
        tests.append(lambda record: record["type_id"] in ids)
    if match.path is not None:
        pattern = tuple(normalize(part) for part in match.path)
        tests.append(lambda record: path_matches(pattern, tuple(normalize(n) for n in record["path"])))
    if match.name is not None:
        by_name = _name_test(match.name)
        tests.append(lambda record: by_name(normalize(record["name"])))
    if match.depth is not None:
        tests.append(lambda record: record["depth"] == match.depth)
    if match.goods_below is not None:
        limit = match.goods_below
        tests.append(lambda record: record["goods_below"] < limit)
    return lambda record: all(test(record) for test in tests)


def _name_test(name: str | Glob | Regex) -> Callable[[str], bool]:
    if isinstance(name, Glob):
        pattern = normalize(name.glob)
        return lambda text: fnmatchcase(text, pattern)
    if isinstance(name, Regex):
        compiled = regex.compile(name.regex)
        return lambda text: compiled.search(text, timeout=LONGEST_MATCH) is not None
    wanted = normalize(name)
    return lambda text: text == wanted


def path_matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Tell whether a path fits a pattern of names, ``*`` (one level) and ``**`` (any number of levels, also none)."""
    reachable = {0}
    for part in pattern:
        if part == "**":
            reachable = set(range(min(reachable), len(path) + 1)) if reachable else set()
        else:
            reachable = {n + 1 for n in reachable if n < len(path) and part in ("*", path[n])}
    return len(path) in reachable
