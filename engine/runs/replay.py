"""Validates the kept extract of a run again with today's settings, rules and schemas; reads no base and no store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.runs.find import find_run
from engine.sections import decide_sections, shop_rules
from engine.shops import shop_word
from schemas.command import COMMAND
from schemas.errors import QuarantineLimit, SettingsError
from schemas.report import RunReport
from schemas.settings.shop import Shop
from state.history import History
from state.open import open_state
from transforms.clean import clean
from transforms.guards import check_extract, check_quarantine

Rejected = Mapping[str, Any]


@dataclass(frozen=True)
class Replay:
    """Rejected rows of a run: ``passes`` now, ``still`` rejected (with today's reasons), ``new``.

    ``over_limit``: why a run with today's rejected rows would stop; empty where it would not.
    """

    run: str
    passes: tuple[Rejected, ...]
    still: tuple[Rejected, ...]
    new: tuple[Rejected, ...]
    over_limit: str = ""


def judged_run(shop: Shop, run: str) -> dict[str, Any]:
    """Return the row of a run that validated its rows: an apply or a rollback has no quarantine.

    ``last`` is the newest one. Raises SettingsError where there is none.
    """
    if run != "last":
        row = find_run(shop, run, plans=True)
        if not judged(row):
            raise SettingsError(
                f"run {row['run']} ({row['purpose']}: {row['outcome']}) validated no rows",
                f"{COMMAND} runs {shop_word(shop)}",
            )
        return row
    with open_state(shop) as state:
        found = next((row for row in state.runs() if judged(row)), None)
    if found is None:
        raise SettingsError(
            f"no run of shop {shop.name} has validated any rows yet", f"{COMMAND} sync {shop_word(shop)}"
        )
    return found


def judged(row: Mapping[str, Any]) -> bool:
    """Tell whether a run validated its rows."""
    return bool(row["report"]) and "quarantined_rows" in RunReport.model_validate(row["report"]).counts


def replay(shop: Shop, run: str = "last") -> Replay:
    """Validate the extract of a run again and compare today's rejected rows with the earlier ones."""
    row = judged_run(shop, run)
    extract = History(shop.folder / "history").extract(row["extract"] or "")
    rules = shop_rules(shop)
    with open_state(shop) as state:
        then, registry, accepted = state.quarantine(row["run"]), state.registry(), state.accepted()
    check_extract(extract)
    decided = decide_sections(shop, clean(extract, shop.names), extract.sections, rules, registry)
    frame = decided.clean.quarantine
    now = [{str(name): value for name, value in record.items()} for record in frame.to_dict("records")]
    before, after = _positions(then), _positions(now)
    row_counts = {f"raw_{name}": len(getattr(extract, name)) for name in ("product_types", "sections", "goods")}
    limits, accepted_rows = shop.quarantine, [(a["table"], a["row_key"], a["reason"]) for a in accepted]
    try:
        check_quarantine(frame, row_counts, limits.max_rows, limits.max_share, accepted_rows)
        over = ""
    except QuarantineLimit as error:
        over = error.message
    return Replay(
        row["run"],
        passes=tuple(item for item in then if _place(item) not in after),
        still=tuple(item for item in now if _place(item) in before),
        new=tuple(item for item in now if _place(item) not in before),
        over_limit=over,
    )


def _place(row: Rejected) -> tuple[str, int]:
    return str(row["table"]), int(row["row_number"])


def _positions(rows: Iterable[Rejected]) -> set[tuple[str, int]]:
    return {_place(row) for row in rows}
