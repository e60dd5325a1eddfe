"""Names as OpenCart keeps them: HTML-escaped by PHP's ``htmlspecialchars(…, ENT_COMPAT)``, and printed unescaped.

An unescaped ``<`` in a name would be markup, or script, in the menu of the shop (stores-facts.md section 1.1).
"""

from __future__ import annotations

import re

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_PLAIN = {**{escaped: char for char, escaped in _ESCAPES.items()}, "&#039;": "'", "&#39;": "'"}
_ENTITY = re.compile("|".join(sorted(map(re.escape, _PLAIN))))
_RAW = re.compile(r'[<>"]|&(?!(?:[A-Za-z][A-Za-z0-9]*|#[0-9]+|#x[0-9A-Fa-f]+);)')


def escape(text: str) -> str:
    """Return a name as the admin of OpenCart would store it."""
    return "".join(_ESCAPES.get(char, char) for char in text)


def unescape(text: str) -> str:
    """Return the name that a visitor reads."""
    return _ENTITY.sub(lambda found: _PLAIN[found[0]], text)


def is_escaped(text: str) -> bool:
    """Tell whether a page shows a stored name as text: nothing in it is markup."""
    return _RAW.search(text) is None


def fit(text: str, length: int, three_bytes: bool) -> str:
    """Cut a name so that its escaped form fits a column of ``length`` characters.

    ``three_bytes``: the column is utf8mb3, which has no characters above U+FFFF; they are removed.
    """
    if three_bytes:
        text = "".join(char for char in text if ord(char) <= 0xFFFF)
    if len(text) * 6 <= length:
        return text
    room = length
    for position, char in enumerate(text):
        room -= len(_ESCAPES.get(char, char))
        if room < 0:
            return text[:position].rstrip()
    return text


def description_html(text: str, length: int, three_bytes: bool) -> str:
    """A plain text as OpenCart stores a description: HTML, escaped like every text; its longest beginning that fits.

    ``length`` is in bytes (TEXT holds 65,535); 0 is no limit. ``three_bytes`` as in ``fit``.
    """
    if three_bytes:
        text = "".join(char for char in text if ord(char) <= 0xFFFF)
    whole = _html(text)
    if not length or len(whole.encode()) <= length:
        return whole
    fits, longer = 0, len(text)
    while longer - fits > 1:
        middle = (fits + longer) // 2
        fits, longer = (middle, longer) if len(_html(text[:middle]).encode()) <= length else (fits, middle)
    return _html(text[:fits].rstrip())


def _html(text: str) -> str:
    """Stored escaped, and decoded once when shown: a plain text must be HTML before that."""
    return escape(escape(text).replace("\n", "<br />"))
