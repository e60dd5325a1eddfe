"""Splits the bytes of a sync file into rows of texts: encoding, line ends and quotes (domain.md section 4).

Columns have no meaning here. Every value is kept exactly, with trailing blanks.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal, NamedTuple

from schemas.errors import SourceError
from schemas.settings.stores import Encoding

BOM = b"\xef\xbb\xbf"
EXPORT_AGAIN = "export the file from Torgsoft again, or correct the line in a text editor"


class Rows(NamedTuple):
    """Rows of one file: each a list of texts, with the detected encoding and sentences about unusual content."""

    rows: list[list[str]]
    encoding: Encoding
    notes: tuple[str, ...]


def read_rows(path: Path, encoding: Encoding | None = None) -> Rows:
    """Split a sync file into rows of texts, all of the same length as the first.

    Raises SourceError, naming file, line and column, for: a missing or empty file, an undecodable byte, an unclosed
    quote, an embedded line break, a text after a closing quote, a row with another number of columns.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}", "check the path and its rights") from error
    if not data.removeprefix(BOM).strip():
        raise SourceError(f"{path}: the file is empty", "export it from Torgsoft again")
    found = encoding or sniff_encoding(path, data)
    lines, notes = _lines(path, _decode(path, data, found))
    return Rows(_parse(path, lines), found, notes)


def sniff_encoding(path: Path, data: bytes) -> Encoding:
    """Detect: BOM -> utf-8-sig; valid UTF-8 with a letter beyond ASCII -> utf-8; else cp1251 (the same for pure ASCII).

    A UTF-8 file with one damaged byte must not be read as cp1251, which would damage every name. So it raises
    SourceError where most of the non-ASCII bytes are valid UTF-8.
    """
    if data.startswith(BOM):
        return "utf-8-sig"
    if data.isascii():
        return "cp1251"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8", "replace")
        beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
        if beyond_ascii > 2 * text.count("\ufffd"):
            raise _undecodable(path, data, "utf-8", error) from error
        return "cp1251"
    return "utf-8"


def _decode(path: Path, data: bytes, encoding: Encoding) -> str:
    """Decode the file; a BOM is removed in any UTF-8 encoding, so that it is never part of the first value."""
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    skipped = len(BOM) if codec == "utf-8" and data.startswith(BOM) else 0
    try:
        text = data[skipped:].decode(codec)
    except UnicodeDecodeError as error:
        raise _undecodable(path, data, encoding, error, skipped) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SourceError(f"{path}, line {line}: a NUL character: this is not a sync file", EXPORT_AGAIN)
    return text


def _undecodable(path: Path, data: bytes, encoding: str, error: UnicodeDecodeError, skipped: int = 0) -> SourceError:
    offset = error.start + skipped
    line = data.count(b"\n", 0, offset) + 1
    return SourceError(
        f"{path}, line {line}: byte 0x{data[offset]:02x} at offset {offset} is not valid {encoding}",
        "the file is damaged or has another encoding: export it again, or give --encoding",
    )


def _lines(path: Path, text: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the lines of the file without their ends. Not ``splitlines``: that also splits at U+2028 inside a name."""
    notes: list[str] = []
    end = "\r\n"
    if "\r\n" not in text and "\n" in text:
        end = "\n"
        notes.append("the lines end with only LF, not with Torgsoft's CRLF: somebody has converted the file")
    lines = text.split(end)
    if lines[-1] == "":
        lines.pop()
    elif not lines[-1].endswith('"'):
        # A number at the very end could be the first half of a longer one: an interrupted upload.
        raise SourceError(
            f"{path}, line {len(lines)}: the last line has no end: the file was cut off", "copy or export it again"
        )
    else:
        notes.append("the last line has no line end: check whether the file was cut off")
    if text.count("\n") + text.count("\r") != text.count(end) * len(end):
        for number, line in enumerate(lines, 1):
            if "\r" in line or "\n" in line:
                raise _line_break(path, number, line[: min(line.find(c) for c in "\r\n" if c in line)])
    return lines, tuple(notes)


def _parse(path: Path, lines: list[str]) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(csv.reader(lines, delimiter=";", quotechar='"', doublequote=True, strict=True))
    except csv.Error as error:
        raise _quote_fault(path, lines, str(error)) from error
    if len(rows) != len(lines):  # an open quote includes the next line
        raise _quote_fault(path, lines, "quotes do not match")
    width = len(rows[0])
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise SourceError(
                f"{path}, line {number}: wrong number of columns: {len(row)}, but line 1 has {width}", EXPORT_AGAIN
            )
    return rows


def _quote_fault(path: Path, lines: list[str], message: str) -> SourceError:
    """Return the error for the first line that is not complete."""
    for number, line in enumerate(lines, 1):
        fault, column = _scan(line)
        if fault == "open":
            # Where the lines below complete this one, the value holds a line break; else a quote is missing.
            for last in range(number + 1, min(number + 20, len(lines)) + 1):
                if _scan("\n".join(lines[number - 1 : last]))[0] == "":
                    return _line_break(path, number, line)
            return SourceError(f"{path}, line {number}, column {column}: a quote is not closed", EXPORT_AGAIN)
        if fault == "stray":
            return SourceError(f"{path}, line {number}, column {column}: text after a closing quote", EXPORT_AGAIN)
    return SourceError(f"{path}: {message}", EXPORT_AGAIN)


def _line_break(path: Path, number: int, line: str) -> SourceError:
    return SourceError(
        f"{path}, line {number}, column {_scan(line)[1]}: a line break inside a value",
        "remove the line break from the good's name or description in Torgsoft and export again",
    )


def _scan(line: str) -> tuple[Literal["", "open", "stray"], int]:
    """Return what is wrong with the quotes of a line, and the column (from 1); slow, only for error messages."""
    column, state = 1, "start"
    for character in line:
        if state == "quoted":
            state = "closed" if character == '"' else "quoted"
        elif character == ";":
            column, state = column + 1, "start"
        elif state == "closed":
            if character != '"':
                return "stray", column
            state = "quoted"
        else:
            state = "quoted" if state == "start" and character == '"' else "plain"
    return ("open" if state == "quoted" else ""), column
