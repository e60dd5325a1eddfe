"""Slugs of categories and products: Ukrainian by KMU-55, unique in the whole store, frozen once given."""

from __future__ import annotations

from collections.abc import Collection

from slugify import slugify
from translitua import translit


def free_slug(name: str, key: int, fallback: str, taken: Collection[str], length: int) -> str:
    """Return a slug of at most ``length`` characters that is not ``taken``, cut after a word where the name is long.

    A slug that is taken gets the key at its end, then a count. A name without letters or digits gives ``fallback-KEY``.
    """
    base = slugify(translit(name), max_length=length, word_boundary=True, save_order=True) or f"{fallback}-{key}"
    slug, counter = base, 1
    while slug in taken:
        ending = f"-{key}" if counter == 1 else f"-{key}-{counter}"
        slug = base[: length - len(ending)].rstrip("-") + ending
        counter += 1
    return slug
