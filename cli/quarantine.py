"""``torgsync quarantine``: list, show, accept and replay rejected rows."""

from __future__ import annotations

from cli.console import out, out_json
from engine.runs import quarantine
from engine.shops import load_shop, shop_word


def run_list(name: str, run: str, as_json: bool) -> None:
    """Print a run's rejected rows by table and reason."""
    from reports.quarantine import list_text

    shop = load_shop(name)
    run, rows = quarantine.rejected_rows(shop, run)
    if as_json:
        out_json({"shop": shop.name, "run": run, "rows": rows})
    else:
        out(list_text(shop_word(shop), run, rows))


def run_show(name: str, key: str, run: str, as_json: bool) -> None:
    """Print every rejected row of that key, with its history."""
    from reports.quarantine import row_text

    found = quarantine.rejected_row(load_shop(name), key, run)
    if as_json:
        out_json(found)
        return
    for item in found:
        out(row_text(item))


def run_accept(name: str, table: str, key: str, reason: str | None, note: str, as_json: bool) -> None:
    """Accept a row of the last run that validated its rows, and print it."""
    accepted = quarantine.accept(load_shop(name), table, key, reason, note)
    _print_accepted("accepted", accepted, "" if accepted.changed else " already, with this note", as_json)


def run_unaccept(name: str, table: str, key: str, reason: str | None, as_json: bool) -> None:
    """Withdraw an acceptance, and print its rows."""
    _print_accepted("no longer accepted", quarantine.unaccept(load_shop(name), table, key, reason), "", as_json)


def run_replay(name: str, run: str, as_json: bool) -> None:
    """Validate the rows of a run again and print the results."""
    from engine.runs.replay import replay
    from reports.quarantine import replay_text

    shop = load_shop(name)
    result = replay(shop, run)
    if as_json:
        parts = {part: [quarantine.plain(row) for row in getattr(result, part)] for part in ("passes", "still", "new")}
        out_json({"shop": shop.name, "run": result.run, **parts, "over_limit": result.over_limit})
    else:
        out(replay_text(shop_word(shop), result.run, result.passes, result.still, result.new, result.over_limit))


def _print_accepted(word: str, accepted: quarantine.Accepted, more: str, as_json: bool) -> None:
    if as_json:
        rows = [dict(zip(("table", "row_key", "reason"), row, strict=True)) for row in accepted.rows]
        out_json({word.replace(" ", "_"): rows, "changed": accepted.changed})
        return
    for table, key, reason in dict.fromkeys(accepted.rows):
        out(f"{table} {key} ({reason}): {word}{more}")
