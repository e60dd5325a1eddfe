"""How a text carries bytes that its charset does not know, from the source to the quarantine.

Each such byte stands as a Unicode noncharacter, which no text may hold, and its two hexadecimal digits. So the bytes
are kept in the history's files, and a row is recognised again when it is judged again.
"""

from __future__ import annotations

import codecs
import re

MARK = "\ufdd0"
_MARKED = re.compile(f"{MARK}([0-9a-f]{{2}})")


def mark(raw: bytes, codec: str) -> str:
    """The bytes as text, with a mark for each that ``codec`` cannot decode."""
    return raw.decode(codec, errors="torgsync-mark")


def shown(text: str) -> str:
    """The text for people: a marked byte as ``<98>``."""
    return _MARKED.sub(r"<\1>", text)


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(f"{MARK}{byte:02x}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("torgsync-mark", _mark)
