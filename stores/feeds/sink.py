"""The output of a writer: a stream with a fingerprint, and the writer's report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass(frozen=True)
class FeedFile:
    """The result of a writer: ``offers`` in the file, and the fingerprint of its content.

    ``content_sha256`` leaves out the date of a YML file: an unchanged catalogue keeps its fingerprint. ``left_out``
    counts the goods that are not in the file, by reason; with ``offers`` they make up all goods. ``notes`` says what
    differs from the given values.
    """

    offers: int
    content_sha256: str
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Sink:
    """Writes text into a binary stream and remembers the fingerprint of its content."""

    def __init__(self, stream: BinaryIO, encoding: str = "utf-8") -> None:
        self._stream, self._encoding = stream, encoding
        self._content = hashlib.sha256()

    def write(self, text: str, content: str | None = None) -> None:
        """Write the text; ``content`` replaces it in the fingerprint of the content."""
        data = text.encode(self._encoding)
        self._stream.write(data)
        self._content.update(data if content is None else content.encode(self._encoding))

    def done(self, offers: int, left_out: Mapping[str, int], notes: tuple[str, ...]) -> FeedFile:
        """Return the report."""
        absent = {reason: count for reason, count in left_out.items() if count}
        return FeedFile(offers, self._content.hexdigest(), absent, notes)
