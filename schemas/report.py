"""The report of a run: the model of ``report.json``, which command line, flow and HTML page show."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal[
    "running", "ok", "guard stop", "refused", "quarantine over its limit", "some stores failed", "failed", "interrupted"
]
Purpose = Literal["sync", "plan", "apply", "resume", "retry", "rollback"]


CATALOGUE_FILES = ("categories.csv", "assignments.csv", "offers.csv", "tree.txt")
RUN_FILES = (*CATALOGUE_FILES, "quarantine.csv", "plan.json", "report.html", "report.json")
"""The output files of a run; the first four are also in ``STORE/`` for a store with its own rules."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UnmappedType(_Model):
    """A product type without a section: without a warning its goods would vanish from the store."""

    type_id: int
    path: list[str]
    goods: int = Field(description="goods directly on the type")
    decided_by: Literal["inherit", "create", "hide", "none"]
    category_number: int | None
    category_path: list[str] | None


class RuleResult(_Model):
    """The result of one merge rule."""

    rule: int
    line: int
    reason: str
    matched: int
    decided: int
    shadowed_by: list[int]
    store: str = Field("", description="the store, for a rule that is only for some (only_store)")


class NumberNote(_Model):
    """A section number with another meaning than in the last run."""

    number: int
    kind: Literal["renamed", "moved", "number_reused"]
    before: str
    after: str


class OwnCatalogue(_Model):
    """A store's own catalogue, beside the shop-wide one; ``catalogue`` is its fingerprint in the history."""

    catalogue: str
    categories: int
    goods_hidden: int


class RefusedRow(_Model):
    """A row that one store does not hold: the store stays without it, or as it was, and every other row is loaded.

    ``reason`` is the database's own word, without the row's values. It is tried again every night.
    """

    entity: str
    key: int | str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.entity} {self.key} «{self.name}»: {self.reason}"


class StoreResult(_Model):
    """The result of one store: finished operations by entity and kind, such as ``offer hide``."""

    name: str
    kind: str
    outcome: Literal["ok", "failed", "not reached"] = "ok"
    message: str = ""
    operations: dict[str, int] = Field(default_factory=dict, description="operations done, by entity and kind")
    lines: int = Field(0, description="feeds only: goods in the file")
    published: bool | None = Field(None, description="feeds only: false when the file already had this content")
    files: dict[str, str] = Field(default_factory=dict, description="feeds only: SHA-256 of each file")
    notes: list[str] = Field(default_factory=list)
    refused: list[RefusedRow] = Field(default_factory=list, description="rows that cost themselves, not the store")

    @property
    def written(self) -> int:
        """Return the number of finished operations."""
        return sum(self.operations.values())


class RunReport(_Model):
    """One run of one shop. Counts are rows; ``next_step`` says what to do when the outcome is not ok."""

    run: str
    shop: str
    purpose: Purpose = "sync"
    continues: str = Field("", description="the run that a resume or retry continues, or that a rollback restores")
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
    guard_notes: list[str] = Field(default_factory=list, description="what guards found that stopped nothing")
    degraded: list[str] = Field(default_factory=list, description="what to look at although the stores were loaded")
    baseline: dict[str, int] = Field(default_factory=dict, description="counts from which the next runs measure growth")
    allowed: dict[str, int] = Field(default_factory=dict, description="guards that --allow raised: measured rows")
    plan: dict[str, dict[str, int]] = Field(default_factory=dict, description="planned operations by store and kind")
    only: list[str] = Field(default_factory=list, description="the stores that the run was for; empty: all of the shop")
    stores: list[StoreResult] = Field(default_factory=list)
    gaps: dict[str, dict[str, str]] = Field(default_factory=dict, description="what each store cannot do, and why")
    own_catalogues: dict[str, OwnCatalogue] = Field(default_factory=dict, description="stores with their own rules")
    outputs: list[str] = Field(default_factory=list)
    seconds: dict[str, float] = Field(default_factory=dict)
