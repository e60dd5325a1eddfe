"""Names of shops and stores in ``shop.toml``, and the policy for names of sections."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.settings.base import Settings

MAX_NAME = 100
"""Characters in the columns of the state for a shop, a store, and both as SHOP/STORE."""


def _no_folder(value: str) -> str:
    if not value.strip("."):
        raise ValueError(f'"{value}" is not a name: give it a letter or a digit')
    return value


Name = Annotated[
    str,
    Field(pattern=r"^[\w.-]+$", max_length=MAX_NAME, description="letters, digits, dot, hyphen, underscore"),
    AfterValidator(_no_folder),
]
"""A name that is also valid as a folder name; ``..`` would be the folder above."""


class NamesSettings(Settings):
    """The names policy (design.md section 4): which characters are removed from the names of sections.

    A forbidden character becomes a blank; a section whose name is longer than ``max_length`` is quarantined.
    """

    forbidden: str = Field(';|="<>\\', description="removed from every name, with control characters and line breaks")
    max_length: int = Field(255, ge=1, le=500, description="longer names are quarantined")
