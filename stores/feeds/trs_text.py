"""Cleans the texts of the sync file: no control characters, and in cp1251 only characters of cp1251."""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_CONTROLS = "[\\x{00}-\\x{1f}\\x{7f}-\\x{9f}\\x{2028}\\x{2029}]+"
"""Line breaks in every form, tabs and other control characters: readers of the file refuse them (domain.md 5)."""


def _cp1251_characters() -> frozenset[str]:
    return frozenset(bytes([value]).decode("cp1251") for value in range(256) if value != 0x98)


_CP1251 = _cp1251_characters()
_OUTSIDE = "[^\\x{00}-\\x{7f}" + "".join(f"\\x{{{ord(c):x}}}" for c in sorted(_CP1251) if ord(c) > 127) + "]"

SUBSTITUTES: dict[str, str] = {
    "₴": "грн",
    "ʼ": "’",  # the Ukrainian apostrophe as phones type it
    "‛": "‘",
    "′": "'",
    "″": '"',
    "‟": "„",
    "‐": "-",
    "‒": "–",
    "―": "—",
    "−": "-",
    "×": "x",
    "÷": ":",
    "⁄": "/",
    "ß": "ss",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "Œ": "OE",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "ı": "i",
    "\u200b": "",
    "\u200c": "",
    "\u200d": "",
    "\u200e": "",
    "\u200f": "",
    "\u2060": "",
    "\ufe0e": "",
    "\ufe0f": "",
    "\ufeff": "",
}
"""Replacements of characters that cp1251 lacks; others lose their marks (é -> e, ² -> 2) or become ``?``."""


class Replaced(NamedTuple):
    """A character that the encoding cannot hold: its good and field, and what was written instead."""

    good_id: int
    field: str
    character: str
    written: str


def clean_texts(texts: Any, field: str, ids: list[int], *, cp1251: bool) -> tuple[Any, int, list[Replaced]]:
    """Return clean texts (an Arrow array), the number of runs of control characters, and replaced characters."""
    runs = pc.sum(pc.count_substring_regex(texts, _CONTROLS), min_count=0).as_py()
    if runs:
        texts = pc.replace_substring_regex(texts, _CONTROLS, " ")
    if not cp1251:
        return texts, runs, []
    foreign = pc.match_substring_regex(texts, _OUTSIDE)
    if not pc.any(foreign, min_count=0).as_py():
        return texts, runs, []
    values = texts.to_pylist()
    replaced: list[Replaced] = []
    for position in pc.indices_nonzero(foreign).to_pylist():
        values[position], pairs = to_cp1251(values[position])
        replaced.extend(Replaced(ids[position], field, character, written) for character, written in pairs)
    return pa.array(values, pa.string()), runs, replaced


def to_cp1251(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text in characters of cp1251, and each distinct replaced character with its replacement.

    A letter and a following combining mark are composed first (``и`` + breve -> ``й``).
    """
    out: list[str] = []
    pairs: dict[str, str] = {}
    for character in unicodedata.normalize("NFC", text):
        if character in _CP1251:
            out.append(character)
            continue
        written = SUBSTITUTES.get(character)
        if written is None:
            plain = unicodedata.normalize("NFKD", character)
            written = "".join(SUBSTITUTES.get(c, c) for c in plain if not unicodedata.combining(c))
            if not written or not set(written) <= _CP1251:
                written = "?"
        pairs[character] = written
        out.append(written)
    return "".join(out), list(pairs.items())
