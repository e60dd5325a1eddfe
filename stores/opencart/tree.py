"""The categories as the database has them: ours with all that belongs to one, the others as far as they matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stores.opencart.db import Db

Place = tuple[int, int]
"""(store_id, language_id)."""


class Slug(NamedTuple):
    """One row of seo_url; ``value`` is the id chain in 4.x, the category's id alone in 3.0."""

    row: int
    value: str
    keyword: str


@dataclass
class Category:
    """One category: ``record`` is our note of it (None: not ours), the rest is what OpenCart's tables hold."""

    number: int
    record: Mapping[str, Any] | None = None
    exists: bool = False
    parent: int = 0
    status: bool = False
    names: dict[int, str] = field(default_factory=dict)
    path: dict[int, int] = field(default_factory=dict)
    stores: set[int] = field(default_factory=set)
    slugs: dict[Place, list[Slug]] = field(default_factory=dict)


class Tree(dict[int, Category]):
    """Categories by number."""

    def chain(self, number: int, parents: Mapping[int, int] | None = None) -> list[int] | None:
        """Numbers from the root to a category; None where the parents lead nowhere or round in a circle.

        ``parents`` stand in for the tree's own.
        """
        out: list[int] = []
        seen: set[int] = set()
        while number:
            known = number in self and self[number].exists
            if number in seen or not (known or (parents and number in parents)):
                return None
            seen.add(number)
            out.append(number)
            number = parents[number] if parents and number in parents else self[number].parent
        return out[::-1]

    def ours(self) -> Iterator[tuple[Category, Mapping[str, Any]]]:
        """Those that we made, or were about to make, with our record."""
        return ((category, category.record) for category in self.values() if category.record is not None)

    def places(self, db: Db) -> list[Place]:
        """Where each of our categories has a slug."""
        return [(store, language) for store in db.settings.store_ids for language in db.languages.enabled]

    def keyword(self, number: int, place: Place) -> str | None:
        """The slug row's keyword that the shop uses: the first."""
        rows = self[number].slugs.get(place) if number in self else None
        return rows[0].keyword if rows else None

    def address(self, db: Db, number: int, place: Place) -> str | None:
        """The slugs from the root to a category, as its URL has them; None where one is missing."""
        if db.layout.slug_paths:
            return self.keyword(number, place)
        chain = self.chain(number)
        keywords = [self.keyword(key, place) for key in chain] if chain else []
        return "/".join(k for k in keywords if k) if keywords and all(keywords) else None


RECORD = ("parent_id", "depth", "slug", "name", "name_before", "hidden", "shown", "made", "touched", "before_row")


def load_tree(db: Db, owned: bool) -> Tree:
    """All categories. ``owned``: our tables are there."""
    tree = Tree()
    for number, parent, status in db.rows("SELECT category_id, parent_id, status FROM {category}"):
        tree[number] = Category(number, None, True, int(parent or 0), bool(status))
    if owned:
        for number, *values in db.rows(f"SELECT category_id, {', '.join(RECORD)} FROM {{torgsync_category}}"):
            tree.setdefault(number, Category(number)).record = dict(zip(RECORD, values, strict=True))
    for number, language, name in db.rows("SELECT category_id, language_id, name FROM {category_description}"):
        if number in tree:
            tree[number].names[language] = name or ""
    for number, ancestor, level in db.rows("SELECT category_id, path_id, level FROM {category_path}"):
        if number in tree:
            tree[number].path[ancestor] = level
    for number, store in db.rows("SELECT category_id, store_id FROM {category_to_store}"):
        if number in tree:
            tree[number].stores.add(store)
    for row, store, language, value, keyword in db.rows(_slug_rows(db)):
        number = value.rsplit("_", 1)[-1] if db.layout.slug_paths else value.removeprefix("category_id=")
        if number.isdecimal() and int(number) in tree:
            tree[int(number)].slugs.setdefault((store, language), []).append(Slug(row, value, keyword))
    return tree


def _slug_rows(db: Db) -> str:
    columns = "SELECT seo_url_id, store_id, language_id,"
    if db.layout.slug_paths:
        return f"{columns} `value`, keyword FROM {{seo_url}} WHERE `key` = 'path' ORDER BY seo_url_id"
    return f"{columns} `query`, keyword FROM {{seo_url}} WHERE LEFT(`query`, 12) = 'category_id=' ORDER BY seo_url_id"
