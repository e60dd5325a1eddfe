"""Delivers one file to a folder or a file server, and reads what is there. ``transfer`` has the steps."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from schemas.errors import StoreError
from schemas.settings.delivery import Protocol
from stores.delivery.destination import Destination
from stores.delivery.marker import Marker
from stores.delivery.session import ConnectionFailed, Session
from stores.delivery.transfer import Transfer, read_marker
from stores.publish import file_sha256, publish

T = TypeVar("T")

PAUSES = (1.0, 4.0)
"""Seconds before the second and the third attempt after a failed connection."""

GAPS: dict[Protocol, tuple[str, ...]] = {
    "folder": ("NAME.prev and NAME.sha256 are not written: torgsync can make the older file again",),
    "ftp": ("the password and the file travel unencrypted", "FTP cannot copy, so NAME.prev is not kept"),
    "ftps": ("FTP cannot copy, so NAME.prev is not kept",),
    "sftp": (),
    "s3": (),
}
"""What a protocol can never do. What a particular server cannot do is in ``Delivered.notes``."""


@dataclass(frozen=True)
class Delivered(Generic[T]):
    """``result`` of the writer; ``published`` is False where this file was there already; ``notes`` for the report."""

    result: T
    published: bool
    sha256: str
    notes: tuple[str, ...] = ()


def deliver(
    target: Destination,
    filename: str,
    write: Callable[[BinaryIO], T],
    *,
    create: bool = False,
    mode: int | None = None,
) -> Delivered[T]:
    """Write ``filename`` through ``write``, which gets a binary stream, and deliver it to the target.

    ``create`` makes a missing local folder (see ``publish``), never one on a server; ``mode`` is the access mode of
    a new local file. Raises StoreError; the old file is then complete. Where the new file may be in place after a late
    break, the message says so. Errors of ``write`` are not caught.
    """
    _check_filename(target, filename)
    if target.is_folder:
        done = publish(target.folder, filename, write, create=create, mode=mode)
        return Delivered(done.result, done.published, done.sha256)
    label = f"{target.label}/{filename}"
    try:
        with tempfile.TemporaryFile(prefix="torgsync-") as stream:
            result = write(stream)
            stream.flush()
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            marker = Marker(hashlib.file_digest(stream, "sha256").hexdigest(), size)
            if size == 0:
                raise StoreError(f"{label}: the file would be empty; the old one stays", "check why there are no goods")
            published, notes = _carry(target, Transfer(label, filename, stream, marker))
    except OSError as error:
        raise StoreError(
            f"{label}: cannot be prepared in {tempfile.gettempdir()}: {error.strerror or error}",
            "free space there, or name another folder in the environment variable TMPDIR",
        ) from error
    return Delivered(result, published, marker.sha256, notes)


def read_digest(target: Destination, filename: str) -> str | None:
    """Return the sha256 of the delivered file; None where there is no file, or none with a valid marker."""
    _check_filename(target, filename)
    if target.is_folder:
        path = target.folder / filename
        try:
            return file_sha256(path) if path.is_file() else None
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror or error}", "correct its rights") from error

    def ask(session: Session) -> str | None:
        size = session.size(filename)
        marker = None if size is None else read_marker(session, filename)
        return marker.sha256 if marker is not None and marker.size == size else None

    return _attempts(target, ask, lambda: True)


def check(target: Destination) -> tuple[str, ...]:
    """Log in and open the folder, without writing; returns what the protocol cannot do. Raises StoreError."""
    if not target.is_folder:
        _attempts(target, lambda session: session.size("torgsync.check"), lambda: True)
    elif not target.folder.is_dir():
        raise StoreError(f"{target.folder}: the folder does not exist", "create or mount it, or correct target")
    elif not os.access(target.folder, os.W_OK | os.X_OK):
        raise StoreError(f"{target.folder}: no right to write there", "correct the folder's rights")
    return GAPS[target.settings.protocol]


def _carry(target: Destination, transfer: Transfer) -> tuple[bool, tuple[str, ...]]:
    try:
        published = _attempts(target, transfer.run, lambda: not transfer.placing)
    except StoreError as error:
        if not transfer.placing:
            raise
        raise StoreError(
            f"{error.message}; the new file may be in place already, without its marker",
            f"run again to complete it ({error.next_step})",
        ) from error
    return published, tuple(dict.fromkeys(transfer.notes))


def _attempts(target: Destination, action: Callable[[Session], T], again: Callable[[], bool]) -> T:
    """Run the action on a new connection; after a failed connection try again while ``again`` allows it."""
    for pause in PAUSES:
        try:
            with _connect(target) as session:
                return action(session)
        except ConnectionFailed:
            if not again():
                raise
            time.sleep(pause)
    with _connect(target) as session:
        return action(session)


def _connect(target: Destination) -> AbstractContextManager[Session]:
    """Open a session by the protocol of the target. Imports are local: a folder needs none of these libraries."""
    match target.settings.protocol:
        case "ftp" | "ftps":
            from stores.delivery.ftp import ftp_session

            return ftp_session(target)
        case "sftp":
            from stores.delivery.sftp import sftp_session

            return sftp_session(target)
        case "s3":
            from stores.delivery.s3 import s3_session

            return s3_session(target)
        case "folder":
            raise ValueError("a folder needs no connection")


def _check_filename(target: Destination, filename: str) -> None:
    if filename in ("", "..") or Path(filename).name != filename or "\\" in filename or not filename.isprintable():
        raise StoreError(f"{target.label}: {filename!r} is not a plain file name", "correct filename in shop.toml")
