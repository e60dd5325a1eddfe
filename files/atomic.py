"""Puts files and folders into place whole or not at all, so that neither a kill nor a power failure leaves a half.

What is new is written beside its place, forced to the disk, and renamed; then the folder that holds the name is forced.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

T = TypeVar("T")


def write_file(
    final: Path, write: Callable[[BinaryIO], T], keep: Callable[[Path], bool] | None = None
) -> tuple[T, bool]:
    """Write the file ``final`` through ``write``, which gets a binary stream; an old file keeps its access rights.

    ``keep`` looks at the finished ``NAME.part``; where it returns False, the part is removed and the old file stays.
    Returns what ``write`` returned, and whether the file was put into place. After any error the old file is
    untouched and the part is removed. Raises OSError, and whatever ``write`` and ``keep`` raise.
    """
    part = final.with_name(f"{final.name}.part")
    try:
        with part.open("wb") as stream:
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
