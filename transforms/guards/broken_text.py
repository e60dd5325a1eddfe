"""Names that cannot be read: a wrong charset shows in the letters, also on the first night.

What a name in Ukrainian, Russian or English becomes when its bytes are read in another charset was tried for CP1251,
UTF-8, KOI8-U, CP866, Latin-1 and others; tests/transforms/test_broken_text.py holds the pairs.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow.compute as pc

from transforms.matched import mask

_LETTER = r"\p{L}"
_UTF8_AS_1251 = "[РС][\u0080-\u00bfЂЃѓЉЊЌЋЏђљњќћџЎўЈҐґЁЄЇІіёєјЅѕї№‚„…†‡€‰‹‘’“”•–—™›]"
_UTF8_AS_LATIN = "[ÐÑ][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]?"
_FOREIGN_CYRILLIC = "[ЂЃѓЉЊЌЋЏђљњќћџЈјЅѕЎў]"

_PATTERNS = (
    "\ufffd",
    r"\?{3,}",
    rf"{_LETTER}\?+{_LETTER}",  # one letter of the alphabet was lost: «Пом?чник»
    rf"(?:{_UTF8_AS_1251}){{3}}",  # UTF-8 read as CP1251: «РљСЂРµРј»
    rf"(?:{_UTF8_AS_LATIN}){{3}}",  # UTF-8 read as Latin-1: «ÐšÑ€ÐµÐ¼»
    "(?:^|[^\\p{L}])[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]{3,}",  # CP1251 read as Latin-1: «Êðåì»
    r"(?:[аб][А-ЯЁЇІЄ]){2}",  # UTF-8 read as ISO 8859-5: «аЕаМ»
    rf"{_LETTER}[¤¦¬§±€≤≥∞†‡ƒ]{_LETTER}",  # signs within words: CP1251 or CP866 read as Mac Cyrillic
    r"(?:^|[^\p{L}])[а-яёіїєґ][А-ЯЁІЇЄҐ]{3}",  # KOI8 read as CP1251 or the other way: «лТЕН»
    "[\u2500-\u259f\u25a0\u2219\u221a]",  # CP1251 read as CP866: box drawings
    rf"{_FOREIGN_CYRILLIC}.*{_FOREIGN_CYRILLIC}",  # letters of Serbian and Macedonian
    "[\u0530-\u1cff\u2e80-\ud7ff\ue000-\uf8ff]{2}",  # UTF-16 read in halves, and scripts of other continents
)
_BROKEN = "|".join(_PATTERNS)
_KNOWN: dict[bytes, np.ndarray[Any, Any]] = {}
_MOST_KNOWN = 16


def broken_names(names: Any) -> np.ndarray[Any, Any]:
    """Which of the names (an Arrow array of text) cannot be read.

    Every comparison of a night asks for the same few columns, and the expression is slow: the last answers are kept.
    """
    array = names.combine_chunks() if hasattr(names, "combine_chunks") else names
    digest = sha256(repr((array.type, array.offset, len(array))).encode())
    for buffer in array.buffers():
        digest.update(b"" if buffer is None else buffer)
        digest.update(b"|")
    key = digest.digest()
    if key not in _KNOWN:
        while len(_KNOWN) >= _MOST_KNOWN:
            del _KNOWN[next(iter(_KNOWN))]
        _KNOWN[key] = _broken(array)
    return _KNOWN[key].copy()


def _broken(names: Any) -> np.ndarray[Any, Any]:
    marks = pc.count_substring(names, "?")
    mostly = pc.and_(pc.greater_equal(marks, 2), pc.greater_equal(pc.multiply(marks, 2), pc.utf8_length(names)))
    return mask(pc.or_(pc.match_substring_regex(names, _BROKEN), mostly))
