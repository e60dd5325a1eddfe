"""``torgsync alerts``: try the alerts of a shop, and find shops whose night is late or missing (docs/alerts.md)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from cli.console import note, out, out_json
from engine.setup.shops import load_shop
from schemas.errors import SettingsError, TorgsyncError


def run_test(name: str, as_json: bool) -> None:
    """Send a test message and the heartbeat, and say per receiver whether it was taken; exit 1 where one was not."""
    from engine.alerts.alerts import send_test

    sent = send_test(load_shop(name))
    if as_json:
        out_json([{"to": one.to, "taken": not one.error, "error": one.error} for one in sent])
    else:
        for one in sent:
            out(f"{one.to}: {one.error or 'taken'}")
    raise SystemExit(1 if any(one.error for one in sent) else 0)


def run_check(names: list[str], max_age: str, send: bool, as_json: bool) -> None:
    """Print one line per shop whose night is late or missing; exit 1 where there is one.

    One shop whose settings or state cannot be read is such a line: it does not keep the others from being looked at.
    """
    from engine.alerts.alerts import failures, late_or_missing, send_late

    most, now = age(max_age), datetime.now().astimezone()
    found: dict[str, str] = {}
    for name in names or _all():
        try:
            shop = load_shop(name)
        except TorgsyncError as error:
            found[name] = error.message
            continue
        told = late_or_missing(shop, most, now)
        if told:
            found[shop.name] = told
            if send:
                for failure in failures(send_late(shop, told)):
                    note(f"torgsync: {failure}")
    if as_json:
        out_json(found)
    else:
        for name, told in found.items():
            out(f"{name}: {told}")
    raise SystemExit(1 if found else 0)


def age(text: str) -> timedelta:
    """``26h``, ``90m``, ``2d``. Raises SettingsError for anything else."""
    found = re.fullmatch(r"(\d{1,5})([mhd])", text.strip())
    if found is None:
        raise SettingsError(f'--max-age "{text}": not a time', "as in --max-age 26h, 90m or 2d")
    return int(found[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[found[2]]


def _all() -> list[str]:
    """The shop of this folder, or those below ``shops/``."""
    if Path("shop.toml").is_file():
        return ["."]
    found = [str(path.parent) for path in sorted(Path("shops").glob("*/shop.toml"))]
    if not found:
        raise SettingsError("no shop here", "give one: torgsync alerts check SHOP")
    return found
