"""What a run tells: the model of ``report.json``, which the command line, the flow and the HTML report all show."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal["running", "ok", "guard stop", "quarantine over its limit", "some stores failed", "failed"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UnmappedType(_Model):
    """A product type without a section of its own: its goods would vanish from the store, silently."""

    type_id: int
    path: list[str]
    goods: int = Field(description="goods directly on the type")
    decided_by: Literal["inherit", "create", "hide", "none"]
    category_number: int | None
    category_path: list[str] | None


class RuleResult(_Model):
    """What one merge rule did."""

    rule: int
    line: int
    reason: str
    matched: int
    decided: int
    shadowed_by: list[int]


class NumberNote(_Model):
    """A section number that means something else than in the last run."""

    number: int
    kind: Literal["renamed", "moved", "number_reused"]
    before: str
    after: str


class StoreResult(_Model):
    """What was written to one store: rows (or lines of a file) by what happened to them."""

    name: str
    kind: str
    outcome: Literal["ok", "failed", "not reached"] = "ok"
    message: str = ""
    categories_created: int = 0
    categories_updated: int = 0
    categories_hidden: int = 0
    offers_created: int = 0
    offers_updated: int = 0
    offers_hidden: int = 0
    lines: int = Field(0, description="feeds only: goods in the file")
    published: bool | None = Field(None, description="feeds only: false when the file already had this content")
    notes: list[str] = Field(default_factory=list)

    @property
    def written(self) -> int:
        """Rows written to the store."""
        return sum(value for key, value in self.model_dump().items() if key.startswith(("categories_", "offers_")))


class RunReport(_Model):
    """One run of one shop. Counts are rows; ``next_step`` says what to do when the outcome is not ok."""

    run: str
    shop: str
    started_at: str
    finished_at: str = ""
    outcome: Outcome = "running"
    exit_code: int = 0
    message: str = ""
    next_step: str = ""
    source: dict[str, str] = Field(default_factory=dict)
    counts: dict[str, int] = Field(default_factory=dict)
    quarantine: dict[str, int] = Field(default_factory=dict, description="rejected rows by reason")
    unmapped_types: list[UnmappedType] = Field(default_factory=list)
    rules: list[RuleResult] = Field(default_factory=list)
    number_changes: list[NumberNote] = Field(default_factory=list)
    name_changes: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    stores: list[StoreResult] = Field(default_factory=list)
    outputs: list[str] = Field(default_factory=list)
    seconds: dict[str, float] = Field(default_factory=dict)
