"""Keeps the passwords in URLs of databases out of every message."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from sqlalchemy import URL

_PARAMETER = re.compile(r"[?&][^=&?]*(?:pass|pwd|secret|token)[^=&?]*=([^&]+)", re.IGNORECASE)
_BEFORE_PASSWORD = re.compile(r"(?:pass\w*|pwd|secret|token)['\"]?\s*[=:]\s*[a-z]?['\"]?$", re.IGNORECASE)
"""What stands before a password that is told with its name: ``password=``, ``'passwd': '``, ``PWD = b"``."""


def secrets_in(url: str) -> list[str]:
    """The passwords in a URL, as they stand there and decoded, and the parts of which a driver might tell one alone.

    Of one that is written wrongly: all that stands between the first colon and the last @.
    """
    rest = url.partition("://")[2]
    found = _PARAMETER.findall(rest)
    for place in (rest.find("@"), rest.rfind("@")):
        found.append(rest[: max(place, 0)].partition(":")[2])
    found += map(unquote, found[:])
    found += [part for secret in found for part in re.split(r"[@:/?#&]", secret) if len(part) > 3]
    return [secret for secret in dict.fromkeys(found) if secret]


def public_words(url: str) -> list[str]:
    """What may be told of a URL: its user, host and database, as they stand there and decoded.

    None of a URL whose login holds a character that has to be written as %40 and the like: where its password ends is
    unknown.
    """
    rest = url.partition("://")[2]
    login, _, place = rest.rpartition("@")
    if set(login) & set("@/?#&="):
        return []
    host, _, database = place.partition("?")[0].partition("/")
    found = [login.partition(":")[0], host, host.rpartition(":")[0], database]
    return [word for word in dict.fromkeys([*found, *map(unquote, found)]) if word]


def without(text: str, secrets: Iterable[str], public: Iterable[str] = ()) -> str:
    """A text with every secret replaced by ``…``.

    Where a password equals one of the ``public`` words, such as the user's or the shop's name, that word tells nothing:
    it stays, and is replaced only where it stands as a password: ``user:…@host``, ``password=…``. To replace it
    everywhere would spoil the message, and would tell whoever knows the name what the password is. The same holds for a
    password that is a part of a public word, inside that word. One of two characters or fewer is replaced only where it
    stands as a password, since it would be found in every second word.
    """
    known = {"torgsync", *public}
    whole = [span for word in known if word for span in _spans(text, rf"(?<!\w){re.escape(word)}(?!\w)")]
    hidden = []
    for secret in {secret for secret in secrets if secret}:
        everywhere = len(secret) > 2 and secret not in known
        for start, end in _spans(text, re.escape(secret)):
            inside = any(first <= start and end <= last for first, last in whole)
            if (everywhere and not inside) or _as_password(text, start, end):
                hidden.append((start, end))
    return _blotted(text, hidden)


def _spans(text: str, pattern: str) -> list[tuple[int, int]]:
    """Where a pattern is found, also where two finds overlap."""
    return [match.span(1) for match in re.finditer(f"(?=({pattern}))", text)]


def _as_password(text: str, start: int, end: int) -> bool:
    """Whether this part of a text stands where a URL or a driver's message writes a password."""
    in_url = text[start - 1 : start] == ":" and text[end : end + 1] == "@"
    return in_url or _BEFORE_PASSWORD.search(text[max(start - 40, 0) : start]) is not None


def _blotted(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with ``…`` in place of each span; spans that touch or overlap are one."""
    out, end = "", 0
    for first, last in sorted(spans):
        if first > end or not out:
            out += text[end:first] + "…"
        end = max(end, last)
    return out + text[end:]


def own_words(error: Exception, url: URL | str = "") -> str:
    """What a database says of an error, in one line: without statement, parameters and the secrets of the URL."""
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    original = getattr(error, "orig", None) or error
    said = original.args[1] if len(original.args) > 1 and isinstance(original.args[0], int) else original
    told = str(said).strip() or type(original).__name__
    return without(told.splitlines()[0], secrets_in(text), public_words(text))
