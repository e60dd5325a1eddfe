"""Every file of a shop: what torgsync writes against what it must not write. Two owners of one file are found here.

A place is compared without links, and without regard to upper and lower case and to the two ways in which Unicode
writes a letter: some disks take such names for one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path
from urllib.parse import parse_qs, unquote

SQLITE_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database: to replace one of them destroys the database."""

REMOTE_BESIDE = (".part", ".prev", ".prev.part", ".sha256", ".sha256.part")
"""What a delivery leaves beside a file on a server."""

LOCK_FILES = (".torgsync.lock", ".torgsync.holder.json")
"""In the shop's folder: the lock of a run, and who holds it."""

_HOST = re.compile(r"^(?P<host>\[[^\]]+\]|[^\\/:]{2,})(?:/\w+)?:(?P<path>.+)$")
_INET = re.compile(r"^inet[46]?://(?:(?P<host>\[[^\]]+\]|[^/:]+)(?::\w+)?/)?(?P<path>.+)$", re.IGNORECASE)
_HERE = ("localhost", "127.", "[::1]")


@dataclass(frozen=True)
class Claim:
    """One file, or with ``tree`` a folder with all in it. ``place`` is a real path, or the URL of a file elsewhere.

    ``what`` names it in a sentence after "would write". Claims of one ``owner`` never clash. ``writes``: torgsync
    writes it by itself; two files that are only read may be one.
    """

    place: str
    what: str
    owner: str
    writes: bool = True
    tree: bool = False


@dataclass(frozen=True)
class Clash:
    """``new`` is where ``old`` is already."""

    new: Claim
    old: Claim

    @property
    def sentence(self) -> str:
        """Who would write what."""
        writer, other = (self.new, self.old) if self.new.writes else (self.old, self.new)
        return f"{writer.owner} would write {other.what}: {writer.place}"

    @property
    def next_step(self) -> str:
        """What to do."""
        return "give it another target, filename or url"


def real(path: str | Path, folder: Path) -> str:
    """The path without links and dots; a relative one is relative to ``folder``."""
    return realpath(folder / Path(path).expanduser())


def base_file(dsn: str, folder: Path) -> str | None:
    """The file of a base on this machine; None where another machine has it."""
    over_network = _INET.match(dsn) or _HOST.match(dsn)
    if over_network is None:
        return None if re.match(r"^[A-Za-z]:[\\/]", dsn) else real(dsn, folder)
    host = (over_network["host"] or "localhost").lower()
    path = over_network["path"]
    return real(path, folder) if host.startswith(_HERE) and path.startswith("/") else None


def sqlite_file(url: str | None, folder: Path) -> str | None:
    """The file of a SQLAlchemy URL of SQLite; None for any other database."""
    scheme, found, rest = (url or "").partition("://")
    if not found or scheme.partition("+")[0].lower() != "sqlite":
        return None
    path, _, parameters = rest.removeprefix("/").partition("?")
    if path.startswith("file:") and "uri" in parse_qs(parameters):
        path = unquote(path.removeprefix("file:"))
    return real(path, folder) if path and path != ":memory:" else None


def database_claims(file: str | None, what: str, owner: str) -> Iterator[Claim]:
    """A SQLite database and what lies beside it."""
    for suffix in ("", *SQLITE_BESIDE) if file is not None else ():
        yield Claim(f"{file}{suffix}", what, owner)


def first_clash(claims: Iterable[Claim], identity: Callable[[str], Iterable[str]] = lambda place: ()) -> Clash | None:
    """The first claim of a place that somebody else has claimed before it, where at least one of the two writes.

    ``identity`` tells by what else a file is known: on this machine its inode, which a second name of it shares.
    """
    files: dict[str, list[Claim]] = {}
    trees: list[tuple[str, Claim]] = []
    for new in claims:
        keys = [_key(new.place), *identity(new.place)]
        before = [old for key in keys for old in files.get(key, ())]
        before += [old for key, old in trees if keys[0].startswith(f"{key}/")]
        if new.tree:
            before += [old for key, found in files.items() if key.startswith(f"{keys[0]}/") for old in found]
        for old in before:
            if old.owner != new.owner and (old.writes or new.writes):
                return Clash(new, old)
        for key in keys:
            files.setdefault(key, []).append(new)
        if new.tree:
            trees.append((keys[0], new))
    return None


def _key(place: str) -> str:
    """What two spellings of one place have in common."""
    if "://" in place:
        return place
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", place).casefold())
