"""Keys of artifacts in Prefect. Every run uses the same key, so that Prefect shows the history of a table."""

from __future__ import annotations

import re
from hashlib import sha256


def artifact_key(shop: str, what: str) -> str:
    """Return the key, such as ``household-plan``.

    Prefect takes small Latin letters, digits and hyphens. A name with other characters also gets a hash.
    """
    plain = re.sub(r"[^a-z0-9-]+", "-", shop.lower()).strip("-")
    if plain != shop:
        plain = f"{plain}-{sha256(shop.encode()).hexdigest()[:6]}".strip("-")
    return f"{plain}-{what}"
