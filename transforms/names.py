"""The names policy of sections (design.md section 4): how names are cleaned, and which are rejected.

Torgsoft asks for names without special characters but does not say which (domain.md section 1), so this policy is ours.
"""

from __future__ import annotations

import unicodedata

from schemas.settings.names import NamesSettings

_REMOVED = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}  # control, surrogate, private, unassigned, separators
_INVISIBLE = "\u200b\u2060\ufeff\u00ad"  # zero-width blanks, BOM, soft hyphen: they make equal names look unequal


def normalize(text: str) -> str:
    """Return the name in Unicode NFC, trimmed, with single blanks, for comparisons of names."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def plain_name(text: str) -> str:
    """Return the name in one case and without blanks, for comparisons of a section's meaning."""
    return normalize(text).casefold()


def clean_name(text: str, policy: NamesSettings) -> str:
    """Clean a name by the policy; may return an empty text. Idempotent."""
    composed = unicodedata.normalize("NFC", text)
    kept = (
        " " if char in policy.forbidden or unicodedata.category(char) in _REMOVED else char
        for char in composed
        if char not in _INVISIBLE
    )
    return normalize("".join(kept))


def fault(clean: str, policy: NamesSettings) -> str | None:
    """Return the reason code why a section cannot have this cleaned name, or None."""
    if not clean:
        return "name_unusable"
    return "name_too_long" if len(clean) > policy.max_length else None
