"""URLs of databases: read in one place, so that one with a mistake in it is refused without telling its password."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import URL

_FORM = "DRIVER://USER:PASSWORD@HOST:PORT/DATABASE"


def url_text(url: str | None, url_env: str | None, whose: str) -> tuple[str, str]:
    """A URL that stands in shop.toml or in the environment, and where. Raises SettingsError where nobody set it."""
    if url is not None:
        return url, f"{whose}: url"
    assert url_env is not None
    if url_env not in os.environ:
        raise SettingsError(f"{whose}: environment variable {url_env} is not set", "set it")
    return os.environ[url_env], f"{whose}: environment variable {url_env}"


def database_url(text: str, where: str) -> URL:
    """The URL of a database, as SQLAlchemy reads it; ``where`` is the key or variable that holds it.

    Raises SettingsError, which tells no part of the URL. A second @ is refused: the password would end at the first
    one, and its rest would pass for the host, which every driver tells in its messages.
    """
    # at the first look at a shop's settings nobody needs SQLAlchemy yet
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, _, rest = text.partition("://")
    if not scheme.startswith("sqlite") and rest.count("@") > 1:
        raise SettingsError(
            f"{where}: the URL holds more than one @", "in a user's name or password write @ as %40, / as %2F, : as %3A"
        )
    try:
        return make_url(text)
    except (ArgumentError, ValueError):  # its text may hold a part of the password
        raise SettingsError(f"{where}: not a URL of a database", f"write it as {_FORM}, @ in it as %40") from None


def in_folder(url: URL, folder: Path) -> URL:
    """The URL with the path of a SQLite file made absolute, relative to ``folder``; any other URL as it is.

    The path is set in the URL and never written as text: a ? in a folder's name would begin the URL's parameters.
    """
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return url
    return url.set(database=str((folder / Path(url.database).expanduser()).resolve()))


def make_file(url: URL, mode: int | None = None) -> None:
    """Make the file of a SQLite database that is not there, so that not everybody may read it; SQLite asks no rights.

    ``mode`` by default 0640 less what the umask forbids; what SQLite keeps beside the file gets the same. What the disk
    refuses here SQLite itself will tell.
    """
    if not is_absent_file(url) or ":" in str(url.database)[:6]:
        return
    with suppress(OSError):
        descriptor = os.open(str(url.database), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)
        try:
            if mode is not None:
                os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)


def is_absent_file(url: URL) -> bool:
    """Whether the URL is of a SQLite file that is not there: to connect would make it."""
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(str(url.database)).exists()
