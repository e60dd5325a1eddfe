"""Start of the nightly run, and limits for approval: ``[schedule]`` and ``[approval]`` in shop.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, model_validator

from schemas.errors import closest
from schemas.settings.base import Settings

_FIRST, _LAST = date(2026, 1, 1), date(2037, 12, 31)
"""Nights to check: the time zone database has rules up to 2037."""
_WEEK = timedelta(days=7)


class ScheduleSettings(Settings):
    """Start of the nightly run. The clock must show this time exactly once in every night."""

    at: str = Field("02:30", description="time of day, HH:MM, by the clock of the time zone")
    timezone: str = Field("Europe/Kyiv", description="a name of the IANA time zone database")
    wait_minutes: int = Field(
        120, ge=0, le=720, description="how long the nightly run waits for another run of the shop"
    )

    @model_validator(mode="after")
    def _once_a_night(self) -> ScheduleSettings:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", self.at):
            raise ValueError(f'at = "{self.at}" is not a time of day: write it as "02:30"')
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            known = closest(self.timezone, sorted(available_timezones()))
            raise ValueError(f'no time zone "{self.timezone}": {known}') from error
        odd = odd_night(self.at, self.timezone)
        if odd is not None:
            raise ValueError(
                f"on {odd} the clock of {self.timezone} shows {self.at} twice or not at all, so that a night would be "
                'doubled or left out: choose another time, such as "02:30"'
            )
        return self

    @property
    def cron(self) -> str:
        """Return the time as a cron expression: ``30 2 * * *``."""
        hour, minute = self.at.split(":")
        return f"{int(minute)} {int(hour)} * * *"


@cache
def odd_night(at: str, timezone: str) -> date | None:
    """Return the first night in which the clock shows this time twice or not at all, or None.

    Such a local time has two offsets from UTC, by ``fold`` (PEP 495).
    """
    zone = ZoneInfo(timezone)
    hour, minute = (int(part) for part in at.split(":"))
    for night in _nights_near_changes(zone):
        local = datetime(night.year, night.month, night.day, hour, minute, tzinfo=zone)
        if local.utcoffset() != local.replace(fold=1).utcoffset():
            return night
    return None


def _nights_near_changes(zone: ZoneInfo) -> Iterator[date]:
    """Yield the nights of every week in which the clock of the zone changes: 24 weeks of 626, which is much faster.

    No zone changes its clock twice within a week (the shortest period is the month of Ramadan, in Morocco).
    """
    week, offset = datetime(_FIRST.year, _FIRST.month, _FIRST.day, tzinfo=UTC) - _WEEK, None
    while week.date() <= _LAST + _WEEK:
        before, offset = offset, week.astimezone(zone).utcoffset()
        if before is not None and before != offset:  # a local date is at most a day away from that of UTC
            nights = (week.date() + timedelta(days=number) for number in range(-8, 2))
            yield from (night for night in nights if _FIRST <= night <= _LAST)
        week += _WEEK


class ApprovalSettings(Settings):
    """Row counts above which a plan waits in Prefect until a person approves it. None: never asks.

    Guards, which stop a run, are separate: see ``[guards]``. Without Prefect nobody can be asked, and only the guards
    apply.
    """

    removed_categories: int | None = Field(None, ge=0, description="categories that disappear from a store")
    removed_goods: int | None = Field(None, ge=0, description="goods that disappear from a store")
    moved_goods: int | None = Field(None, ge=0, description="goods that come into another category in a store")
    hours: float = Field(6, gt=0, le=48, description="no answer for so long means no")
