"""Opens a Torgsoft base for reading: every transaction of the connection is a read-only snapshot."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import fdb

from schemas.errors import SettingsError, closest
from schemas.settings.shop import SourceSettings
from sources.firebird.client import load_client
from sources.firebird.errors import explain

READ_ONLY_SNAPSHOT = bytes([fdb.isc_tpb_version3, fdb.isc_tpb_read, fdb.isc_tpb_concurrency, fdb.isc_tpb_nowait])
"""Transaction parameters: no writes at all, one moment of the base for all tables, never wait for a lock."""

STANDARD_PORT = 3050

_HOST = re.compile(r"^(?P<host>\[[^\]]+\]|[^\\/:]{2,})(?:/(?P<port>\w+))?:(?P<path>.+)$")


@dataclass(frozen=True)
class Dsn:
    """Where a base is. ``text`` is what Firebird gets and what messages show: it never holds a password."""

    text: str
    over_network: bool

    @property
    def port(self) -> int | None:
        """The server's TCP port; None for a file, and for a port with a name that this machine does not know."""
        if not self.over_network:
            return None
        url = re.match(r"^inet[46]?://(?:\[[^\]]+\]|[^/:\[]*)(?::(?P<port>\w+))?", self.text, re.IGNORECASE)
        found = url or _HOST.match(self.text)
        port = found["port"] if found else None
        if port is None or port == "gds_db":
            return STANDARD_PORT
        if port.isdigit():
            return int(port)
        with suppress(OSError):
            return socket.getservbyname(port, "tcp")
        return None


def parse_dsn(dsn: str, folder: Path) -> Dsn:
    """``host/port:path`` and ``host:path`` go over TCP; everything else is a file, relative ones below ``folder``.

    A single letter before the colon is a Windows drive: a file.
    """
    if dsn.lower().startswith(("inet://", "inet4://", "inet6://")) or _HOST.match(dsn):
        return Dsn(dsn, True)
    path = Path(dsn).expanduser()
    windows_drive = re.match(r"^[A-Za-z]:[\\/]", dsn) is not None
    return Dsn(dsn if windows_drive else str((folder / path).resolve()), False)


def password_of(settings: SourceSettings) -> str | None:
    """The password from the environment variable that ``password_env`` names; SettingsError when it is not set."""
    name = settings.password_env
    if name is None:
        return None
    if name not in os.environ:
        near = closest(name, [known for known in os.environ if "TORGSYNC" in known.upper()] or [name])
        hint = f" ({near})" if near.startswith("did") and f'"{name}"' not in near else ""
        raise SettingsError(
            f"source.password_env names {name}, which is not set{hint}", f"export {name}=… before the command"
        )
    return os.environ[name]


def open_base(dsn: Dsn, user: str, password: str | None) -> fdb.Connection:
    """An open connection; the caller closes it. Raises SourceError as ``sources.firebird.errors`` explains it."""
    load_client()
    try:
        return fdb.connect(
            dsn=dsn.text,
            user=user,
            password=password,
            charset="UTF8",
            isolation_level=READ_ONLY_SNAPSHOT,
            no_gc=True,  # the shop's base is not ours to tidy, not even its old record versions
            utf8params=True,
        )
    except fdb.Error as error:
        raise explain(error, dsn.text, "opening the base") from error


@contextmanager
def connect(
    settings: SourceSettings, folder: Path, opened: Callable[[fdb.Connection], None] | None = None
) -> Iterator[fdb.Connection]:
    """The base of a shop, open in a read-only snapshot, closed at the end whatever happens.

    ``opened`` gets the connection as soon as there is one. Text comes as UTF-8 whatever the base holds; columns of
    charset NONE must be cast to OCTETS by the reader.
    Raises SettingsError for a missing password variable, SourceError for everything that Firebird refuses.
    """
    dsn = parse_dsn(settings.dsn, folder)
    connection = open_base(dsn, settings.user, password_of(settings))
    try:
        if opened is not None:
            opened(connection)
        yield connection
    except fdb.Error as error:
        raise explain(error, dsn.text) from error
    finally:
        with suppress(fdb.Error):  # a cut connection cannot be closed politely; the error that matters is on its way
            connection.rollback()
        with suppress(fdb.Error):
            connection.close()
        # What a cut connection leaves open must not try again to close itself when Python clears it away: its error
        # would only be printed, as a traceback.
        connection._db_handle = None
