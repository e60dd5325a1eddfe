"""Which slugs an OpenCart category occupies, and which are reserved.

OpenCart 4 finds a category by only the last segment of its address (``LIKE '%/slug' LIMIT 1``), OpenCart 3 by its
one keyword: categories with one slug open the same page (stores-facts.md section 1.3). ``_`` and ``%`` are wildcards.
"""

from __future__ import annotations

RESERVED = frozenset({"admin", "catalog", "download", "extension", "image", "install", "storage", "system"})
"""Folders in the root of the web server: it would never ask OpenCart for a category of this name."""


def segments(keyword: str) -> set[str]:
    """Return the slugs that a keyword occupies: the keyword and its last segment."""
    lower = keyword.casefold()
    return {lower, leaf(lower)}


def leaf(keyword: str) -> str:
    """Return the last segment of a slug path."""
    return keyword.rstrip("/").rsplit("/", 1)[-1]
