"""Finds the shops whose night is late or missing, for cron or monitoring."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from engine.alerts.alerts import failures, late_or_missing, send_late
from engine.shops import load_shop
from schemas.errors import SettingsError, TorgsyncError


def check_nights(shops: Iterable[str], most: timedelta, send: bool) -> tuple[dict[str, str], list[str]]:
    """Return what is wrong with the nights, by shop; and with ``send`` sentences about alerts that failed.

    ``most``: how old the last run that ended ok may be. A shop with unreadable settings or state is also a finding; the
    other shops are checked all the same.
    """
    now = datetime.now().astimezone()
    found: dict[str, str] = {}
    untaken: list[str] = []
    for name in shops:
        try:
            shop = load_shop(name)
        except TorgsyncError as error:
            found[name] = error.message
            continue
        wrong = late_or_missing(shop, most, now)
        if wrong:
            found[shop.name] = wrong
            untaken += failures(send_late(shop, wrong)) if send else []
    return found, untaken


def age(text: str) -> timedelta:
    """Parse ``26h``, ``90m`` or ``2d``. Raises SettingsError for anything else."""
    found = re.fullmatch(r"(\d{1,5})([mhd])", text.strip())
    if found is None:
        raise SettingsError(f'--max-age "{text}": not a time', "as in --max-age 26h, 90m or 2d")
    return int(found[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[found[2]]
