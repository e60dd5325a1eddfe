"""Cleans the texts of a feed, by whole columns: no control characters, and nothing that XML forbids or misreads.

``saxutils.escape`` keeps illegal characters, and one of them makes a whole feed unreadable (stores-facts.md section 6):
so they are removed first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

_ILLEGAL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
_BREAKS = _ILLEGAL + "\t\n\r\u2028\u2029"
_IN_LINE = re.compile(f"[{_BREAKS}]")
_IN_BLOCK = re.compile(f"[{_ILLEGAL}\r\u2028\u2029]")
_LINE_RUN = re.compile(f" *[{_BREAKS}][ {_BREAKS}]*")
_BLOCK_RUN = re.compile(f"[{_ILLEGAL}\u2028\u2029]+")
_QUOTES = {'"': "&quot;", "'": "&apos;"}
_BORDER = "\x1f"
"""Separates the texts of a column while they are escaped as one; ``clean_line`` and ``clean_block`` remove it."""

FEW = 5
"""A note names at most this number of goods or names."""


class Notes:
    """Counts what a writer changed or left out; each kind becomes one line at the end."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[str]] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._names: set[tuple[str, str]] = set()
        self._plain: list[str] = []

    def good(self, what: str, good_id: int) -> None:
        """Count a change of a good."""
        self._count((what, "good"), str(good_id))

    def name(self, what: str, name: str, example: str = "") -> None:
        """Count a change of a category's name."""
        if (what, name) not in self._names:
            self._names.add((what, name))
            self._count((what, "name"), example or name)

    def say(self, text: str) -> None:
        """Add a note."""
        self._plain.append(text)

    def lines(self) -> tuple[str, ...]:
        """Return lines such as ``name cut to 100 characters: 2 goods (7, 9)``, in the order of their first case."""
        counted = (
            f"{what}: {count} {unit}{'s' if count > 1 else ''} "
            f"({', '.join(self._found[what, unit])}{', …' if count > FEW else ''})"
            for (what, unit), count in self._counts.items()
        )
        return (*self._plain, *counted)

    def _count(self, key: tuple[str, str], example: str) -> None:
        self._counts[key] = self._counts.get(key, 0) + 1
        found = self._found.setdefault(key, [])
        if len(found) < FEW:
            found.append(example)


def clean_line(text: str) -> str:
    """Return the text on one line: control characters and line breaks become one blank, no blanks at its ends."""
    return _LINE_RUN.sub(" ", text).strip()


def clean_block(text: str) -> str:
    """Return the text with line breaks as ``\\n``; other control characters become one blank, no blanks at its ends."""
    return _BLOCK_RUN.sub(" ", re.sub("\r\n?|\x85", "\n", text)).strip()


def lines(texts: Sequence[str], what: str, ids: Sequence[int], notes: Notes) -> list[str]:
    """Return a column of texts, each on one line; texts with control characters are noted."""
    return _cleaned(texts, _IN_LINE, clean_line, what, ids, notes)


def blocks(texts: Sequence[str], what: str, ids: Sequence[int], notes: Notes) -> list[str]:
    """Return a column of texts with their line breaks; texts with control characters are noted."""
    return _cleaned(texts, _IN_BLOCK, clean_block, what, ids, notes)


def _cleaned(
    texts: Sequence[str],
    suspect: re.Pattern[str],
    clean: Callable[[str], str],
    what: str,
    ids: Sequence[int],
    notes: Notes,
) -> list[str]:
    if suspect.search("".join(texts)) is None:  # nearly always true: one search over the whole column
        return [text.strip() for text in texts]
    out = []
    for text, good_id in zip(texts, ids, strict=True):
        cleaned = clean(text)
        if cleaned != text.replace("\r\n", "\n").strip():
            notes.good(f"{what}: line breaks or control characters became one blank each", good_id)
        out.append(cleaned)
    return out


def shortened(texts: list[str], limit: int | None, what: str, ids: Sequence[int], notes: Notes) -> list[str]:
    """Cut texts to ``limit`` characters, at a blank where one is near the end; cut texts are noted."""
    if limit is None or all(len(text) <= limit for text in texts):
        return texts
    out = []
    for text, good_id in zip(texts, ids, strict=True):
        if len(text) > limit:
            notes.good(f"{what} cut to {limit} characters", good_id)
        out.append(cut(text, limit))
    return out


def cut(text: str, limit: int) -> str:
    """Cut a text to ``limit`` characters, at a blank where there is one within the last fifth."""
    if len(text) <= limit:
        return text
    blank = text.rfind(" ", limit - limit // 5, limit + 1)
    return text[: blank if blank > 0 else limit].rstrip()


def xml(text: str) -> str:
    """Escape ``& < > " '`` in a clean text, for use between XML tags or in double quotes."""
    return escape(text, _QUOTES)


def xml_column(texts: Sequence[str]) -> list[str]:
    """Apply ``xml`` to a whole column of clean texts at once, which is ten times faster."""
    return escape(_BORDER.join(texts), _QUOTES).split(_BORDER) if texts else []


def elements(tag: str, texts: Sequence[str], attributes: str = "") -> list[str]:
    """Return ``<tag>text</tag>`` and a line end for each clean text; an empty text gives nothing."""
    start, end = f"<{tag}{attributes}>", f"</{tag}>\n"
    return [f"{start}{text}{end}" if text else "" for text in xml_column(texts)]
