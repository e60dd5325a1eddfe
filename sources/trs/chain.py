"""The section chain of a good: ``1=Обличчя;10=Основний догляд;15=Сироватка`` (domain.md section 4).

``key=name`` from the root to the leaf, joined by ``;`` (early 2025) or ``|`` (late 2025, the same shop). A name may
hold the separator or ``=``: only a separator before digits and ``=`` begins a new section.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from schemas.settings.stores import TrsDialect

Separator = Literal[";", "|"]
Chain = tuple[tuple[int, str], ...]

_KEY = r"(\d{1,18})="
_START = {";": re.compile(rf"(?:^|;){_KEY}"), "|": re.compile(rf"(?:^|\|){_KEY}")}
_INNER = {";": re.compile(r";\d+="), "|": re.compile(r"\|\d+=")}


def sniff_separator(chains: Iterable[str]) -> tuple[Separator, tuple[str, ...]]:
    """Return the separator that is more often before ``digits=``, and a note where both occur.

    Without evidence (no chain has two sections) it is the newest default seen.
    """
    counts = {sign: 0 for sign in _INNER}
    for chain in chains:
        for sign, pattern in _INNER.items():
            counts[sign] += len(pattern.findall(chain))
    default = TrsDialect().chain_separator
    if counts[";"] == counts["|"]:
        found: Separator = default
    else:
        found = ";" if counts[";"] > counts["|"] else "|"
    other: Separator = "|" if found == ";" else ";"
    if counts[other]:
        return found, (
            f'the section chains look joined by "{found}" ({counts[found]} times) but also by "{other}" '
            f"({counts[other]} times): a name with the separator, or two exports in one file",
        )
    return found, ()


def parse_chain(text: str, separator: Separator, leaf: str | None = None) -> Chain | None:
    """Return the sections of a chain, root first; () for an empty chain, None for a text that is not a chain.

    ``leaf``: the name of the leaf where the file has it (``SynchronizationSection``). It decides where the last name
    begins when that name has a part that looks like a new section.
    """
    if not text:
        return ()
    starts = list(_START[separator].finditer(text))
    if not starts or starts[0].start() != 0:
        return None
    if leaf:
        for position, match in enumerate(starts):
            if text[match.end() :] == leaf:
                starts = starts[: position + 1]
                break
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return tuple((int(m.group(1)), text[m.end() : end]) for m, end in zip(starts, ends, strict=True))
