"""The nightly run begins exactly once in every night, also where the clock changes."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.settings.schedule import ScheduleSettings, odd_night

CHANGES = [(date(2026, 3, 29), "spring"), (date(2026, 10, 25), "autumn"), (date(2027, 3, 28), "spring"),
           (date(2027, 10, 31), "autumn")]  # fmt: skip
"""Nights in which Kyiv's clock changes, at 03:00 and at 04:00."""


def runs(settings: ScheduleSettings, first: date, days: int) -> list[datetime]:
    """The moments at which Prefect's scheduler starts the deployment, by the local clock."""
    from prefect.server.schemas.schedules import CronSchedule

    zone = ZoneInfo(settings.timezone)
    start = datetime(first.year, first.month, first.day, tzinfo=zone)
    schedule = CronSchedule(cron=settings.cron, timezone=settings.timezone)
    found = asyncio.run(schedule.get_dates(n=days + 5, start=start, end=start + timedelta(days=days)))
    return [moment.astimezone(zone) for moment in found]


@pytest.mark.parametrize(("change", "season"), CHANGES)
@pytest.mark.parametrize("at", ["02:30", "00:05", "02:59", "04:00", "23:45"])
def test_each_night_around_a_change_of_the_clock_has_exactly_one_run(change, season, at):
    nights = [change + timedelta(days=n) for n in range(-3, 4)]
    found = runs(ScheduleSettings(at=at), nights[0], len(nights))
    assert [moment.date() for moment in found] == nights
    assert {moment.strftime("%H:%M") for moment in found} == {at}


def test_the_nights_of_2026_and_2027_have_exactly_one_run_each():
    first, last = date(2026, 1, 1), date(2027, 12, 31)
    found = runs(ScheduleSettings(), first, 365)
    found += runs(ScheduleSettings(), date(2027, 1, 1), 365)
    assert [moment.date() for moment in found] == [first + timedelta(days=n) for n in range((last - first).days + 1)]


@pytest.mark.parametrize("at", ["03:00", "03:30", "03:59"])
def test_a_time_that_a_change_of_the_clock_doubles_or_leaves_out_is_refused_with_the_night(at):
    with pytest.raises(ValidationError, match=r'on 2026-03-29 the clock of Europe/Kyiv.*such as "02:30"'):
        ScheduleSettings(at=at)


@given(st.times(), st.sampled_from(["Europe/Kyiv", "Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "UTC"]))
def test_a_time_is_refused_exactly_where_some_night_shows_it_twice_or_not_at_all(time, zone):
    at = f"{time:%H:%M}"
    odd = odd_night(at, zone)
    changes = (odd,) if odd else (date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 25))
    for night in changes:
        start = datetime(night.year, night.month, night.day, tzinfo=UTC) - timedelta(hours=24)
        local = [(start + timedelta(minutes=n)).astimezone(ZoneInfo(zone)) for n in range(72 * 60)]
        times = sum(moment.date() == night and f"{moment:%H:%M}" == at for moment in local)
        assert (times == 1) == (odd is None)


@pytest.mark.parametrize("settings", [{"at": "2:30"}, {"at": "24:00"}, {"at": "02:30:00"}])
def test_what_is_no_time_of_day_is_refused(settings):
    with pytest.raises(ValidationError, match="is not a time of day"):
        ScheduleSettings(**settings)


def test_a_misspelt_time_zone_is_refused_with_the_closest_one():
    with pytest.raises(ValidationError, match='did you mean "Europe/Kyiv"'):
        ScheduleSettings(timezone="Europe/Kiyv")
