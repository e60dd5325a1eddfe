"""Finds the shops whose night is late or missing, for cron or monitoring."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from engine.alerts.alerts import failures, late_or_missing, send_late
from engine.shops import load_shop
from schemas.errors import SettingsError, TorgsyncError


def check_nights(shops: Iterable[str], most: timedelta, send: bool) -> tuple[dict[str, str], list[str]]:
    """What is wrong with each shop's nights, by shop; and sentences about alerts that were not taken, where ``send``.

    ``most``: how old the last run that ended ok may be. One shop whose settings or state cannot be read is such a
    finding: it does not keep the others from being looked at.
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
    """``26h``, ``90m``, ``2d``. Raises SettingsError for anything else."""
    found = re.fullmatch(r"(\d{1,5})([mhd])", text.strip())
    if found is None:
        raise SettingsError(f'--max-age "{text}": not a time', "as in --max-age 26h, 90m or 2d")
    return int(found[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[found[2]]
