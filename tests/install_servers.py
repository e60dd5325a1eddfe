"""Gets what only the tests need from Debian's packages: Firebird, MariaDB and PostgreSQL servers, and a browser.

The tests start servers of their own: no daemon is started here, and no cluster is made. Without root PostgreSQL and
MariaDB are unpacked into ``.venv/servers``. What cannot be had is reported, and its tests skip (in CI they fail).

By hand: ``.venv/bin/python -m tests.install_servers``, in this repository's folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts import debian
from scripts.debian import VENV, say

MARIADB = ("mariadb-server-core", "mariadb-client-core")
CLUSTERS = Path("/etc/postgresql-common/createcluster.conf")


def has_firebird() -> bool:
    """Whether the server's program and the tool that makes its users are there."""
    return bool(shutil.which("isql-fb")) and any(map(_runs, (VENV / "bin/firebird", Path("/usr/sbin/firebird"))))


def get_firebird() -> None:
    """Debian's server package would start a daemon for the whole machine, so two files of it are taken into .venv."""
    if debian.install("firebird3.0-server-core", "firebird3.0-utils"):
        debian.unpack("firebird3.0-server", {"**/sbin/firebird": "bin", "**/security.sql": "share/firebird"})


def has_mariadb() -> bool:
    """Whether the server and its tools are installed, or unpacked."""
    installed = ("/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "/usr/bin/my_print_defaults")
    unpacked = ("usr/sbin/mariadbd", "usr/bin/my_print_defaults")
    return all(_runs(Path(name)) for name in installed) or all(_runs(VENV / "servers" / name) for name in unpacked)


def get_mariadb() -> None:
    """The -core packages start no daemon."""
    if debian.can_install():
        debian.install(*MARIADB)
    else:
        debian.unpack_server(*MARIADB)


def has_postgres() -> bool:
    """Whether some version is installed, or unpacked."""
    return any(_runs(p) for root in (Path("/"), VENV / "servers") for p in root.glob("usr/lib/postgresql/*/bin/initdb"))


def get_postgres() -> None:
    """Debian's package makes a cluster and starts it, unless a setting forbids that."""
    if not debian.can_install():
        depends = subprocess.run(["apt-cache", "depends", "postgresql"], capture_output=True, text=True, check=False)
        version = [word for word in depends.stdout.split() if word.startswith("postgresql-")]
        debian.unpack_server(*version[:1])
        return
    with _no_cluster([*(debian.as_root() or [])]):
        debian.install("postgresql", options=("-o", "Dpkg::Options::=--force-confold"))


@contextmanager
def _no_cluster(root: list[str]) -> Iterator[None]:
    """Forbid clusters for a while; afterwards the setting's file is as before, or as the package brings it."""
    before = CLUSTERS.with_name(f"{CLUSTERS.name}.before")
    subprocess.run([*root, "mkdir", "-p", str(CLUSTERS.parent)], check=True)
    if CLUSTERS.exists():
        subprocess.run([*root, "cp", "-p", str(CLUSTERS), str(before)], check=True)
    words = [*root, "tee", "-a", str(CLUSTERS)]
    subprocess.run(words, input="create_main_cluster = false\n", text=True, stdout=subprocess.DEVNULL, check=True)
    try:
        yield
    finally:
        for kept in (before, CLUSTERS.with_name(f"{CLUSTERS.name}.ucf-dist")):
            if kept.exists():
                subprocess.run([*root, "mv", "-f", str(kept), str(CLUSTERS)], check=True)
                break


def has_chromium() -> bool:
    """Whether the browser is there. It is Debian's: Playwright's own builds come from no package registry."""
    return bool(shutil.which("chromium"))


def get_chromium() -> None:
    """Only installed: unpacked it would lack too much."""
    debian.install("chromium")


def _runs(path: Path) -> bool:
    return os.access(path, os.X_OK)


NEEDED = (
    ("Firebird server", has_firebird, get_firebird, "firebird3.0-server firebird3.0-utils"),
    ("MariaDB", has_mariadb, get_mariadb, " ".join(MARIADB)),
    ("PostgreSQL", has_postgres, get_postgres, "postgresql"),
    ("chromium", has_chromium, get_chromium, "chromium"),
)
"""What the tests use: name, whether it is there, how it is got, the Debian packages to install by hand."""


def main() -> None:
    """Get what is missing."""
    for name, has, get, packages in NEEDED:
        if not has():
            say(f"getting {name} for the tests")
            get()
            if not has():
                say(f"no {name}: its tests skip; sudo apt-get install {packages}")


if __name__ == "__main__":
    main()
