"""Texts of the base: bytes of charset NONE are decoded, and what was lost on the way is noticed.

A text that cannot be decoded costs its row, not the night: it is handed on with a mark that the validation finds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import SourceError
from schemas.unreadable import mark
from sources.firebird.catalog import BaseColumn
from sources.firebird.charsets import python_codec

_MULTI_BYTE = ("utf-8",)
_ENOUGH_TO_JUDGE = 3
_SHOWN = 5
_LOST = ("\0", "\ufffd")
"""What stands where Firebird, or whoever wrote the text, found no letter for a byte: NUL for byte 0x98 of WIN1251."""
_LOST_IN_A_WORD = re.compile(r"[^\W\d_]\?[^\W\d_]")
"""A question mark between two letters: what many programs put for a letter that their charset does not have."""


@dataclass
class TextReader:
    """Decodes bytes of charset NONE, and notices when all of them look like UTF-8 although another charset was named.

    One reader serves the whole extract: few columns hold enough text to judge alone.
    """

    charset: str
    place: str
    codec: str = field(init=False)
    non_ascii: int = 0
    could_be_utf8: bool = True
    unreadable: list[tuple[str, bytes]] = field(default_factory=list)
    lost: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.codec = python_codec(self.charset)

    def decode(self, raw: bytes, where: str) -> str:
        """The text of the bytes; where they are none of the charset, with a mark in the place of each such byte."""
        if raw.isascii():
            return raw.decode("ascii")
        self.non_ascii += 1
        if self.could_be_utf8 and self.codec not in _MULTI_BYTE:
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                self.could_be_utf8 = False
        try:
            return raw.decode(self.codec)
        except UnicodeDecodeError:
            self.unreadable.append((where, raw))
            return mark(raw, self.codec)

    def judge(self) -> None:
        """To be called after the last row: raise SourceError where ``charset`` is the wrong one for all texts.

        That is: at least three non-ASCII texts were read and every one is valid UTF-8 although the charset is another,
        or at least three, and more than half, are none of the charset.
        """
        if self.codec not in _MULTI_BYTE and self.could_be_utf8 and self.non_ascii >= _ENOUGH_TO_JUDGE:
            raise SourceError(
                f"{self.place}: all {self.non_ascii} non-ASCII texts of charset NONE look like UTF-8, "
                f'but charset is "{self.charset}"',
                'set charset = "UTF8" in shop.toml, [source]',
            )
        if len(self.unreadable) >= _ENOUGH_TO_JUDGE and 2 * len(self.unreadable) > self.non_ascii:
            where, raw = self.unreadable[0]
            shown = raw[:40].hex(" ") + (" …" if len(raw) > 40 else "")
            other = "WIN1251" if self.codec in _MULTI_BYTE else "UTF8"
            raise SourceError(
                f"{self.place}: {len(self.unreadable)} of {self.non_ascii} non-ASCII texts are bytes that are not "
                f"{self.charset}, the first in {where}: {shown}",
                f"set charset in shop.toml to the base's real one, perhaps {other}",
            )

    def look_for_losses(self, values: Sequence[Any], keys: Sequence[Any], table: str, column: BaseColumn) -> None:
        """Remember the rows whose text has lost a character before we could read it."""
        texts = [value for value in values if isinstance(value, str)]
        whole = "\n".join(texts)
        signs = [sign for sign in _LOST if sign in whole]
        if not signs and not ("?" in whole and _LOST_IN_A_WORD.search(whole)):
            return
        for value, key in zip(values, keys, strict=True):
            if not isinstance(value, str):
                continue
            found = any(sign in value for sign in signs)
            if found or ("://" not in value and _LOST_IN_A_WORD.search(value)):
                what = "" if found else "?"
                self.lost.setdefault((table, column.name, what), []).append(str(key))

    def notes(self) -> tuple[str, ...]:
        """Sentences for the report: which rows have a text that lost a character."""
        return tuple(
            f"table {table}, column {column}: {_texts(len(keys))} lost a character"
            + (" (a ? between two letters)" if what else " that the column's charset does not know")
            + f", key {', '.join(keys[:_SHOWN])}{' …' if len(keys) > _SHOWN else ''}; mend the text in Torgsoft"
            for (table, column, what), keys in sorted(self.lost.items())
        )


def _texts(count: int) -> str:
    return "1 text" if count == 1 else f"{count} texts"
