"""Metadata of a base, and a first guess of its schema map."""

from __future__ import annotations

from typing import Any

from schemas.errors import TorgsyncError
from schemas.settings.shop import SourceSettings
from sources.firebird.inspect import inspect_base, propose_map, to_toml


def describe_base(source: SourceSettings) -> dict[str, Any]:
    """Return tables, columns and row counts of ``inspect_base``, and ``proposed_map``: text to paste into shop.toml.

    Where no map can be guessed, the text is a comment with the reason. Raises SourceError for an unreadable base.
    """
    info = inspect_base(source)
    try:
        proposed = to_toml(propose_map(info))
    except TorgsyncError as error:
        proposed = f"# no map could be guessed: {error.message}"
    return {**info, "proposed_map": proposed}
