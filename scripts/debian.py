"""Gets Debian packages for ``run`` and for the tests: installed where that is allowed, else unpacked into ``.venv``.

``python3 -m scripts.debian PACKAGE …`` installs; it exits with 1 where it cannot. Needs Python's standard library only,
as it also installs what makes the virtualenv.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

VENV = Path(__file__).resolve().parent.parent / ".venv"
_APT = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")
_NOT_NEEDED = ("libllvm", "libz3")
"""Libraries that are left out of an unpacked server: a compiler of queries, 100 MB, which the tests switch off."""


def say(text: str) -> None:
    """Print what is being done, as ``run`` does."""
    print(f"run: {text}", file=sys.stderr, flush=True)  # noqa: T201


def as_root() -> list[str] | None:
    """The words before a command that make it run as root; None where sudo would ask for a password, or is absent."""
    if os.getuid() == 0:
        return []
    if shutil.which("sudo") and _run(["sudo", "-n", "true"]) is not None:
        return ["sudo", "-n"]
    return None


def can_install() -> bool:
    """Whether packages can be installed for the whole machine."""
    return bool(shutil.which("apt-get")) and as_root() is not None


def update() -> None:
    """Fetch the lists of packages: those of a fresh container are empty."""
    _run([*(as_root() or []), "apt-get", "update", "-qq"])


def install(*packages: str, options: tuple[str, ...] = ()) -> bool:
    """Install packages and return whether that worked. Old lists name files that are gone: so it is tried twice."""
    if not can_install():
        return False
    command = [*(as_root() or []), "env", "DEBIAN_FRONTEND=noninteractive", *_APT, *options, *packages]
    if _run(command) is not None:
        return True
    update()
    return _run(command, complain=True) is not None


def newest(name: str) -> list[str]:
    """The package ``nameNN`` with the highest number NN, as ICU's bears its version; none where the lists have none."""
    numbers = [n[len(name) :] for n in (_run(["apt-cache", "pkgnames", name]) or "").split()]
    return [f"{name}{max(map(int, filter(str.isdecimal, numbers)))}"] if any(map(str.isdecimal, numbers)) else []


def unpack(package: str, places: Mapping[str, str]) -> bool:
    """Put the files of a package that match a pattern into a folder of ``.venv``; needs no root."""
    with TemporaryDirectory() as folder:
        tree = _tree(Path(folder), [package])
        if tree is None:
            return False
        for pattern, place in places.items():
            (VENV / place).mkdir(parents=True, exist_ok=True)
            for path in tree.glob(pattern):
                shutil.copy(path, VENV / place)
        return True


def unpack_server(*packages: str) -> bool:
    """Put packages, and the libraries that they need and the machine lacks, into ``.venv/servers``; needs no root."""
    planned = _run(["apt-get", "install", "-s", "-qq", "--no-install-recommends", *packages]) or ""
    names = [words[1] for words in map(str.split, planned.splitlines()) if words[:1] == ["Inst"]]
    libraries = [n for n in names if n.startswith("lib") and not n.endswith("-perl") and not n.startswith(_NOT_NEEDED)]
    with TemporaryDirectory() as folder:
        tree = _tree(Path(folder), [*packages, *libraries])
        if tree:
            shutil.copytree(tree, VENV / "servers", symlinks=True, dirs_exist_ok=True)
        return tree is not None


def _tree(folder: Path, packages: list[str]) -> Path | None:
    """Download packages into a folder and unpack them there; None where that fails."""
    if not shutil.which("apt-get") or _run(["apt-get", "download", "-qq", *packages], folder, complain=True) is None:
        return None
    for file in folder.glob("*.deb"):
        if _run(["dpkg", "-x", str(file), str(folder / "tree")]) is None:
            return None
    return folder / "tree"


def _run(command: list[str], folder: Path | None = None, complain: bool = False) -> str | None:
    """What a command prints, or None where it fails; then the end of what it said is shown if ``complain``."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode and complain:
        say(f"  {' '.join(command[:4])} …: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return None if done.returncode else done.stdout


if __name__ == "__main__":
    sys.exit(0 if install(*sys.argv[1:]) else 1)
