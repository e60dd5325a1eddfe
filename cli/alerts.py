"""``torgsync alerts``: try the alerts of a shop, and find shops whose night is late or missing (docs/alerts.md)."""

from __future__ import annotations

from cli.console import note, out, out_json
from engine.shops import load_shop, shops_here


def run_test(name: str, as_json: bool) -> None:
    """Send a test message and the heartbeat, and print the result per receiver; exit 1 after a failure."""
    from engine.alerts.alerts import send_test

    sent = send_test(load_shop(name))
    if as_json:
        out_json([{"to": one.to, "taken": not one.error, "error": one.error} for one in sent])
    else:
        for one in sent:
            out(f"{one.to}: {one.error or 'taken'}")
    raise SystemExit(1 if any(one.error for one in sent) else 0)


def run_check(names: list[str], max_age: str, send: bool, as_json: bool) -> None:
    """Print one line per shop whose night is late or missing; exit 1 where there is one."""
    from engine.alerts.check import age, check_nights

    found, untaken = check_nights(names or shops_here("alerts check"), age(max_age), send)
    for sentence in untaken:
        note(f"torgsync: {sentence}")
    if as_json:
        out_json(found)
    else:
        for name, wrong in found.items():
            out(f"{name}: {wrong}")
    raise SystemExit(1 if found else 0)
