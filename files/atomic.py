"""Puts files and folders into place whole or not at all, so that neither a kill nor a power failure leaves a half.

What is new is written beside its place, forced to the disk, and renamed; then the folder that holds the name is forced.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

T = TypeVar("T")

PRIVATE_FILE, PRIVATE_FOLDER = 0o640, 0o750
"""Rights of what is new: wholesale prices are not for everybody on the machine."""


def write_file(
    final: Path,
    write: Callable[[BinaryIO], T],
    keep: Callable[[Path], bool] | None = None,
    mode: int | None = None,
) -> tuple[T, bool]:
    """Write the file ``final`` through ``write``, which gets a binary stream; an old file keeps its access rights.

    A new one gets ``mode``, by default ``PRIVATE_FILE`` less what the umask forbids.

    ``keep`` looks at the finished ``NAME.part``; where it returns False, the part is removed and the old file stays.
    Returns what ``write`` returned, and whether the file was put into place. After any error the old file is
    untouched and the part is removed. Raises OSError, and whatever ``write`` and ``keep`` raise.
    """
    part = final.with_name(f"{final.name}.part")
    try:
        with part.open("wb") as stream:
            _restrict(stream.fileno(), mode)  # before anything is in it
            result = write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if keep is not None and not keep(part):
            part.unlink()
            return result, False
        if final.is_file():
            shutil.copymode(final, part)  # a web server may read it by rights that an administrator gave
        part.replace(final)
    except BaseException:
        _remove(part)
        raise
    force(final.parent)
    return result, True


def make_folder(folder: Path, mode: int | None = None) -> None:
    """Make a folder and what is missing above it, for files of ``mode``: with the right to enter for whoever may read.

    By default ``PRIVATE_FOLDER`` less what the umask forbids. A folder that is there keeps its rights. Raises OSError.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        if mode is not None:
            path.chmod(0o700 | mode | (mode & 0o444) >> 2)
    if not missing:
        folder.mkdir(exist_ok=True)  # which refuses a file of this name


def restrict(path: Path) -> None:
    """Take from a file that somebody else's code has made what ``PRIVATE_FILE`` does not allow."""
    path.chmod(stat.S_IMODE(path.stat().st_mode) & PRIVATE_FILE)


def _restrict(descriptor: int, mode: int | None) -> None:
    allowed = stat.S_IMODE(os.fstat(descriptor).st_mode) & PRIVATE_FILE
    os.fchmod(descriptor, allowed if mode is None else mode)


def _remove(part: Path) -> None:
    with suppress(OSError):  # the error that brought us here tells more than a second one
        part.unlink(missing_ok=True)


def force(path: Path) -> None:
    """Force a file's content, or the names in a folder, to the disk. Raises OSError where that fails for a file."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        if not path.is_dir():
            raise  # some network file systems cannot force a folder; a file is another matter
