"""Numbers that settings and plans need: the greatest section number, and a decimal as text. Loads no pandas."""

from __future__ import annotations

from decimal import Decimal

MAX_NUMBER = 2_147_483_647
"""Greatest section number: OpenCart's category_id is a signed 32-bit integer (stores-facts.md section 1.1)."""


def format_decimal(value: Decimal) -> str:
    """Return ``200`` or ``211.2``: no exponent, no trailing zeros."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
