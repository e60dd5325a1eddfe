"""Texts in CSV files for people: what a spreadsheet would compute stands there as a text."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"(?!-\d+(\.\d+)?\Z)'*[=+\-@\t\r]")
"""What a spreadsheet computes. A number below zero, as the key of a rejected row, is only a number."""


def for_people(text: str) -> str:
    """A text as it stands in a CSV file that a person opens: ``=1+1`` becomes ``'=1+1``, which no spreadsheet computes.

    Line breaks are all ``\\n``: of a lone ``\\r`` readers of CSV do not agree whether it ends the row.
    """
    safe = f"'{text}" if _FORMULA.match(text) else text
    return safe.replace("\r\n", "\n").replace("\r", "\n")


def from_people(cell: str) -> str:
    """The text that ``for_people`` was given, but for its line breaks."""
    return cell[1:] if cell[:1] == "'" and re.match(r"'+[=+\-@\t\n]", cell) else cell
