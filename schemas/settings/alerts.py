"""Receivers of messages about nights that need a person: the table ``[alerts]`` of ``shop.toml``."""

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
"""Purposes of runs that load tonight's base into the stores: these send alerts."""

TOO_OLD = timedelta(hours=26)
"""A shop whose last run that ended ok is older has missed a night."""


class AlertsSettings(Settings):
    """Receivers of alerts, their kinds, and the limits above which a good run sends one (docs/alerts.md)."""

    urls_env: str = Field("TORGSYNC_ALERT_URLS", description="environment variable with apprise URLs")
    heartbeat_env: str | None = Field(None, description="environment variable with a URL that is called every night")
    on: tuple[AlertKind, ...] = Field(ALERT_KINDS, description="kinds of alerts; empty: only the heartbeat")
    report_url: str | None = Field(None, description="where the page report.html can be seen; default: its path")
    max_new_quarantined: int = Field(10, ge=0, description="more rejected rows than at the last alert")
    max_new_hidden: int = Field(10, ge=0, description="more goods without a category than at the last alert")
    max_hidden_share: float = Field(
        0.20, ge=0, le=1, description="share of goods without a category; one alert above it"
    )
    max_new_types: int = Field(0, ge=0, description="types saved by the policy that were not in the run before")
    sections_expected: bool = Field(True, description="an alert every night for a base that lost all its sections")
