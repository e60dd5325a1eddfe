"""The secrets that a shop's settings name: what is told anywhere is told without them."""

from __future__ import annotations

import os

from database.scrubbing import secrets_in
from schemas.settings.shop import Shop


def secrets_of(shop: Shop) -> list[str]:
    """The values of all environment variables that the settings name, and the passwords in whatever is a URL."""
    return _secrets(shop.model_dump())


def _secrets(settings: object) -> list[str]:
    found: list[str] = []
    if isinstance(settings, dict):
        for key, value in settings.items():
            if str(key).endswith("_env") and isinstance(value, str):
                secret = os.environ.get(value, "")
                found += [secret, *secrets_in(secret)]
            elif key == "url" and isinstance(value, str):
                found += secrets_in(value)
            else:
                found += _secrets(value)
    elif isinstance(settings, (list, tuple)):
        for item in settings:
            found += _secrets(item)
    return found
