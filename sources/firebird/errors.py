"""Turns Firebird's error codes into sentences with a next step; each was provoked for real in the tests.

The numbers are Firebird's ``isc_*`` codes, the same in all versions (``iberror.h``). fdb hands them over as the third
argument of its exceptions.
"""

from __future__ import annotations

import fdb

from schemas.command import COMMAND
from schemas.errors import SourceError, TorgsyncError

LOGIN = 335544472
NO_PERMISSION = 335544352
IO_ERROR = 335544344
NOT_A_BASE = 335544323
WRONG_ODS = 335544379
NETWORK = 335544721
REJECTED = 335544421
RESTRICTED = 335544831
READ_ONLY = 335544361
TRANSLITERATION = (335544565, 335544849)
CUT = (335544726, 335544727, 335544741, 335544856, 335545215)
SHUTDOWN = (335544528, 335544857)


def explain(error: Exception, place: str, doing: str = "") -> TorgsyncError:
    """The SourceError for what fdb raised.

    ``place`` is the dsn without secrets; ``doing`` says what was going on ("reading table GOODS"). An error that is not
    known keeps Firebird's own words.
    """
    if isinstance(error, TorgsyncError):
        return error
    text = _plain(error)
    code = error.args[2] if isinstance(error, fdb.Error) and len(error.args) > 2 else 0
    during = f" while {doing}" if doing else ""
    known = _connecting(code, text, place) or _reading(code, text, place, during)
    return known or SourceError(f"{place}: Firebird refused{during}: {text}")


def _connecting(code: int, text: str, place: str) -> SourceError | None:
    """Errors of opening a base."""
    if code == LOGIN:
        return SourceError(
            f"{place}: wrong user or password",
            "check user in shop.toml and the environment variable that password_env names",
        )
    if code == NETWORK:
        if "locate host" in text:
            return SourceError(f"{place}: no such host in the network", "check the host in dsn")
        return SourceError(
            f"{place}: nobody listens there",
            "check host and port in dsn, and that the Firebird server runs (port 3050)",
        )
    if code == REJECTED:
        return SourceError(f"{place}: what listens there is not a Firebird server", "check the port in dsn")
    if code == RESTRICTED:
        return SourceError(
            f"{place}: the server's configuration does not allow this base",
            "ask for the path or alias that its DatabaseAccess and databases.conf allow",
        )
    if code == WRONG_ODS:
        found = text.partition("found ")[2].partition(",")[0] or "another version"
        return SourceError(
            f"{place}: the file is of on-disk structure {found}, which the built-in engine (Firebird 5) cannot open",
            'use the shop\'s own Firebird server: dsn = "host/port:path"',
        )
    if code == NOT_A_BASE:
        return SourceError(f"{place}: the file is not a Firebird base", "check dsn: it must name the .fdb file itself")
    return _file(text, place) if code == IO_ERROR else None


def _file(text: str, place: str) -> SourceError:
    """Errors of the file itself; Firebird has one code for all of them and tells them apart in words only."""
    if "No such file" in text or "cannot find the" in text:
        return SourceError(
            f"{place}: there is no such base", "check dsn; a relative path is relative to the folder of shop.toml"
        )
    if "Permission denied" in text or "Access is denied" in text:
        return SourceError(
            f"{place}: the file may not be opened by this user",
            "give this user read and write rights (the engine writes its page headers), or use a server",
        )
    if "already opened" in text or '"lock"' in text or "used by another process" in text:
        return SourceError(
            f"{place}: another process has the base open",
            'wait until it is done, or read through the server: dsn = "host/port:path"',
        )
    if "less than expected" in text or "Is a directory" in text or "end of file" in text:
        return SourceError(
            f"{place}: not a Firebird base, or a cut one", "check dsn, or copy the file again while nobody uses it"
        )
    return SourceError(f"{place}: the base cannot be read: {text}")


def _reading(code: int, text: str, place: str, during: str) -> SourceError | None:
    """Errors of reading an open base."""
    if code in CUT or "onnection lost" in text or "connection shutdown" in text:
        return SourceError(
            f"{place}: the connection was cut{during}; what was read is thrown away", "run the same command again"
        )
    if code in SHUTDOWN:
        return SourceError(f"{place}: the base is shut down for maintenance{during}", "run again when it is online")
    if code == NO_PERMISSION:
        return SourceError(
            f"{place}: the user may not read{during}: {text}", "grant it: GRANT SELECT ON <table> TO <user>"
        )
    if code in TRANSLITERATION:
        return SourceError(
            f"{place}: a text column holds bytes that its own charset does not know{during}: {text}",
            f"mend the text in Torgsoft; `{COMMAND} inspect` shows the charset of each column",
        )
    if code == READ_ONLY:
        return SourceError(f"{place}: a write was tried{during}; the base is only ever read: a defect of torgsync")
    return None


def _plain(error: Exception) -> str:
    """Firebird's own words in one line, without fdb's preamble and SQLCODE."""
    lines = str(error.args[0] if error.args else error).splitlines()
    words = [line.removeprefix("- ") for line in lines if line.startswith("- ") and "SQLCODE" not in line]
    return "; ".join(words or lines)
