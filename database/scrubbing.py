"""Keeps the passwords in URLs of databases out of every message."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from sqlalchemy import URL

_PARAMETER = re.compile(r"[?&][^=&?]*(?:pass|pwd|secret|token)[^=&?]*=([^&]+)", re.IGNORECASE)


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


def without(text: str, secrets: Iterable[str]) -> str:
    """A text with every secret blotted out, the longest first."""
    for secret in sorted({s for s in secrets if len(s) > 2}, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def own_words(error: Exception, url: URL | str = "") -> str:
    """What a database says of an error, in one line: without statement, parameters and the secrets of the URL."""
    secrets = secrets_in(url if isinstance(url, str) else url.render_as_string(hide_password=False))
    original = getattr(error, "orig", None) or error
    said = original.args[1] if len(original.args) > 1 and isinstance(original.args[0], int) else original
    told = str(said).strip() or type(original).__name__
    return without(told.splitlines()[0], secrets)
