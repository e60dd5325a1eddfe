"""URLs of databases: read in one place, so that one with a mistake in it is refused without telling its password."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from schemas.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import URL

_FORM = "DRIVER://USER:PASSWORD@HOST:PORT/DATABASE"
_PARAMETER = re.compile(r"[?&][^=&?]*(?:pass|pwd|secret|token)[^=&?]*=([^&]+)", re.IGNORECASE)


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
