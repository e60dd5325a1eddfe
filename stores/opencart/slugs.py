"""What slugs of OpenCart categories take, and which are reserved.

OpenCart 4 finds a category by the last segment of its address alone (``LIKE '%/slug' LIMIT 1``), OpenCart 3 by its one
keyword: two categories with one slug open the same page (stores-facts.md section 1.3). ``_`` and ``%`` are wildcards.
"""

from __future__ import annotations

RESERVED = frozenset({"admin", "catalog", "download", "extension", "image", "install", "storage", "system"})
"""Folders of the web server's root: a category of this name would never be asked for."""


def segments(keyword: str) -> set[str]:
    """What a keyword takes: itself and its last segment."""
    lower = keyword.casefold()
    return {lower, leaf(lower)}


def leaf(keyword: str) -> str:
    """The last segment of a slug path."""
    return keyword.rstrip("/").rsplit("/", 1)[-1]
