"""Gets the two system libraries that the Firebird engine needs where the machine lacks them: libtommath and ICU.

The engine of the wheel ``firebird-embedded`` (Linux on x86-64 only) loads them when a base is opened. Without root
they are unpacked into the virtualenv's ``lib``. Run by ``run`` with the virtualenv's python, at every start: so it
imports little where nothing is missing.
"""

from __future__ import annotations

import ctypes
import os
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


def get_missing() -> None:
    """Install or unpack what is missing, and say what to do where neither works."""
    from scripts import debian

    if debian.can_install():
        debian.update()
    packages = ([] if has_tommath() else ["libtommath1"]) + ([] if has_icu() else debian.newest("libicu"))
    debian.say(f"getting {' and '.join(packages)} for the Firebird engine")
    if debian.can_install():
        debian.install(*packages)
    else:
        for package in packages:
            debian.unpack(package, {"**/lib*.so.*": "lib"})
    if not (has_tommath() and has_icu()):
        debian.say("the Firebird engine needs two libraries: sudo apt-get install libtommath1 libicu-dev")
        debian.say("  (Fedora: dnf install libtommath libicu; Arch: pacman -S libtommath icu)")


if __name__ == "__main__" and os.uname()[::4] == ("Linux", "x86_64") and not (has_tommath() and has_icu()):
    get_missing()
