"""The registry of section numbers: the section of every number ever used (design.md promise P7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Origin = Literal["torgsoft", "rule", "registry"]


@dataclass(frozen=True)
class Meaning:
    """The meaning of a number when last seen: identity, name and parent number of its section, and who gave it."""

    number: int
    identity: str
    name: str
    parent_number: int | None
    origin: Origin


@dataclass(frozen=True)
class Registry:
    """Every number ever used in a shop, by number; retired ones stay, so that they are never given again."""

    meanings: Mapping[int, Meaning] = field(default_factory=dict)

    def given(self) -> dict[str, int]:
        """Return the numbers of sections without one in Torgsoft, by identity: from the registry, else from a rule.

        After a rule was deleted its section keeps the number that stores and marketplaces know (promise P7). Of several
        the registry's wins, then the smallest; guard ``renumbered`` reports where that is not the last one.
        """
        ordered = sorted(self.meanings.values(), key=lambda m: (m.origin == "registry", -m.number))
        return {m.identity: m.number for m in ordered if m.origin in ("registry", "rule")}


ChangeKind = Literal["renamed", "moved", "number_reused"]


@dataclass(frozen=True)
class NumberChange:
    """A number with another meaning than in the last run.

    ``renamed``: another name; ``moved``: another parent; ``number_reused``: another section, with other goods and
    another name, as seen between two real nights (domain.md section 2.5).
    """

    number: int
    kind: ChangeKind
    before: Meaning
    after: Meaning
