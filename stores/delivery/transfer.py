"""The steps of one delivery to a server. After a break at any step the reader finds a complete file.

1. Size and marker are read; where both agree with our content, nothing is sent. A file of our size without a
   marker is read once: it may be ours, from a run that broke between 5 and 6.
2. ``NAME.part`` and the marker's own ``.part`` are written, and the size that arrived is compared.
3. ``NAME`` is kept as ``NAME.prev`` where the server can copy.
4. The old marker is removed: a marker must never describe another file.
5. ``NAME.part`` is renamed over ``NAME``.
6. The new marker is renamed into its place.

A server with atomic uploads needs no ``.part``: there step 2 is left out, and 5 and 6 are uploads.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from io import BytesIO
from typing import BinaryIO

from schemas.errors import StoreError
from stores.delivery.marker import LONGEST, Marker, marker_name, parse_marker
from stores.delivery.session import ConnectionFailed, Session


class Transfer:
    """One delivery. ``placing``: the old file may be replaced by now, so nothing is tried a second time."""

    def __init__(self, label: str, filename: str, stream: BinaryIO, marker: Marker) -> None:
        self.label, self.filename, self.stream, self.marker = label, filename, stream, marker
        self.notes: list[str] = []
        self.placing = False

    def run(self, session: Session) -> bool:
        """Run all steps; returns False where the same content was there already."""
        size = session.size(self.filename)
        if size == self.marker.size and self._is_ours(session):
            return False
        if not session.puts_whole:
            self._upload(session)
        if size is not None:
            self._note(session.keep(self.filename, f"{self.filename}.prev"))
        session.remove(marker_name(self.filename))
        self._place(session)
        self._mark(session)
        return True

    def _is_ours(self, session: Session) -> bool:
        marker = read_marker(session, self.filename)
        if marker is not None:
            return marker == self.marker
        digest = hashlib.sha256()
        session.read(self.filename, digest.update)
        if digest.hexdigest() != self.marker.sha256:
            return False
        session.remove(marker_name(self.filename))  # one that was cut off
        if not session.puts_whole:
            self._put_marker(session, ".part")
        self._mark(session)
        return True

    def _upload(self, session: Session) -> None:
        part = f"{self.filename}.part"
        try:
            self._put(session, part)
            arrived = session.size(part)
            if arrived != self.marker.size:
                raise StoreError(
                    f"{self.label}: {arrived} of {self.marker.size} bytes arrived; the old file stays",
                    "check for a full disk, a quota or a filter on the server, then run again",
                )
            self._put_marker(session, ".part")
        except ConnectionFailed:
            raise  # nothing more can be asked of this connection
        except StoreError:
            with suppress(StoreError):  # the first error is more useful than a second one
                session.remove(part)
                session.remove(f"{marker_name(self.filename)}.part")
            raise

    def _place(self, session: Session) -> None:
        if session.puts_whole:
            self._put(session, self.filename)  # may be tried again: what is there already is found by reading back
            self.placing = True
            return
        self.placing = True
        self._note(session.replace(f"{self.filename}.part", self.filename, f"{self.filename}.prev"))

    def _mark(self, session: Session) -> None:
        if session.puts_whole:
            self._put_marker(session)
        else:
            marker = marker_name(self.filename)
            session.replace(f"{marker}.part", marker, f"{marker}.prev")

    def _put(self, session: Session, name: str) -> None:
        self.stream.seek(0)
        session.put(name, self.stream, self.marker.size)

    def _put_marker(self, session: Session, suffix: str = "") -> None:
        text = self.marker.text(self.filename)
        session.put(marker_name(self.filename) + suffix, BytesIO(text), len(text))

    def _note(self, note: str | None) -> None:
        if note is not None:
            self.notes.append(note)


def read_marker(session: Session, filename: str) -> Marker | None:
    """Return the marker of a file; None where there is none, or an unreadable one."""
    size = session.size(marker_name(filename))
    if size is None or size > LONGEST:
        return None
    content = bytearray()
    session.read(marker_name(filename), content.extend)
    return parse_marker(bytes(content), filename)
