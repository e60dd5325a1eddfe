"""The report of a chain: the outcome of each shop, and of all together."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ChainOutcome = Literal[
    "ok", "busy", "refused", "quarantine over its limit", "guard stop", "some stores failed", "wrong settings",
    "failed", "crashed", "interrupted", "not started",
]  # fmt: skip
"""How a shop's night ended. ``crashed``: its process or Dask worker died without a result."""

WORST_LAST: tuple[int, ...] = (0, 6, 5, 3, 4, 2, 1, 130, 143)
"""Exit codes, the worst last. A chain ends with the worst code of its shops."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ShopResult(_Model):
    """One shop of a chain. ``did``: what it did or what stopped it, in one line."""

    shop: str
    folder: str
    outcome: ChainOutcome
    exit_code: int = 0
    run: str = Field("", description="empty: the shop's run never began")
    did: str = ""
    next_step: str = ""
    goods: int | None = Field(None, description="goods loaded; empty: the run did not come so far")
    written: int = Field(0, description="operations done in all stores")
    seconds: float = 0.0


class ChainReport(_Model):
    """One night of a chain, its shops in the order of the command."""

    started_at: str
    seconds: float = Field(0.0, description="from the first shop's start to the last one's end")
    runner: str = Field(description="where the shops ran, as in «2 at a time on this machine»")
    shops: list[ShopResult]

    @property
    def exit_code(self) -> int:
        """Return the worst exit code of the shops; an unknown one counts as an error."""
        codes = [shop.exit_code if shop.exit_code in WORST_LAST else 1 for shop in self.shops]
        return max(codes, key=WORST_LAST.index, default=0)

    @property
    def sentence(self) -> str:
        """Return ``8 shops: 6 ok, 1 guard stop, 1 failed``."""
        outcomes = [shop.outcome for shop in self.shops]
        counted = [f"{outcomes.count(outcome)} {outcome}" for outcome in ChainOutcome.__args__ if outcome in outcomes]  # type: ignore[attr-defined]
        return f"{len(outcomes)} {'shop' if len(outcomes) == 1 else 'shops'}: {', '.join(counted) or 'nothing to do'}"
