"""The categories of the database: ours with all their rows, the others with what we need to compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stores.opencart.db import Db

SlugScope = tuple[int, int]
"""(store_id, language_id): a slug is valid in one store and one language."""


class Slug(NamedTuple):
    """One row of seo_url; ``value`` is the id chain in 4.x, the category's id alone in 3.0."""

    row: int
    value: str
    keyword: str


@dataclass
class Category:
    """One category. ``record`` is its row in our table (None: not ours); other fields come from OpenCart."""

    number: int
    record: Mapping[str, Any] | None = None
    exists: bool = False
    parent: int = 0
    status: bool = False
    names: dict[int, str] = field(default_factory=dict)
    path: dict[int, int] = field(default_factory=dict)
    stores: set[int] = field(default_factory=set)
    slugs: dict[SlugScope, list[Slug]] = field(default_factory=dict)


class Tree(dict[int, Category]):
    """Categories by number."""

    def chain(self, number: int, parents: Mapping[int, int] | None = None) -> list[int] | None:
        """Return the numbers from the root to a category; None where a parent is missing or the parents form a circle.

        ``parents`` replace the parents of the tree.
        """
        out: list[int] = []
        seen: set[int] = set()
        while number:
            exists = number in self and self[number].exists
            if number in seen or not (exists or (parents and number in parents)):
                return None
            seen.add(number)
            out.append(number)
            number = parents[number] if parents and number in parents else self[number].parent
        return out[::-1]

    def ours(self) -> Iterator[tuple[Category, Mapping[str, Any]]]:
        """Yield the categories that we made, or began to make, with our record."""
        return ((category, category.record) for category in self.values() if category.record is not None)

    def scopes(self, db: Db) -> list[SlugScope]:
        """Return every store and language in which our categories have a slug."""
        return [(store, language) for store in db.settings.store_ids for language in db.languages.enabled]

    def keyword(self, number: int, scope: SlugScope) -> str | None:
        """Return the keyword that the shop uses: that of the first slug row."""
        rows = self[number].slugs.get(scope) if number in self else None
        return rows[0].keyword if rows else None

    def address(self, db: Db, number: int, scope: SlugScope) -> str | None:
        """Return the path of a category's URL: its slugs from the root; None where one is missing."""
        if db.layout.slug_paths:
            return self.keyword(number, scope)
        chain = self.chain(number)
        keywords = [self.keyword(key, scope) for key in chain] if chain else []
        return "/".join(k for k in keywords if k) if keywords and all(keywords) else None


RECORD = ("parent_id", "depth", "slug", "name", "name_before", "hidden", "shown", "made", "touched", "before_row")


def load_tree(db: Db, owned: bool) -> Tree:
    """Read all categories. ``owned``: our tables exist."""
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
