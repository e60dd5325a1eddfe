"""The plan: what a run would do to each store, operation by operation (design.md section 4).

A plan depends on no clock and no random numbers: the same input, rules, state and stores give the same bytes
(promise P8).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.contents import Entity, Key
from schemas.guards import Level, guard_stores
from schemas.numbers import format_decimal

Kind = Literal[
    "create", "restore", "rename", "move", "assign", "update", "hide", "retire", "redirect", "unredirect", "publish"
]
REMOVALS: tuple[Kind, ...] = ("hide", "retire")
"""Kinds that remove something from a shop window: shown first and separately."""

KINDS: dict[Kind, str] = {
    "hide": "taken out of the window; the row stays",
    "retire": "hidden for many nights: the store may archive it",
    "create": "new in the store",
    "restore": "shown again, with the id and address it had",
    "move": "a category under another parent",
    "rename": "a category with another name",
    "assign": "a good in another category",
    "update": "other fields",
    "redirect": "an old address leads to a living category",
    "unredirect": "an old address is forgotten",
    "publish": "the file's new content",
}
"""What each kind of operation means; removals first."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of one row. ``changes`` maps a field to [old, new]; ``name`` is for the reader.

    ``create`` names only what identifies the row: its other fields are those of the plan's catalogue. ``move`` may
    rename and update as well, ``rename`` and ``assign`` may update: the kind is the most important change.
    """

    kind: Kind
    entity: Entity
    key: Key
    name: str = ""
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def line(self) -> str:
        """Return the operation as canonical JSON, for comparisons of plans."""
        return json.dumps(
            {"kind": self.kind, "entity": self.entity, "key": self.key, "name": self.name, "changes": self.changes},
            ensure_ascii=False, sort_keys=True, separators=(",", ":"),
        )  # fmt: skip


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GuardViolation(_Model):
    """A guard that stops the run or warns: ``measured`` rows where ``limit`` are allowed.

    ``message`` does not name the store: ``text`` does. A plan file of an older version has no ``level``: it means stop.
    """

    guard: str
    level: Level = Field("stop", description="stop: nothing is written; tell: the report warns")
    store: str = ""
    measured: int
    limit: int
    message: str

    @property
    def heading(self) -> str:
        """How a plan introduces it: whether it stops the run, or is only a note."""
        return "GUARD STOPS" if self.level == "stop" else "GUARD NOTES"

    @property
    def text(self) -> str:
        """Return the message with its store."""
        return self.message + guard_stores(self.guard, [self.store] if self.store else [])


class TargetState(_Model):
    """The target of a store: a ``catalogue`` (its fingerprint), held, retired and redirected keys (see ``Plan``)."""

    catalogue: str
    held: dict[Entity, list[int]] = Field(default_factory=dict)
    retire: dict[Entity, list[int]] = Field(default_factory=dict)
    redirects: dict[str, tuple[int, list[str], int]] = Field(default_factory=dict)


class StorePlan(_Model):
    """The operations of one store in the order in which they are applied.

    ``before`` is the fingerprint of the store's contents when the plan was made. ``error``: why the store could not be
    read, or cannot be planned (``unplanned``); it is then left out of the plan. ``own`` replaces the target state of
    the plan where rules are for this store only.
    """

    store: str
    kind: str
    before: str = ""
    error: str = ""
    unplanned: bool = False
    own: TargetState | None = None
    operations: tuple[Operation, ...] = ()

    @property
    def trouble(self) -> str:
        """What is wrong with a store that has an ``error``; empty for a store that was planned."""
        return ("cannot be planned" if self.unplanned else "cannot be read") if self.error else ""

    def counts(self) -> Counter[tuple[Entity, Kind]]:
        """Count the operations by entity and kind."""
        return Counter((operation.entity, operation.kind) for operation in self.operations)


class Plan(_Model):
    """What one run would do, and the inputs of the plan.

    ``catalogue``, ``extract`` and ``settings`` (the shop's settings and rules) are fingerprints; ``base``
    is the last loaded run when the plan was made: another one makes the plan stale. ``held`` keys per entity
    (their source rows are in the quarantine) are left as they are in every store; ``retire`` are those that have been
    absent for long enough; ``redirects`` are (old number, old path, number) by id.
    """

    version: Literal[1] = 1
    shop: str
    purpose: Literal["sync", "rollback"] = "sync"
    catalogue: str
    extract: str = ""
    settings: str
    base: str = ""
    held: dict[Entity, list[int]] = Field(default_factory=dict)
    retire: dict[Entity, list[int]] = Field(default_factory=dict)
    redirects: dict[str, tuple[int, list[str], int]] = Field(default_factory=dict)
    guards: tuple[GuardViolation, ...] = ()
    stores: tuple[StorePlan, ...] = ()
    digest: str = Field("", description="of the file's other content; made anew by to_json, so that an edit shows")

    def target_state(self, store: StorePlan) -> TargetState:
        """Return the target state of a store: its own, else the shop-wide one."""
        return store.own or self.shop_wide

    @property
    def shop_wide(self) -> TargetState:
        """Return the target state of every store without its own."""
        return TargetState(catalogue=self.catalogue, held=self.held, retire=self.retire, redirects=self.redirects)

    @property
    def empty(self) -> bool:
        """Tell whether no store would be changed."""
        return not any(store.operations for store in self.stores)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy without the cached text of the unchanged plan."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_text", None)
        return copied

    def to_json(self) -> str:
        """Return the plan file: JSON with one line per operation, so that a person can compare two plans."""
        return self._text

    @cached_property
    def _text(self) -> str:
        head = self.model_dump(mode="json", exclude={"stores", "digest"})
        lines = [json.dumps(head, ensure_ascii=False, sort_keys=True)[:-1] + ', "stores": [']
        for number, store in enumerate(self.stores):
            absent = {name for name in ("own", "unplanned") if not getattr(store, name)}
            front = store.model_dump(mode="json", exclude={"operations"} | absent)
            lines.append((", " if number else "") + json.dumps(front, ensure_ascii=False)[:-1] + ', "operations": [')
            last = len(store.operations) - 1
            lines += [operation.line() + ("," if n < last else "") for n, operation in enumerate(store.operations)]
            lines.append("]}")
        body = "\n".join(lines)
        return f'{body}\n], "digest": "{hashlib.sha256(body.encode()).hexdigest()}"}}\n'

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the plan file."""
        return hashlib.sha256(self._text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return a value as the plan file holds it: decimals as text without trailing zeros, lists as lists."""
    if isinstance(value, Decimal):
        return format_decimal(value)
    if isinstance(value, bytes):  # a store may hold any type where we wrote a text
        return repr(value)
    return list(value) if isinstance(value, tuple) else value


def fingerprint(parts: Iterable[Any]) -> str:
    """Return the SHA-256 over the texts of values, in their order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()
