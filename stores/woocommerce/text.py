"""Names and slugs as WordPress takes them, and as it gives them back."""

from __future__ import annotations

import html
import re

MAX_NAME = 200
"""Characters of a category's name, counted as it is stored: ``&`` is five of them."""
MAX_SLUG = 180
"""Room is left for a suffix below WordPress's 200."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_OCTET = re.compile(r"%(?=[0-9a-fA-F]{2})")


def clean(text: str) -> str:
    """Without control characters, single blanks: what both sides are compared by."""
    return " ".join(_CONTROL.sub(" ", text).split())


def escaped(text: str) -> str:
    """A name as it must be sent: WordPress strips tags, backslashes and, in categories, ``%`` with two hex digits."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\\", "&#92;")
    return _OCTET.sub("&#37;", text)


def unescaped(text: str) -> str:
    """A name as WordPress gives it back, as plain text."""
    return clean(html.unescape(text))


def category_name(text: str) -> str:
    """A name cut to what a category's column holds."""
    name = clean(text)
    while len(escaped(name)) > MAX_NAME:
        name = name[:-1].rstrip()
    return name
