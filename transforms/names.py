"""The names policy of sections (design.md section 4): what is mended, what cannot be.

Torgsoft wants names without special characters; which ones is unknown (domain.md section 1), so the policy is ours.
"""

from __future__ import annotations

import unicodedata

from schemas.settings.names import NamesSettings

_REMOVED = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}  # control, surrogate, private, unassigned, separators
_INVISIBLE = "\u200b\u2060\ufeff\u00ad"  # zero-width blanks, BOM, soft hyphen: they make equal names look unequal


def normalize(text: str) -> str:
    """The name in Unicode NFC, trimmed, with inner blanks collapsed: how names are compared."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def plain_name(text: str) -> str:
    """The name without regard to upper and lower case and to blanks: how a section's meaning is compared."""
    return normalize(text).casefold()


def clean_name(text: str, policy: NamesSettings) -> str:
    """The name by the policy; may be empty when nothing usable is left. Idempotent."""
    composed = unicodedata.normalize("NFC", text)
    kept = (
        " " if char in policy.forbidden or unicodedata.category(char) in _REMOVED else char
        for char in composed
        if char not in _INVISIBLE
    )
    return normalize("".join(kept))


def fault(clean: str, policy: NamesSettings) -> str | None:
    """The reason code why a cleaned name cannot name a section, or None."""
    if not clean:
        return "name_unusable"
    return "name_too_long" if len(clean) > policy.max_length else None
