"""Keys of artifacts in Prefect: the same key in every run, so that a table's history stays together."""

from __future__ import annotations

import re
from hashlib import sha256


def artifact_key(shop: str, what: str) -> str:
    """``household-plan``. Prefect takes small Latin letters, digits and hyphens; a hash keeps other names apart."""
    plain = re.sub(r"[^a-z0-9-]+", "-", shop.lower()).strip("-")
    if plain != shop:
        plain = f"{plain}-{sha256(shop.encode()).hexdigest()[:6]}".strip("-")
    return f"{plain}-{what}"
