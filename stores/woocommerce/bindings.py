"""What we remember of a shop: which of its rows are ours. Written down at once, some of it before the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Key = tuple[str, int]
Value = tuple[str, str | None]
Remember = Callable[[Mapping[Key, Value]], None]


class Bindings:
    """Facts by (entity, key):

    - ``category``: (term id, slug). An empty term id means that a request with this slug is on its way.
    - ``category_hidden``: ("1" or "0", None). WooCommerce itself has no hidden categories.
    - ``offer``: (product id, slug).
    - ``offer_link``: (term id, next term id or None): the category that we put the product into, and the one that
      takes its place by a request on its way. Other categories of a product are an editor's.
    """

    def __init__(self, known: Mapping[Key, Value], remember: Remember) -> None:
        self.rows = dict(known)
        self._remember = remember

    def remember(self, rows: Mapping[Key, Value]) -> None:
        """Write down what is new in some facts."""
        new = {key: value for key, value in rows.items() if self.rows.get(key) != value}
        if new:
            self._remember(new)
            self.rows.update(new)

    def term(self, number: int) -> int | None:
        """The term of a section's number."""
        return self._id("category", number)

    def slug_on_its_way(self, number: int) -> str | None:
        """The slug under which a term may have been made without us hearing of it."""
        found = self.rows.get(("category", number))
        return found[1] if found is not None and not found[0] else None

    def slugs_on_their_way(self, but: int) -> set[str]:
        """Slugs of requests on their way, of all categories but one."""
        return {v[1] for (e, key), v in self.rows.items() if e == "category" and not v[0] and v[1] and key != but}

    def slug(self, number: int) -> str | None:
        """The slug that a category had when it became ours."""
        return self.rows.get(("category", number), ("", None))[1]

    def numbers(self) -> dict[int, int]:
        """Section number by term."""
        return {int(v[0]): key for (entity, key), v in self.rows.items() if entity == "category" and v[0]}

    def products(self) -> dict[int, int]:
        """Good by product."""
        return {int(v[0]): key for (entity, key), v in self.rows.items() if entity == "offer" and v[0]}

    def product(self, good: int) -> int | None:
        """The product of a good."""
        return self._id("offer", good)

    def slug_of_product(self, good: int) -> str | None:
        """The slug that a product had when it became ours."""
        return self.rows.get(("offer", good), ("", None))[1]

    def links(self, good: int) -> tuple[int, ...]:
        """The terms that we put a product into: the confirmed one first."""
        found = self.rows.get(("offer_link", good), ("", None))
        return tuple(int(term) for term in found if term)

    def hidden(self, number: int) -> bool:
        """Whether we have hidden a category."""
        return self.rows.get(("category_hidden", number), ("0", None))[0] == "1"

    def _id(self, entity: str, key: int) -> int | None:
        found = self.rows.get((entity, key))
        return int(found[0]) if found is not None and found[0] else None
