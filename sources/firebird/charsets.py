"""Firebird's charset names and Python's codecs for them."""

from __future__ import annotations

import codecs

from schemas.errors import SettingsError, closest

CODECS = {
    "WIN1250": "cp1250",
    "WIN1251": "cp1251",
    "WIN1252": "cp1252",
    "WIN1253": "cp1253",
    "WIN1254": "cp1254",
    "WIN1257": "cp1257",
    "DOS866": "cp866",
    "DOS437": "cp437",
    "KOI8U": "koi8-u",
    "KOI8R": "koi8-r",
    "ISO8859_1": "iso8859-1",
    "ISO8859_5": "iso8859-5",
    "UTF8": "utf-8",
    "UNICODE_FSS": "utf-8",
    "ASCII": "ascii",
}
"""Python's codec of a Firebird charset."""


def python_codec(charset: str) -> str:
    """Python's codec for a charset in Firebird's spelling or Python's. Raises SettingsError with the closest name."""
    known = CODECS.get(charset.upper())
    if known:
        return known
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        name = ""
    if name in {codecs.lookup(codec).name for codec in CODECS.values()}:
        return name
    raise SettingsError(
        f'unknown charset "{charset}": {closest(charset.upper(), list(CODECS))}', "set charset in shop.toml"
    )
