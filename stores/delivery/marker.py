"""The marker ``NAME.sha256``: written last, so it tells that the file beside it is whole and what it holds.

Two lines that ``sha256sum --check`` understands: fingerprint and name, then the size as a remark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MARKER = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n# size ([1-9][0-9]{0,17})\n")
LONGEST = 4096
"""Bytes of a marker that are read at most: what is longer is none of ours."""


@dataclass(frozen=True)
class Marker:
    """Fingerprint and size of a delivered file."""

    sha256: str
    size: int

    def text(self, filename: str) -> bytes:
        """The marker's content."""
        return f"{self.sha256}  {filename}\n# size {self.size}\n".encode()


def marker_name(filename: str) -> str:
    """How the marker of a file is called."""
    return f"{filename}.sha256"


def parse_marker(content: bytes, filename: str) -> Marker | None:
    """The marker; None where it was cut off, is another file's, or no marker of ours."""
    found = MARKER.fullmatch(content.decode("utf-8", errors="replace"))
    return Marker(found[1], int(found[3])) if found and found[2] == filename else None
