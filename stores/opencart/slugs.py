"""What slugs of OpenCart categories take, and which are reserved.

OpenCart 4 finds a category by the last segment of its address alone (``LIKE '%/slug' LIMIT 1``), OpenCart 3 by its one
keyword: two categories with one slug open the same page (stores-facts.md section 1.3). ``_`` and ``%`` are wildcards.
"""

from __future__ import annotations

from collections.abc import Collection

from slugify import slugify
from translitua import translit

RESERVED = frozenset({"admin", "catalog", "download", "extension", "image", "install", "storage", "system"})
"""Folders of the web server's root: a category of this name would never be asked for."""


def new_slug(name: str, number: int, taken: Collection[str], length: int) -> str:
    """A slug that nothing in the store has yet: from the name, else with the category's number, else counted on."""
    base = slugify(translit(name), max_length=length) or f"category-{number}"
    slug, counter = base, 1
    while slug in taken or slug in RESERVED:
        ending = f"-{number}" if counter == 1 else f"-{number}-{counter}"
        slug = base[: length - len(ending)].rstrip("-") + ending
        counter += 1
    return slug


def segments(keyword: str) -> set[str]:
    """What a keyword takes: itself and its last segment."""
    lower = keyword.casefold()
    return {lower, leaf(lower)}


def leaf(keyword: str) -> str:
    """The last segment of a slug path."""
    return keyword.rstrip("/").rsplit("/", 1)[-1]
