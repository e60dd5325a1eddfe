"""Names of shops and stores, as ``shop.toml`` gives them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

MAX_NAME = 100
"""What the state's columns hold of a shop's or a store's name, and of both together as SHOP/STORE."""

Name = Annotated[
    str,
    Field(pattern=r"^[\w.-]+$", max_length=MAX_NAME, description="letters, digits, dot, hyphen, underscore"),
]
