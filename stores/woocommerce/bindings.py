"""Remembers which rows of a shop are ours. Facts are stored at once, some of them before the request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

Key = tuple[str, int]
Value = tuple[str, str | None]
Remember = Callable[[Mapping[Key, Value]], None]


class Bindings:
    """Facts by (entity, key):

    - ``category``: (term id, slug). ``?`` and a mark of name and parent in place of the id: a request to
      make it was sent, and WooCommerce may have made it although no answer came.
    - ``category_hidden``: ("1" or "0", None). WooCommerce itself has no hidden categories.
    - ``offer``: (product id, slug).
    - ``offer_link``: (term id, next term id or None): the category that we put the product into, and the one that
      a pending request puts it into. Other categories of a product are an editor's. After a run that died, or
      a product that the shop refused, both stay noted until the next reading shows in which one it is.
    """

    def __init__(self, prior: Mapping[Key, Value], remember: Remember) -> None:
        self.rows = dict(prior)
        self._remember = remember

    def remember(self, rows: Mapping[Key, Value]) -> None:
        """Store those of the facts that are new."""
        new = {key: value for key, value in rows.items() if self.rows.get(key) != value}
        if new:
            self._remember(new)
            self.rows.update(new)

    def term(self, number: int) -> int | None:
        """The term of a section's number."""
        return self._id("category", number)

    def on_its_way(self, number: int) -> Value | None:
        """Return mark and slug of a term that may have been made without an answer."""
        found = self.rows.get(("category", number))
        return found if found is not None and not found[0].isdecimal() else None

    def slugs_on_their_way(self, but: int) -> set[str]:
        """Return the slugs of pending requests, without that of one category."""
        found = ((key, value) for (entity, key), value in self.rows.items() if entity == "category")
        return {slug for key, (term, slug) in found if slug and key != but and not term.isdecimal()}

    def slug(self, entity: str, key: int) -> str | None:
        """The slug that a category or a product had when it became ours."""
        return self.rows.get((entity, key), ("", None))[1]

    def numbers(self) -> dict[int, int]:
        """Section number by term."""
        return self._by_id("category")

    def products(self) -> dict[int, int]:
        """Good by product."""
        return self._by_id("offer")

    def product(self, good: int) -> int | None:
        """The product of a good."""
        return self._id("offer", good)

    def links(self, good: int) -> tuple[int, ...]:
        """The terms that we put a product into: the confirmed one first."""
        found = self.rows.get(("offer_link", good), ("", None))
        return tuple(int(term) for term in found if term)

    def hidden(self, number: int) -> bool:
        """Whether we have hidden a category."""
        return self.rows.get(("category_hidden", number), ("0", None))[0] == "1"

    def _id(self, entity: str, key: int) -> int | None:
        number = self.rows.get((entity, key), ("", None))[0]
        return int(number) if number.isdecimal() else None

    def _by_id(self, wanted: str) -> dict[int, int]:
        return {int(v[0]): key for (entity, key), v in self.rows.items() if entity == wanted and v[0].isdecimal()}


def mark(name: str, parent: int) -> str:
    """Return the mark that identifies a category until its id is known."""
    return "?" + hashlib.sha256(f"{parent}\0{name}".encode()).hexdigest()[:32]
