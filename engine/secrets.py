"""The secrets that a shop's settings name: what is told anywhere is told without them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from database.scrubbing import public_words, secrets_in, without
from schemas.settings.shop import Shop


def scrubbed(shop: Shop, text: str) -> str:
    """The text without the secrets that the shop's settings name.

    Those are the values of the environment variables and the passwords in URLs. A password that equals a public word,
    such as the shop's or the user's name, is replaced only where it stands as a password.
    """
    found = list(_leaves(shop.model_dump()))
    variables = [os.environ.get(value, "") for key, value in found if key.endswith("_env")]
    urls = [value for key, value in found if key == "url"]
    secrets = [*variables, *(secret for url in (*variables, *urls) for secret in secrets_in(url))]
    return without(text, secrets, _public(found))


def _public(found: list[tuple[str, str]]) -> Iterator[str]:
    for key, value in found:
        if key in ("name", "user"):
            yield value
        elif key in ("url", "target"):
            yield from public_words(value)
        elif key == "url_env":  # other variables hold secrets as a whole, or URLs whose host is a secret
            yield from public_words(os.environ.get(value, ""))


def _leaves(settings: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in the settings with the key that holds it."""
    if isinstance(settings, dict):
        for name, value in settings.items():
            yield from _leaves(value, str(name))
    elif isinstance(settings, (list, tuple)):
        for value in settings:
            yield from _leaves(value, key)
    elif isinstance(settings, str):
        yield key, settings
