"""Checks the category tables of a shop for faults that OpenCart does not report (stores-facts.md 1.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.command import COMMAND
from schemas.settings.opencart import OpenCartStore
from stores.opencart.db import Db, reading
from stores.opencart.ownership_tables import has_tables, interrupted
from stores.opencart.slugs import leaf
from stores.opencart.text import is_escaped
from stores.opencart.tree import Category, Tree, load_tree

NIGHT = "the next run repairs those that are torgsync's; a hidden one that Torgsoft no longer has may be deleted"
FINDINGS: dict[str, tuple[str, str]] = {
    "interrupted": ("a run was interrupted while it wrote", f"run again, or {COMMAND} resume"),
    "parent_unknown": ("the parent category does not exist", "give it a parent in OpenCart's admin"),
    "cycle": ("a category is below itself: the menu does not show the branch", "correct parent_id in the database"),
    "path_wrong": ("category_path is not what the parents say", f"Rebuild in Catalog > Categories; {NIGHT}"),
    "path_orphan": ("category_path rows of categories that do not exist", "delete these rows"),
    "no_description": ("no name in an enabled language: it is missing there with its page", f"save it; {NIGHT}"),
    "no_store": ("in no store: its page answers 404", f"tick a store in the admin; {NIGHT}"),
    "parent_hidden": ("shown below a hidden one: not in the menu, but its page opens", "hide it, or show its parent"),
    "name_raw": ("a name that the page would show as markup", f"save it in the admin; {NIGHT}"),
    "no_slug": ("no slug: in 3.0 the addresses of all below it fall back to ?path=", f"give it one; {NIGHT}"),
    "slug_twice": ("two pages with one slug: one of them opens the other", "give one of them another slug"),
    "slug_sign": (
        "_ or % in a slug of 4.x matches any character when OpenCart looks up a page",
        "give it another slug",
    ),
    "slug_path": ("4.x: ids or slugs of the address are not those of the parents", f"save it in the admin; {NIGHT}"),
}
"""The texts of every finding: what is wrong, and what to do."""


@dataclass(frozen=True)
class Finding:
    """``categories``: the numbers concerned; ``ours``: whether all of them are torgsync's."""

    code: str
    categories: tuple[int, ...]
    ours: bool
    detail: str = ""

    def __str__(self) -> str:
        what, todo = FINDINGS[self.code]
        named = ", ".join(map(str, self.categories[:10])) + (", …" if len(self.categories) > 10 else "")
        where = f" ({self.detail})" if self.detail else ""
        owner = "" if not self.categories else " (torgsync's)" if self.ours else " (not torgsync's)"
        return f"{what}{where}: {named}{owner}; {todo}" if named else f"{what}{where}; {todo}"


def check(settings: OpenCartStore) -> list[Finding]:
    """Return what is wrong with the categories of a shop. Never writes. Raises StoreError when it cannot read."""
    with reading(settings) as db:
        owned = has_tables(db)
        tree = load_tree(db, owned)
        found = [Finding("interrupted", (), True)] if owned and interrupted(db) else []
        for code, detail, numbers in [*_tree(db, tree), *_rows(db, tree), *_slugs(db, tree)]:
            found += _by_owner(tree, code, detail, numbers)
        return found


_Found = tuple[str, str, list[int]]


def _by_owner(tree: Tree, code: str, detail: str, numbers: Iterable[int]) -> list[Finding]:
    ours: list[int] = []
    others: list[int] = []
    for number in sorted(numbers):
        (ours if number in tree and tree[number].record is not None else others).append(number)
    return [Finding(code, tuple(part), part is ours, detail) for part in (ours, others) if part]


def _living(tree: Tree) -> list[Category]:
    return [category for category in tree.values() if category.exists]


def _tree(db: Db, tree: Tree) -> Iterator[_Found]:
    unknown, cycle, wrong, hidden = [], [], [], []
    for category in _living(tree):
        number, parent = category.number, category.parent
        chain = tree.chain(number)
        if parent and (parent not in tree or not tree[parent].exists):
            unknown.append(number)
        elif chain is None and _in_circle(tree, number):
            cycle.append(number)
        if chain is not None and category.path != {ancestor: level for level, ancestor in enumerate(chain)}:
            wrong.append(number)
        if category.status and parent in tree and not tree[parent].status:
            hidden.append(number)
    orphans = db.rows(
        "SELECT DISTINCT p.category_id FROM {category_path} p LEFT JOIN {category} c ON c.category_id = p.category_id"
        " WHERE c.category_id IS NULL"
    )
    yield "parent_unknown", "", unknown
    yield "cycle", "", cycle
    yield "path_wrong", "", wrong
    yield "path_orphan", "", [number for (number,) in orphans]
    yield "parent_hidden", "", hidden


def _in_circle(tree: Tree, number: int) -> bool:
    seen: set[int] = set()
    at = tree[number].parent
    while at in tree and at not in seen and at != number:
        seen.add(at)
        at = tree[at].parent
    return at == number


def _rows(db: Db, tree: Tree) -> Iterator[_Found]:
    for language in db.languages.enabled:
        missing = [category.number for category in _living(tree) if not category.names.get(language)]
        yield "no_description", f"language {db.languages.codes[language]}", missing
    yield "no_store", "", [category.number for category in _living(tree) if not category.stores]
    unescaped = [c.number for c in _living(tree) if not all(is_escaped(name) for name in c.names.values())]
    yield "name_raw", "", unescaped


def _slugs(db: Db, tree: Tree) -> Iterator[_Found]:
    paths = db.layout.slug_paths
    for scope in tree.scopes(db):
        detail = f"store {scope[0]}, language {db.languages.codes[scope[1]]}"
        with_slug = [category for category in _living(tree) if tree.keyword(category.number, scope)]
        if not with_slug:
            continue  # a shop, or a language, without slugs at all
        yield "no_slug", detail, [c.number for c in _living(tree) if scope[0] in c.stores and c not in with_slug]
        if paths:
            signs = [c.number for c in with_slug if set("_%") & set(tree.keyword(c.number, scope) or "")]
            yield "slug_sign", detail, signs
            yield "slug_path", detail, [c.number for c in with_slug if not _path_fits(tree, c, scope)]
    yield from _twice(db, tree, paths)


def _path_fits(tree: Tree, category: Category, scope: tuple[int, int]) -> bool:
    chain = tree.chain(category.number)
    if chain is None:
        return True  # another finding reports it
    above = tree.keyword(chain[-2], scope) if len(chain) > 1 else ""
    row = category.slugs[scope][0]
    fits = row.keyword == f"{above}/{leaf(row.keyword)}".lstrip("/")
    return row.value == "_".join(map(str, chain)) and (above is None or fits)


def _twice(db: Db, tree: Tree, paths: bool) -> Iterator[_Found]:
    """Find slugs that two pages share: within a store in 3.0; by last segment, within a store and language in 4.x."""
    target = "CONCAT(`key`, '=', `value`)" if paths else "`query`"
    takers: dict[tuple[int, int, str], set[str]] = {}
    rows = db.rows(f"SELECT store_id, language_id, {target}, keyword FROM {{seo_url}}")
    for store, language, page, keyword in rows:
        slug = leaf(keyword or "").casefold() if paths else (keyword or "").casefold()
        if slug:
            takers.setdefault((store, language if paths else 0, slug), set()).add(page)
    for (store, _, slug), pages in sorted(takers.items()):
        numbers = {int(page.split("=", 1)[1].rsplit("_", 1)[-1]) for page in pages if _is_category(page)}
        if len(pages) > 1 and numbers & set(tree):
            if paths and len(numbers) == 1 and all(_is_category(page) for page in pages):
                continue  # one category under two id chains: reported as slug_path
            yield "slug_twice", f"store {store}, «{slug}»: {', '.join(sorted(pages))}", sorted(numbers)


def _is_category(page: str) -> bool:
    key, _, value = page.partition("=")
    return key in ("category_id", "path") and value.rsplit("_", 1)[-1].isdecimal()
