"""Names and slugs in the forms that WordPress accepts and returns."""

from __future__ import annotations

import html
import re

MAX_NAME = 200
"""Characters of a category's name, counted as it is stored: ``&`` is five of them."""
MAX_SLUG = 180
"""Below the 200 of WordPress, as it may add a suffix."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_OCTET = re.compile(r"%(?=[0-9a-fA-F]{2})")


def clean(text: str) -> str:
    """Return a text without control characters and with single blanks, for comparisons."""
    return " ".join(_CONTROL.sub(" ", text).split())


def escaped(text: str) -> str:
    """Return a name for a request: WordPress strips tags, backslashes and, in categories, ``%`` with two hex digits."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\\", "&#92;")
    return _OCTET.sub("&#37;", text)


def unescaped(text: str) -> str:
    """Return a name of an answer as plain text."""
    return clean(html.unescape(text))


def category_name(text: str) -> str:
    """Cut a name to the length of a category's column."""
    name = clean(text)
    while len(escaped(name)) > MAX_NAME:
        name = name[:-1].rstrip()
    return name
