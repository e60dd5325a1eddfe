"""Limits of guards in rows, computed exactly: 0.29 of 100 rows are 29."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from types import MappingProxyType

from schemas.guards import FEW, GUARD_SETTINGS

HALF = Fraction(1, 2)


@dataclass(frozen=True, init=False)
class Limits:
    """The values of ``[guards]`` by their keys; what is not given has its default (``schemas.guards``)."""

    values: Mapping[str, float | int | None]

    def __init__(self, **values: float | int | None) -> None:
        """Raise TypeError for a key that ``[guards]`` has not."""
        if unknown := set(values) - set(GUARD_SETTINGS):
            raise TypeError(f"no setting of guards: {', '.join(sorted(unknown))}")
        every = {key: setting.default for key, setting in GUARD_SETTINGS.items()} | values
        object.__setattr__(self, "values", MappingProxyType(every))

    def share(self, key: str) -> Fraction:
        """A share, or a factor, as the number that stands in shop.toml."""
        return exact(self.values[key] or 0)

    def count(self, key: str) -> int | None:
        """A count of rows; None where none is set."""
        value = self.values[key]
        return None if value is None else int(value)


def exact(share: float | int) -> Fraction:
    """The decimal number that was written, not the binary one next to it: 0.29 is 29/100."""
    return Fraction(str(share))


def part(share: float | int | Fraction, size: int) -> int:
    """A share of rows, rounded down."""
    return floor((share if isinstance(share, Fraction) else exact(share)) * size)


def below_half(size: int) -> int:
    """The greatest count of rows that is less than half of them."""
    return max(0, (size - 1) // 2)


def rows_allowed(share: Fraction, size: int, *, few: int = FEW, one: bool = False, sparse: bool = False) -> int:
    """How many of ``size`` rows may pass.

    A share of 0 lets none pass. Else ``few`` rows pass whatever the share is, yet never half of the rows, unless the
    shop itself set a share above one half. ``one``: a single row always passes, as it is one person's edit.
    ``sparse``: the rows are a small part of the shop's, so ``few`` of them prove nothing, as long as they are not all.
    """
    if not share:
        return 0
    if share > HALF:
        limit = max(part(share, size), min(few, below_half(size)))
    elif sparse:
        limit = min(max(few, part(share, size)), size - 1)
    else:
        limit = min(max(few, part(share, size)), below_half(size))
    return max(limit, 1 if one else 0)
