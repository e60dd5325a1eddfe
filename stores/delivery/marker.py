"""The marker ``NAME.sha256``: written last, so it proves that the file beside it is complete.

It has two lines that ``sha256sum --check`` understands: fingerprint and name, then the size as a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MARKER = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n# size ([1-9][0-9]{0,17})\n")
LONGEST = 4096
"""At most this number of bytes is read: a longer file is not one of our markers."""


@dataclass(frozen=True)
class Marker:
    """Fingerprint and size of a delivered file."""

    sha256: str
    size: int

    def text(self, filename: str) -> bytes:
        """Return the content of the marker file."""
        return f"{self.sha256}  {filename}\n# size {self.size}\n".encode()


def marker_name(filename: str) -> str:
    """Return the name of a file's marker."""
    return f"{filename}.sha256"


def parse_marker(content: bytes, filename: str) -> Marker | None:
    """Return the marker; None where it is cut off, of another file, or not ours."""
    found = MARKER.fullmatch(content.decode("utf-8", errors="replace"))
    return Marker(found[1], int(found[3])) if found and found[2] == filename else None
