"""Puts a file into a folder whole or not at all: its readers see the old file or the new one, never a half.

The file is written beside its place as ``NAME.part``, forced to the disk, and renamed over. A file whose content did
not change is left alone, so that its time stamp tells when the content last changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from files.atomic import make_folder, write_file
from schemas.errors import StoreError

T = TypeVar("T")


@dataclass(frozen=True)
class Published(Generic[T]):
    """``result`` of the writer; ``published`` is False where the file already had this content and was left alone."""

    result: T
    published: bool
    sha256: str


def publish(
    target: Path, filename: str, write: Callable[[BinaryIO], T], *, create: bool = False, mode: int | None = None
) -> Published[T]:
    """Write ``filename`` into the folder ``target`` through ``write``, which gets a binary stream.

    Where a symbolic link lies there, the file that it leads to is written, as its readers open that one.

    ``mode`` are the rights of a new file and of the folder that is made for it (``files.atomic``).

    ``create`` makes a missing folder: for a shop's own output, not for a store's folder, which may be a share that is
    not mounted. Raises StoreError when the folder is missing, the file is empty or the disk refuses; the old file then
    stays, and only our own ``.part`` is removed. What ``write`` raises passes through.
    """
    if create:
        _make_folder(target, mode)
    if not target.is_dir():
        raise StoreError(f"{target}: the folder does not exist", "create or mount it, or correct target in shop.toml")
    final = _led_to(target / filename)
    sha256 = ""

    def changed(part: Path) -> bool:
        nonlocal sha256
        size, sha256 = part.stat().st_size, file_sha256(part)
        if size == 0:
            raise StoreError(f"{final}: the new file would be empty; the old one stays", "check why there are no goods")
        return not (final.is_file() and final.stat().st_size == size and file_sha256(final) == sha256)

    try:
        result, published = write_file(final, write, changed, mode)
    except OSError as error:
        raise StoreError(
            f"{final}: cannot be written: {error.strerror or error}", "free space or correct the folder's rights"
        ) from error
    return Published(result, published, sha256)


def _led_to(path: Path) -> Path:
    """The file that a path means. Raises StoreError for a link to itself, or into a folder that is not there."""
    if not path.is_symlink():
        return path
    real = Path(os.path.realpath(path))
    if real.is_symlink():
        raise StoreError(f"{path}: a link that leads back to itself", "correct the link")
    if not real.parent.is_dir():
        raise StoreError(f"{path}: it leads to {real}, whose folder does not exist", "create or mount it")
    return real


def _make_folder(folder: Path, mode: int | None) -> None:
    try:
        make_folder(folder, mode)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be created: {error.strerror or error}", "correct its rights") from error


def file_sha256(path: Path) -> str:
    """The fingerprint of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
