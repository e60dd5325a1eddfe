"""Whom to tell when a night needs a person: the table ``[alerts]`` of ``shop.toml``."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, get_args

from pydantic import Field

from schemas.settings.base import Settings

AlertKind = Literal[
    "failed", "guard stop", "asked", "refused", "quarantine", "stores failed", "interrupted", "degraded", "recovered"
]
ALERT_KINDS: tuple[AlertKind, ...] = get_args(AlertKind)

NIGHTLY = ("sync", "resume", "retry")
"""Purposes of the runs that bring the stores to tonight's base, and of which alerts are sent."""

TOO_OLD = timedelta(hours=26)
"""A shop whose last run that ended ok is older has missed a night."""


class AlertsSettings(Settings):
    """Where alerts go, of what, and from where on a run that ended ok is worth one (docs/alerts.md)."""

    urls_env: str = Field("TORGSYNC_ALERT_URLS", description="environment variable with apprise URLs")
    heartbeat_env: str | None = Field(None, description="environment variable with a URL that hears of every night")
    on: tuple[AlertKind, ...] = Field(ALERT_KINDS, description="what is told; empty: nothing but the heartbeat")
    report_url: str | None = Field(None, description="where the page report.html can be seen; default: its path")
    max_new_quarantined: int = Field(10, ge=0, description="rejected rows more than when it was told last")
    max_new_hidden: int = Field(10, ge=0, description="goods without a category more than when it was told last")
    max_hidden_share: float = Field(0.20, ge=0, le=1, description="share of goods without a category, told once above")
    max_new_types: int = Field(0, ge=0, description="types saved by the policy that were not in the run before")
    sections_expected: bool = Field(True, description="whether a base that lost all its sections is told every night")
