"""One apply: what the operations need, and the result of each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from schemas.contents import Contents
from schemas.errors import StoreError
from schemas.plan import Operation
from schemas.settings.woocommerce import WooCommerceStore
from stores.protocol import Progress, silent
from stores.woocommerce.bindings import Bindings
from stores.woocommerce.client import Client, Item
from stores.woocommerce.snapshot import Snapshot

T = TypeVar("T")


@dataclass
class Session:
    """Applies operations, one batch at a time."""

    client: Client
    settings: WooCommerceStore
    bindings: Bindings
    snapshot: Snapshot
    wanted: Contents
    descriptions: dict[int, str]
    total: int
    progress: Progress = silent
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    slugs_changed: list[str] = field(default_factory=list)
    finished: int = 0

    def done(self, operation: Operation) -> None:
        """Count an operation whose result was read again in the shop."""
        self.counts[f"{operation.entity} {operation.kind}"] += 1
        self.finished += 1

    def failed(self, operation: Operation, why: str) -> None:
        """Note an operation that the shop refused, or that it did differently."""
        why = " ".join(why.split())[:300]
        self.failures.append(f"{operation.kind} {operation.entity} {operation.key} «{operation.name}»: {why}")
        self.finished += 1

    def slug(self, entity: str, key: int, sent: str, got: str) -> None:
        """Note a slug that the shop changed; the new one is kept."""
        if sent != got:
            self.slugs_changed.append(f"{entity} {key}: {sent} became {got}")

    def tell(self) -> None:
        """Report progress after a batch."""
        self.progress(self.finished, self.total)

    def all_notes(self) -> list[str]:
        """Return the notes, with at most a few of the changed slugs."""
        more = len(self.slugs_changed) - 5
        slugs = self.slugs_changed[:5] + ([f"… and {more} more slugs"] if more > 0 else [])
        return [*self.notes, *(f"the store changed a slug: {text}" for text in slugs)]

    def check(self) -> None:
        """Raise StoreError when an operation failed."""
        if not self.failures:
            return
        first = "; ".join(self.failures[:3])
        more = f"; and {len(self.failures) - 3} more" if len(self.failures) > 3 else ""
        raise StoreError(
            f"store {self.settings.name}: {len(self.failures)} of {self.total} operations failed: {first}{more}",
            "the others are done; correct these, then run again",
        )


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in groups of ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def why_refused(answer: Item) -> str:
    """Return the shop's message on one refused row."""
    error = answer["error"]
    return f"{error.get('code', 'refused')}: {error.get('message', '')}"
