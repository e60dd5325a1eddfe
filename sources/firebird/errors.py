"""Turns Firebird's error codes into sentences with a next step; each was provoked for real in the tests.

The numbers are Firebird's ``isc_*`` codes, the same in all versions and languages (``iberror.h``). Words are looked at
only where a server hands over its operating system's error as a text.
"""

from __future__ import annotations

import errno

import fdb

from schemas.command import COMMAND
from schemas.errors import SourceError, SourceUnreachable, TorgsyncError
from sources.firebird.status import Status, status_of

LOGIN = 335544472
LOGIN_FAULT = 335545106
"""The login broke off: client and server share no login method, or the server's own list of users has a fault."""
WIRE_DIFFERS = 335545064
WIRE_NEEDED = 335545065
NO_PERMISSION = 335544352
IO_ERROR = 335544344
OPEN_FAILED = (335544733, 335544734)
FILE_TOO_SHORT = 335545273
OPEN_ELSEWHERE = 335545107
NOT_A_BASE = 335544323
WRONG_ODS = 335544379
NETWORK = 335544721
NO_HOST = (335544704, 335544706)
REJECTED = 335544421
RESTRICTED = 335544831
READ_ONLY = 335544361
TRANSLITERATION = (335544565, 335544849)
CUT = (335544726, 335544727, 335544741, 335544856, 335545215)
SHUTDOWN = (335544528, 335544857)

# A server before version 5, and one on Windows, tells its operating system's error in that system's language.
_WORDS_ABSENT = ("No such file", "cannot find the", "Не удается найти", "Не удаётся найти", "Не вдається знайти")
_WORDS_DENIED = ("Permission denied", "Access is denied", "Отказано в доступе", "Відмовлено в доступі")
_WORDS_SHORT = ("less than expected", "Is a directory")
_WORDS_HELD = ("used by another process", "занят другим процессом", "використовується іншим процесом")
_WINDOWS_ABSENT, _WINDOWS_DENIED, _WINDOWS_HELD = (2, 3), (5,), (32, 33)


def explain(error: Exception, place: str, doing: str = "") -> TorgsyncError:
    """The SourceError for what fdb raised; SourceUnreachable for what may pass when it is tried again.

    ``place`` is the dsn without secrets; ``doing`` says what was going on ("reading table GOODS"). An error that is not
    known keeps Firebird's own words.
    """
    if isinstance(error, TorgsyncError):
        return error
    text, status = _plain(error), status_of(error)
    during = f" while {doing}" if doing else ""
    known = (
        _network(status, place, during)
        or _login(status, place)
        or _connecting(status, text, place)
        or _reading(status, text, place, during)
    )
    return known or SourceError(f"{place}: Firebird refused{during}: {text}")


def _network(status: Status, place: str, during: str) -> SourceError | None:
    """Errors of the connection, which may pass."""
    if status.has(*NO_HOST):
        return SourceUnreachable(f"{place}: no such host in the network", "check the host in dsn")
    if status.has(*CUT):
        return SourceUnreachable(
            f"{place}: the connection was cut{during}; what was read is thrown away", "run the same command again"
        )
    if status.first == NETWORK:
        return SourceUnreachable(
            f"{place}: nobody listens there",
            "check host and port in dsn, and that the Firebird server runs (port 3050)",
        )
    return None


def _login(status: Status, place: str) -> SourceError | None:
    """Errors of the handshake: who we are, how it is proved, how the line is encrypted."""
    if status.has(LOGIN):
        return SourceError(
            f"{place}: wrong user or password",
            "check user in shop.toml and the environment variable that password_env names; if they are right, the user"
            " was made for a login method that the server does not take: see AuthServer and UserManager in its"
            " firebird.conf",
        )
    if status.has(WIRE_NEEDED):
        return SourceError(
            f"{place}: the server demands an encrypted connection, and the login method of this user gives none",
            "make the user anew with an Srp login (CREATE USER … USING PLUGIN Srp; AuthServer = Srp), or set"
            " WireCrypt = Enabled in the server's firebird.conf",
        )
    if status.has(WIRE_DIFFERS):
        return SourceError(
            f"{place}: one side demands an encrypted connection, the other does not allow it",
            "set WireCrypt = Enabled in the server's firebird.conf",
        )
    if status.has(LOGIN_FAULT):
        return SourceError(
            f"{place}: the server broke off the login: server and client have no login method in common, or the"
            " server's list of users has a fault",
            "set AuthServer = Srp, Legacy_Auth in the server's firebird.conf (we offer AuthClient = Srp256, Srp,"
            " Legacy_Auth); its firebird.log has the details",
        )
    return None


def _connecting(status: Status, text: str, place: str) -> SourceError | None:
    """Errors of opening a base."""
    if status.has(REJECTED):
        return SourceError(f"{place}: what listens there is not a Firebird server", "check the port in dsn")
    if status.has(RESTRICTED):
        return SourceError(
            f"{place}: the server's configuration does not allow this base",
            "ask for the path or alias that its DatabaseAccess and databases.conf allow",
        )
    if status.has(WRONG_ODS):
        numbers = [str(part) for part in status.parts if isinstance(part, int)]
        found = ".".join(numbers[:2]) or "another version"
        return SourceError(
            f"{place}: the file is of on-disk structure {found}, which the built-in engine (Firebird 5) cannot open",
            'use the shop\'s own Firebird server: dsn = "host/port:path"',
        )
    if status.has(NOT_A_BASE):
        return SourceError(f"{place}: the file is not a Firebird base", "check dsn: it must name the .fdb file itself")
    if status.has(NO_PERMISSION) and "read-write" in status.parts:
        return SourceError(
            f"{place}: the file, or its disk, is read-only for the program that opens it; Firebird also writes while"
            " it reads (its own pages, no data of Torgsoft)",
            "give this user, or the server's user, the right to write the file; or make a copy of it in a folder of"
            " that user, or mark a copy as read-only: gfix -mode read_only COPY.fdb",
        )
    return _file(status, text, place) if status.first == IO_ERROR else None


def _file(status: Status, text: str, place: str) -> SourceError:
    """Errors of the file itself: by number of the operating system, by its words where only they came."""

    def is_any(unix: tuple[int, ...], windows: tuple[int, ...], words: tuple[str, ...]) -> bool:
        told = [text, *(part for part in status.parts if isinstance(part, str))]
        numbers = not {*unix}.isdisjoint(status.unix) or not {*windows}.isdisjoint(status.windows)
        return numbers or any(word in each for word in words for each in told)

    if is_any((errno.ENOENT, errno.ENOTDIR), _WINDOWS_ABSENT, _WORDS_ABSENT):
        return SourceError(
            f"{place}: there is no such base", "check dsn; a relative path is relative to the folder of shop.toml"
        )
    if status.has(OPEN_ELSEWHERE) or "lock" in status.parts or is_any((), _WINDOWS_HELD, _WORDS_HELD):
        return SourceError(
            f"{place}: another process has the base open",
            'wait until it is done, or read through the server: dsn = "host/port:path"',
        )
    if is_any((errno.EACCES, errno.EPERM), _WINDOWS_DENIED, _WORDS_DENIED):
        return SourceError(
            f"{place}: the file may not be opened by this user",
            "give this user read and write rights (the engine writes its page headers), or use a server",
        )
    if status.has(FILE_TOO_SHORT) or is_any((errno.EISDIR,), (), _WORDS_SHORT):
        return SourceError(
            f"{place}: not a Firebird base, or a cut one", "check dsn, or copy the file again while nobody uses it"
        )
    if status.has(*OPEN_FAILED):
        return SourceError(
            f"{place}: the file of the base could not be opened: {text}",
            "check the path in dsn; the program that opens it needs the file and the rights to read and write it",
        )
    return SourceError(f"{place}: the base cannot be read: {text}", "copy the file again while nobody uses it")


def _reading(status: Status, text: str, place: str, during: str) -> SourceError | None:
    """Errors of reading an open base."""
    if status.has(*SHUTDOWN):
        return SourceError(f"{place}: the base is shut down for maintenance{during}", "run again when it is online")
    if status.has(NO_PERMISSION):
        return SourceError(
            f"{place}: the user may not read{during}: {text}", "grant it: GRANT SELECT ON <table> TO <user>"
        )
    if status.has(*TRANSLITERATION):
        return SourceError(
            f"{place}: a text column holds bytes that its own charset does not know{during}: {text}",
            f"mend the text in Torgsoft; `{COMMAND} inspect` shows the charset of each column",
        )
    if status.has(READ_ONLY):
        return SourceError(f"{place}: a write was tried{during}; the base is only ever read: a defect of torgsync")
    return None


def _plain(error: Exception) -> str:
    """Firebird's own words in one line, without fdb's preamble and SQLCODE."""
    lines = str(error.args[0] if isinstance(error, fdb.Error) and error.args else error).splitlines()
    words = [line.removeprefix("- ") for line in lines if line.startswith("- ") and "SQLCODE" not in line]
    return "; ".join(words or lines)
