"""What a chain of shops tells: how each shop's night ended, and how they all ended."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ChainOutcome = Literal[
    "ok", "busy", "refused", "quarantine over its limit", "guard stop", "some stores failed", "wrong settings",
    "failed", "crashed", "interrupted", "not started",
]  # fmt: skip
"""How a shop's night ended. ``crashed``: its process or its Dask worker died without a word."""

WORST_LAST: tuple[int, ...] = (0, 6, 5, 3, 4, 2, 1, 130, 143)
"""Exit codes by how much a person has to do about them; a chain ends with the worst of its shops'."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ShopResult(_Model):
    """One shop of a chain. ``did`` says in one line what it did or what stopped it."""

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
    """One night of a chain, its shops in the order in which they were asked for."""

    started_at: str
    seconds: float = Field(0.0, description="from the first shop's start to the last one's end")
    runner: str = Field(description="where the shops ran, as in «2 at a time on this machine»")
    shops: list[ShopResult]

    @property
    def exit_code(self) -> int:
        """The worst of the shops' exit codes; one that is not known here counts as an error."""
        codes = [shop.exit_code if shop.exit_code in WORST_LAST else 1 for shop in self.shops]
        return max(codes, key=WORST_LAST.index, default=0)

    @property
    def sentence(self) -> str:
        """``8 shops: 6 ok, 1 guard stop, 1 failed``."""
        outcomes = [shop.outcome for shop in self.shops]
        told = [f"{outcomes.count(outcome)} {outcome}" for outcome in ChainOutcome.__args__ if outcome in outcomes]  # type: ignore[attr-defined]
        return f"{len(outcomes)} {'shop' if len(outcomes) == 1 else 'shops'}: {', '.join(told) or 'nothing to do'}"
