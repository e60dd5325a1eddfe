"""The section of every product type: a rule, else Torgsoft's link, else the policy (design.md section 4).

Three steps: each type's *own* section, if it has one (``_Builder.own``); the section each type *ends in*, following
merges and inheritance (``_Builder.resolve``); the parents of sections that we made (``_Builder.hang``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd

from schemas.errors import RulesError, TorgsyncError
from schemas.rules import ByNumber, Do, Rule, Rules, Target
from schemas.settings.names import NamesSettings
from schemas.settings.shop import UnmappedPolicy
from transforms.clean import HandSection
from transforms.matching import Matching
from transforms.names import clean_name, fault, normalize
from transforms.tree import check_tree, paths
from transforms.values import key_or_none


@dataclass(frozen=True)
class Section:
    """A section before numbering. ``number`` is Torgsoft's or a rule's; None: the registry gives one."""

    identity: str
    name: str
    parent: str | None
    number: int | None
    number_origin: Literal["torgsoft", "rule", "registry"]
    key: int | None = None


@dataclass(frozen=True)
class Decision:
    """The decision for one product type: the identity of its section (None: hidden) and who decided.

    ``decided_by``: ``rule N`` (N counts from 1), ``link``, ``inherit``, ``create``, ``hide``, ``none`` (inherit found
    nothing).
    """

    type_id: int
    section: str | None
    decided_by: str


@dataclass(frozen=True)
class SectionPlan:
    """Sections by identity, parents before children; a decision per type; type id → name to keep in goods' names."""

    sections: dict[str, Section]
    decisions: dict[int, Decision]
    kept_names: dict[int, str]
    merged_away: tuple[str, ...] = ()
    unusable_names: dict[int, str] = field(default_factory=dict)


def build_sections(
    types: pd.DataFrame,
    hand: Mapping[int, HandSection],
    rules: Rules,
    matching: Matching,
    policy: UnmappedPolicy,
    names: NamesSettings,
    known_numbers: Mapping[int, str],
) -> SectionPlan:
    """Decide the section of every clean product type.

    ``known_numbers`` maps numbers that the registry gave to identities, so that rules may name them. Raises RulesError
    for rules without a target, with contradictions or with a loop; TorgsyncError under the policy ``error`` when a
    type has no section.
    """
    builder = _Builder(types, hand, rules, matching, policy, names, known_numbers)
    for type_id in builder.types:
        builder.own(type_id)
    decisions = {type_id: builder.decide(type_id) for type_id in builder.types}
    builder.hang(decisions)
    if policy == "error" and (left := [t for t, d in decisions.items() if d.decided_by == "none"]):
        listed = ", ".join(f"{t} {' > '.join(builder.types[t].path)}" for t in left[:10])
        raise TorgsyncError(
            f"{len(left)} product types have no section: {listed}",
            "link them in Torgsoft, write a rule, or set sections.unmapped to inherit",
        )
    sections, away = builder.finish(decisions)
    kept = {t: builder.types[t].name for t, i in matching.decides.items() if rules.rules[i].keep_in_name}
    return SectionPlan(sections, decisions, kept, away, builder.unusable)


@dataclass(frozen=True)
class _Type:
    parent: int | None
    name: str
    path: tuple[str, ...]
    section: str | None


class _Builder:
    """State of one build. Every method is deterministic and changes only this object."""

    def __init__(
        self,
        types: pd.DataFrame,
        hand: Mapping[int, HandSection],
        rules: Rules,
        matching: Matching,
        policy: UnmappedPolicy,
        names: NamesSettings,
        known_numbers: Mapping[int, str],
    ) -> None:
        self.rules, self.matching, self.policy, self.names = rules, matching, policy, names
        self.sections = {
            f"torgsoft:{h.key}": Section(
                f"torgsoft:{h.key}",
                h.name,
                None if h.parent is None else f"torgsoft:{h.parent}",
                h.number,
                "registry" if h.number is None else "torgsoft",
                h.key,
            )
            for h in hand.values()
        }
        self.types = {
            int(record["type_id"]): _Type(
                key_or_none(record["parent_id"]),
                str(record["name"]),
                tuple(record["path"]),
                identity if (identity := f"torgsoft:{key_or_none(record['section_key'])}") in self.sections else None,
            )
            for record in types[["type_id", "parent_id", "name", "path", "section_key"]].to_dict("records")
        }
        self.owned: dict[int, str] = {}
        self.made: dict[str, int] = {}
        self.placed: dict[str, int] = {}
        self.ended: dict[int, str | None] = {}
        self.unusable: dict[int, str] = {}
        self.renamed: dict[str, str] = {}
        self.numbers = dict(known_numbers)
        self.numbers |= {s.number: s.identity for s in self.sections.values() if s.number is not None}
        self.by_path: dict[tuple[str, ...], list[int]] = {}
        for type_id, t in self.types.items():
            self.by_path.setdefault(tuple(normalize(n) for n in t.path), []).append(type_id)
        parents = {i: s.parent for i, s in self.sections.items()}
        chains = paths(check_tree(parents).order, parents, {i: s.name for i, s in self.sections.items()})
        self.by_chain: dict[tuple[str, ...], list[str]] = {}
        for identity, chain in chains.items():
            self.by_chain.setdefault(tuple(chain), []).append(identity)

    def rule(self, type_id: int) -> tuple[int, Rule] | None:
        index = self.matching.decides.get(type_id)
        return None if index is None else (index, self.rules.rules[index])

    def own(self, type_id: int) -> None:
        """Note the section of the type itself: the linked one, one made for it, or a separate one of a rule."""
        found = self.rule(type_id)
        t = self.types[type_id]
        if found is None:
            if t.section:
                self.owned[type_id] = t.section
            elif self.policy == "create":
                self._make(type_id, t.name)
            return
        index, rule = found
        do = rule.do
        if do.create is not None:
            self.owned[type_id] = self._free_standing(index, do)
        elif do.merge is None and do.exclude is None:
            if t.section:
                self.owned[type_id] = t.section
            else:
                self._make(type_id, do.rename or t.name)
            if type_id in self.owned:
                self._change(self.owned[type_id], index, do)

    def _make(self, type_id: int, name: str) -> None:
        clean = clean_name(name, self.names)
        if why := fault(clean, self.names):
            self.unusable[type_id] = why
            return
        identity = f"type:{type_id}"
        self.sections[identity] = Section(identity, clean, None, None, "registry")
        self.owned[type_id] = identity
        self.made[identity] = type_id

    def _free_standing(self, index: int, do: Do) -> str:
        assert do.create is not None
        name = self._rule_name(index, do.create.name)
        under = do.create.under if isinstance(do.create.under, str) else do.create.under.model_dump_json()
        # the identity is the path in the rule, not the rule's position in the file: rules may be re-ordered
        identity = f"rule:{under}/{name}"
        if identity not in self.sections:
            self.sections[identity] = Section(identity, name, None, None, "registry")
            self.placed[identity] = index
        if do.number is not None:
            self._number(identity, index, do.number)
        return identity

    def _change(self, identity: str, index: int, do: Do) -> None:
        if do.rename is not None:
            name = self._rule_name(index, do.rename)
            other = self.renamed.get(identity)
            if other is not None and other != name:
                raise self._error(index, f'the section is already renamed to "{other}" by another rule')
            self.renamed[identity] = name
            self.sections[identity] = replace(self.sections[identity], name=name)
        if do.place is not None:
            before = self.placed.get(identity)
            if before is not None and self.rules.rules[before].do.place != do.place:
                raise self._error(index, f"{self.rules.where(before)} places the same section elsewhere")
            self.placed[identity] = index
        if do.number is not None:
            self._number(identity, index, do.number)

    def _rule_name(self, index: int, text: str) -> str:
        name = clean_name(text, self.names)
        if why := fault(name, self.names):
            raise self._error(index, f'the name "{text[:60]}" cannot name a section ({why})')
        return name

    def _number(self, identity: str, index: int, number: int) -> None:
        holder = self.numbers.get(number)
        if holder is not None and holder != identity:
            raise self._error(index, f"number {number} belongs to another section ({holder})")
        self.numbers[number] = identity
        self.sections[identity] = replace(self.sections[identity], number=number, number_origin="rule")

    def resolve(self, type_id: int, trail: tuple[int, ...] = ()) -> str | None:
        """Return the identity of the type's final section, after merges and inheritance."""
        if type_id in self.ended:
            return self.ended[type_id]
        if type_id in trail:
            loop = [t for t in trail[trail.index(type_id) :] if t in self.matching.decides]
            raise self._error(self.matching.decides[loop[0]], f"the merges form a loop over types {loop}")
        trail = (*trail, type_id)
        found = self.rule(type_id)
        if type_id in self.owned:
            end: str | None = self.owned[type_id]
        elif found is not None and found[1].do.exclude is not None:
            end = None
        elif found is not None and found[1].do.merge is not None:
            end = self._merged(type_id, found[0], found[1].do.merge, trail)
        elif self.policy in ("inherit", "create"):
            end = self._inherited(type_id, trail)
        else:
            end = None
        self.ended[type_id] = end
        return end

    def _inherited(self, type_id: int, trail: tuple[int, ...]) -> str | None:
        """Return the section of the nearest ancestor that has one."""
        parent = self.types[type_id].parent
        while parent is not None:
            end = self.resolve(parent, trail)
            if end is not None:
                return end
            parent = self.types[parent].parent
        return None

    def _merged(self, type_id: int, index: int, merge: str | Target, trail: tuple[int, ...]) -> str:
        t = self.types[type_id]
        if isinstance(merge, str):
            if t.parent is None:
                raise self._error(index, f'"{t.name}" is a root type: it has no {merge} to merge into')
            into = t.parent
            while merge == "root" and (up := self.types[into].parent) is not None:
                into = up
            end = self.resolve(into, trail)
        else:
            end = self._target(index, merge, trail)
        if end is None:
            raise self._error(index, f'"{" > ".join(t.path)}" is merged into a type that has no section itself')
        return end

    def _target(self, index: int, target: Target, trail: tuple[int, ...] = ()) -> str | None:
        """Return the identity of the section that a rule names. Raises RulesError when none or several fit."""
        if isinstance(target, ByNumber):
            identity = self.numbers.get(target.number)
            if identity is None or identity not in self.sections:
                raise self._error(index, f"no section has the number {target.number}")
            return identity
        wanted = tuple(normalize(n) for n in target.path)
        shown = " > ".join(target.path)
        types = self.by_path.get(wanted, [])
        if len(types) == 1:
            return self.resolve(types[0], trail)
        chains = self.by_chain.get(wanted, []) if not types else []
        if len(chains) == 1:
            return chains[0]
        if types or chains:
            raise self._error(index, f'"{shown}" is ambiguous: {sorted(types) or sorted(chains)}; name it by number')
        raise self._error(index, f'no product type and no section has the path "{shown}"')

    def decide(self, type_id: int) -> Decision:
        """Return the decision for one type, and who made it."""
        end = self.resolve(type_id)
        found = self.rule(type_id)
        if found is not None and type_id not in self.unusable:
            return Decision(type_id, end, f"rule {found[0] + 1}")
        if self.types[type_id].section is not None and found is None:
            return Decision(type_id, end, "link")
        if self.policy == "hide":
            return Decision(type_id, None, "hide")
        if end is None:
            return Decision(type_id, None, "none")
        return Decision(type_id, end, "create" if type_id in self.owned else "inherit")

    def hang(self, decisions: Mapping[int, Decision]) -> None:
        """Set the parent of each section that we made: the rule's, or the section of the nearest ancestor type."""
        for identity, type_id in self.made.items():
            parent = self.types[type_id].parent
            while parent is not None and decisions[parent].section in (None, identity):
                parent = self.types[parent].parent
            above = None if parent is None else decisions[parent].section
            self.sections[identity] = replace(self.sections[identity], parent=above)
        for identity, index in self.placed.items():
            do = self.rules.rules[index].do
            where = do.place if do.place is not None else do.create.under if do.create else "root"
            above = None if isinstance(where, str) else self._target(index, where)
            if not isinstance(where, str) and above is None:
                raise self._error(index, "the section is placed under a type that has no section itself")
            self.sections[identity] = replace(self.sections[identity], parent=above)

    def finish(self, decisions: Mapping[int, Decision]) -> tuple[dict[str, Section], tuple[str, ...]]:
        """Return the sections to keep, parents first, and those that merges left empty."""
        parents = {identity: section.parent for identity, section in self.sections.items()}
        checked = check_tree(parents)
        if checked.bad:
            loop = sorted(checked.bad)
            touching = [self.placed[i] for i in loop if i in self.placed] or [
                index for t, index in self.matching.decides.items() if decisions[t].section in checked.bad
            ]
            raise self._error(min(touching, default=0), f"the sections form a loop: {', '.join(loop)}")
        linked = {t.section for t in self.types.values() if t.section}
        used = {d.section for d in decisions.values()}
        kept_below: set[str | None] = set()
        away: list[str] = []
        for identity in reversed(checked.order):
            # a section without any linked type stays, as in Torgsoft; one whose types all moved elsewhere does not
            if identity in linked and identity not in used and identity not in kept_below:
                away.append(identity)
            else:
                kept_below.add(parents[identity])
        left_out = set(away)
        return {i: self.sections[i] for i in checked.order if i not in left_out}, tuple(sorted(away))

    def _error(self, index: int, message: str) -> RulesError:
        return RulesError(f"{self.rules.where(index)}: {message}", "edit the rule, then run the same command again")
