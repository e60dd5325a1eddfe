"""``torgsync quarantine``: rejected rows listed, shown, accepted, judged again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from cli.console import out, out_json
from engine.setup.shops import load_shop, shop_word
from schemas.errors import SettingsError, closest
from schemas.reasons import REASONS
from schemas.settings.shop import Shop
from state.database import State
from state.url import state_url

TABLES = {"product_types": "raw_product_types", "sections": "raw_sections", "goods": "raw_goods"}


def run_list(name: str, run: str, as_json: bool) -> None:
    """Print a run's rejected rows by table and reason."""
    from engine.runs.replay import judged_run
    from reports.quarantine import list_text

    shop = load_shop(name)
    row = judged_run(shop, run)
    rows = _rows(shop, row["run"])
    if as_json:
        out_json({"shop": shop.name, "run": row["run"], "rows": rows})
    else:
        out(list_text(shop_word(shop), row["run"], rows))


def run_show(name: str, key: str, run: str, as_json: bool) -> None:
    """Print every rejected row of that key, with its history."""
    from engine.runs.replay import judged_run
    from reports.quarantine import row_text

    shop = load_shop(name)
    row = judged_run(shop, run)
    rows = _rows(shop, row["run"])
    found = [item for item in rows if _is(key, item)]
    if not found:
        raise _unknown(key, rows, row["run"])
    shown = [{**item, "row": json.loads(item["row"]), "since": _since(shop, item, row["run"])} for item in found]
    if as_json:
        out_json(shown)
        return
    for item in shown:
        out(row_text(item))


def run_accept(name: str, table: str, key: str, reason: str | None, note: str, as_json: bool) -> None:
    """Accept a row of the last run that judged its rows."""
    from engine.runs.replay import judged_run

    shop = load_shop(name)
    run = judged_run(shop, "last")["run"]
    rows = [row for row in _rows(shop, run) if row["table"] == _table(table)]
    found = [row for row in rows if _is(key, row)]
    if not found:
        raise _unknown(key, rows, run)
    if not found[0]["row_key"]:
        raise SettingsError(
            f"{found[0]['table']} row {found[0]['row_number']} has no id, so the next run could not know it again",
            "mend it in Torgsoft, or raise the limit in [quarantine]",
        )
    if not note.strip():
        raise SettingsError("the note is empty", "say why the row may stay as it is")
    chosen = _of_reason(found, reason)
    fresh = [row for row in chosen if (row["accepted"] or {}).get("note") != note]
    state = State(state_url(shop), shop.name)
    try:
        at = datetime.now().astimezone().isoformat("T", "seconds")
        state.accept({_identity(row) for row in fresh}, note, at)
    finally:
        state.close()
    _told("accepted", chosen, "" if fresh else " already, with this note", as_json)


def run_unaccept(name: str, table: str, key: str, reason: str | None, as_json: bool) -> None:
    """Take an acceptance back; the row need not be in the quarantine any more."""
    shop = load_shop(name)
    state = State(state_url(shop), shop.name)
    try:
        rows = [row for row in state.accepted() if row["table"] == _table(table)]
        found = [row for row in rows if row["row_key"] == key]
        if not found:
            known = [str(row["row_key"]) for row in rows]
            hint = closest(key, known[:20]) if known else f"nothing of {table} is accepted"
            raise SettingsError(f"{_table(table)} {key} is not accepted", hint)
        chosen = _of_reason(found, reason)
        state.unaccept({_identity(row) for row in chosen})
    finally:
        state.close()
    _told("accepted no more", chosen, "", as_json)


def run_replay(name: str, run: str, as_json: bool) -> None:
    """Judge a run's rows again and print what became of them."""
    from engine.runs.replay import replay
    from reports.quarantine import replay_text

    shop = load_shop(name)
    result = replay(shop, run)
    if as_json:
        told = {part: [_plain(row) for row in getattr(result, part)] for part in ("passes", "still", "new")}
        out_json({"shop": shop.name, "run": result.run, **told, "over_limit": result.over_limit})
    else:
        out(replay_text(shop_word(shop), result.run, result.passes, result.still, result.new, result.over_limit))


def _rows(shop: Shop, run: str) -> list[dict[str, Any]]:
    """The rejected rows of a run, each with its acceptance or None."""
    state = State(state_url(shop), shop.name)
    try:
        accepted = {_identity(row): {"note": row["note"], "at": row["accepted_at"]} for row in state.accepted()}
        rows = state.quarantine(run)
    finally:
        state.close()
    return [{**_plain(row), "accepted": accepted.get(_identity(row))} for row in rows]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("table", "row_number", "row_key", "reason", "detail", "row")
    return {name: int(row[name]) if name == "row_number" else row[name] for name in names}


def _since(shop: Shop, row: Mapping[str, Any], run: str) -> dict[str, str]:
    """The first run of the unbroken line of runs up to ``run`` that rejected the row for this reason."""
    from engine.runs.replay import judged

    state = State(state_url(shop), shop.name)
    try:
        runs = [item for item in state.runs() if judged(item)]
        rejected = state.rejections(*_identity(row))
    finally:
        state.close()
    first = {"run": run, "started_at": ""}
    for item in runs[next(n for n, item in enumerate(runs) if item["run"] == run) :]:
        if item["run"] not in rejected:
            break
        first = {"run": item["run"], "started_at": item["started_at"]}
    return first


def _identity(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(row["table"]), str(row["row_key"]), str(row["reason"])


def _is(key: str, row: Mapping[str, Any]) -> bool:
    return row["row_key"] == key if not key.startswith("row:") else key == f"row:{row['row_number']}"


def _table(text: str) -> str:
    if text in TABLES.values():
        return text
    if text not in TABLES:
        raise SettingsError(f'no table "{text}"', closest(text, list(TABLES)))
    return TABLES[text]


def _of_reason(rows: list[dict[str, Any]], reason: str | None) -> list[dict[str, Any]]:
    if reason is None:
        return rows
    found = [row for row in rows if row["reason"] == reason]
    if not found:
        if reason not in REASONS:
            raise SettingsError(f'no reason "{reason}"', closest(reason, list(REASONS)))
        own = ", ".join(sorted({str(row["reason"]) for row in rows}))
        raise SettingsError(f"the row is not there for {reason}", f"its reasons are: {own}")
    return found


def _unknown(key: str, rows: Iterable[Mapping[str, Any]], run: str) -> SettingsError:
    known = sorted({str(row["row_key"]) for row in rows if row["row_key"]})
    near = get_close_matches(key, known, n=3, cutoff=0.5) or known[:5]
    hint = f"did you mean {', '.join(near)}?" if near else "no such table has a row there"
    return SettingsError(f'no row "{key}" is in the quarantine of run {run}', hint)


def _told(word: str, rows: list[dict[str, Any]], more: str, as_json: bool) -> None:
    told = [dict(zip(("table", "row_key", "reason"), place, strict=True)) for place in sorted(map(_identity, rows))]
    if as_json:
        out_json({word.replace(" ", "_"): told, "changed": not more})
        return
    for item in {tuple(one.values()): one for one in told}.values():
        out(f"{item['table']} {item['row_key']} ({item['reason']}): {word}{more}")
