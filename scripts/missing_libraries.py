"""Prints which system libraries the Firebird engine needs and does not find: ``tommath``, ``icu``, one per line.

The engine of the wheel ``firebird-embedded`` loads them when a base is opened. Those that ``run`` unpacked count: they
lie in the virtualenv's ``lib``. Run by ``run`` with the virtualenv's python.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes.util import find_library
from pathlib import Path

OURS = Path(sys.prefix) / "lib"


def has_tommath() -> bool:
    """Whether libtommath.so.1, the one that the engine is linked with, can be loaded."""
    try:
        ctypes.CDLL("libtommath.so.1")
    except OSError:
        return (OURS / "libtommath.so.1").exists()
    return True


def has_icu() -> bool:
    """Whether some version of ICU is there; the engine takes any, and needs it for every charset."""
    return any(OURS.glob("libicui18n.so.*")) or find_library("icui18n") is not None


if __name__ == "__main__":
    found = {"tommath": has_tommath(), "icu": has_icu()}
    print("\n".join(name for name, there in found.items() if not there))  # noqa: T201
