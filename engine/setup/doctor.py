"""Checks every part of a shop that a run needs, and reports what is wrong. Changes no store.

A run stops at the first fault. These checks report all faults together.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from database.url import is_absent_file
from engine.alerts.alerts import late_or_missing, receivers
from engine.lock import held
from engine.secrets import scrubbed
from engine.sections import shop_rules
from engine.session import refuse_renamed
from engine.shops import load_shop, load_sound_parts, shop_word
from engine.stores import adapter_of
from schemas.command import COMMAND
from schemas.contents import Contents, Rows
from schemas.errors import SettingsError, TorgsyncError
from schemas.settings.alerts import TOO_OLD
from schemas.settings.delivery import DeliverySettings
from schemas.settings.shop import Shop
from schemas.settings.stores import FileStore, SqlStore, StoreSettings, TrsStore, trs_dialect
from sources.firebird.extract import count_base
from state.history import History
from state.open import open_state
from state.url import state_url
from stores.delivery import Destination, check
from stores.protocol import PriorState
from stores.sql import store_url
from transforms.plan import wanted_contents

Status = Literal["ok", "warning", "failed"]
ROOM = 1_000_000_000
"""Bytes. Less free space than this gives a warning."""


@dataclass(frozen=True)
class Finding:
    """The result of one check, and what to do about a fault."""

    check: str
    status: Status
    told: str
    next_step: str = ""
    seconds: float = 0.0


Result = tuple[Status, str, str]


def examine(name: str | Path) -> Iterator[Finding]:
    """Yield the result of each check as soon as it is done; what a fault of shop.toml leaves sound is checked, too."""
    try:
        shop = load_shop(name)
    except TorgsyncError as error:
        yield Finding("shop.toml", "failed", error.message, error.next_step)
        yield from _of_sound_parts(name)
        return
    stores = ", ".join(f"{store.name} ({store.kind})" for store in shop.stores)
    result = "; ".join((f"{shop.name}; stores: {stores or 'none'}", *shop.warnings))
    yield Finding("shop.toml", "warning" if shop.warnings else "ok", result, "edit the file" if shop.warnings else "")
    for title, look in _checks(shop):
        yield _finding(shop, title, look)


def _of_sound_parts(name: str | Path) -> Iterator[Finding]:
    """The checks of those parts of a shop that its faulty shop.toml says right."""
    try:
        shop, left_out = load_sound_parts(name)
    except TorgsyncError:
        return
    unseen = {"source": "base", "sections": "rules", "state": "state", "alerts": "alerts"}
    if shop is None:
        return
    skipped = {unseen[table] for table in left_out if table in unseen}
    if left_out & {"name", "state"}:  # the state knows the shop by its name
        skipped |= {"state", "nights"}
    for title, look in _checks(shop):
        if title not in skipped:
            yield _finding(shop, title, look)


def _finding(shop: Shop, title: str, look: Callable[[], Result]) -> Finding:
    begin = time.perf_counter()
    try:
        status, result, next_step = look()
    except TorgsyncError as error:
        status, result, next_step = "failed", error.message, error.next_step
    except Exception as error:  # whatever a setting makes a library raise: the other checks go on
        text = (str(error).strip().splitlines() or [""])[0]
        result = scrubbed(shop, f"{type(error).__name__}: {text}")
        status, next_step = "failed", "look at the settings of this part in shop.toml"
    return Finding(title, status, result, next_step, round(time.perf_counter() - begin, 3))


def _checks(shop: Shop) -> Iterator[tuple[str, Callable[[], Result]]]:
    yield "folder", partial(_folder, shop)
    yield "base", partial(_base, shop)
    yield "rules", partial(_rules, shop)
    yield "state", partial(_state, shop)
    yield "lock", partial(_lock, shop)
    for settings in shop.stores:
        yield f"store {settings.name}", partial(_store, shop, settings)
    yield "alerts", partial(_alerts, shop)
    yield "nights", partial(_nights, shop)


def _folder(shop: Shop) -> Result:
    if not os.access(shop.folder, os.W_OK | os.X_OK):
        raise SettingsError(f"{shop.folder}: no right to write there", "correct the folder's rights")
    free = shutil.disk_usage(shop.folder).free
    result = f"{free / 1e9:,.1f} GB free"
    if free < ROOM:
        return "warning", result, "free space: the history of the runs, the outputs and the state grow there"
    return "ok", result, ""


def _base(shop: Shop) -> Result:
    about, rows = count_base(shop.source, shop.folder)
    result = ", ".join(f"{count:,} {name.removeprefix('raw_').replace('_', ' ')}" for name, count in rows.items())
    result = f"{about['server']}, ODS {about['ods']}, charset {about['charset']}: {result}"
    if not rows["raw_product_types"] or not rows["raw_goods"]:
        return "failed", result, "a run would stop: check that dsn and map name the right base and tables"
    if not rows["raw_sections"]:
        return "warning", result, f'no type has a section: unmapped = "{shop.sections.unmapped}" decides'
    return "ok", result, ""


def _rules(shop: Shop) -> Result:
    rules = shop_rules(shop)
    if shop.sections.rules is None:
        return "ok", f'none; a type without a section: unmapped = "{shop.sections.unmapped}"', ""
    return "ok", f"{len(rules.rules)} in {shop.sections.rules}; {COMMAND} plan shows what they match", ""


def _no_state_yet(shop: Shop) -> bool:
    """Tell whether the state is a SQLite file that does not exist yet: opening it would create it."""
    return is_absent_file(state_url(shop))


def _state(shop: Shop) -> Result:
    if _no_state_yet(shop):
        return "ok", "the first run creates it", ""
    with open_state(shop) as state:
        refuse_renamed(shop, state)
        history = History(shop.folder / "history")
        for found in (state.loaded(), *state.confirmed().values()):
            if found is None or history.has_catalogue(found.catalogue):
                continue
            result = f"what run {found.run} loaded is not in history/: a run would stop at the guard «no_history»"
            return "failed", result, "put history/ back from a backup; several machines have to share it"
        return "ok", f"runs: {len(state.runs()):,}; section numbers: {len(state.registry().meanings):,}", ""


def _lock(shop: Shop) -> Result:
    if held(shop):
        return (
            "warning",
            "another run of the shop is active",
            f"wait for it, or find it: {COMMAND} runs {shop_word(shop)}",
        )
    return "ok", "free", ""


def _store(shop: Shop, settings: StoreSettings) -> Result:
    """Log in to a store and read it; for a feed open its folder or server."""
    if isinstance(settings, TrsStore):
        trs_dialect(settings)
    if isinstance(settings, FileStore):
        target = Destination(DeliverySettings.of(settings), shop.folder)
        if target.makes_folder and not target.folder.exists():
            return "ok", f"{target.label}: the first run creates it", ""
        gaps = check(target)
        return "ok", "; ".join((f"{target.label}: can be reached", *gaps)), ""
    if isinstance(settings, SqlStore) and settings.url and is_absent_file(store_url(settings, shop.folder)):
        return "ok", f"{settings.url}: the first run creates it", ""
    held_now = adapter_of(shop, settings, PriorState, datetime.now().astimezone()).read()
    if taken := _taken_over(shop, settings, held_now):
        return "warning", f"rows that somebody took over (managed is false): {taken}", TAKEN_OVER_STEP
    return "ok", f"can be read; of ours: categories {len(held_now.categories):,}, goods {len(held_now.offers):,}", ""


TAKEN_OVER_STEP = "set managed to true in those that torgsync shall write again; the others stay as they are"


def _taken_over(shop: Shop, settings: StoreSettings, present: Contents) -> str:
    """The first rows of somebody else whose keys stand in what was loaded last."""
    if not any(present.others.values()) or _no_state_yet(shop):
        return ""
    with open_state(shop) as state:
        loaded = state.confirmed().get(settings.name)
    history = History(shop.folder / "history")
    if loaded is None or not history.has_catalogue(loaded.catalogue):
        return ""
    catalogue = wanted_contents(history.catalogue(loaded.catalogue), Rows())
    rows = [
        f"{entity} {key} «{catalogue.table(entity).value(key, 'name')}»"
        for entity, keys in present.others.items()
        for key in catalogue.table(entity)
        if key in keys
    ]
    return ", ".join(rows[:5]) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")


def _alerts(shop: Shop) -> Result:
    urls, beat, missing = receivers(shop)
    if missing:
        return "failed", "; ".join(missing), "set the variable, or take its key out of shop.toml"
    if not urls and not beat:
        result = f"nobody would hear of a bad night: {shop.alerts.urls_env} is not set"
        return "warning", result, "put apprise URLs into it: docs/alerts.md"
    result = f"receivers: {len(urls)}" + ("; a heartbeat" if beat else "")
    return "ok", f"{result}; {COMMAND} alerts test {shop_word(shop)} sends a message", ""


def _nights(shop: Shop) -> Result:
    if _no_state_yet(shop):
        return "ok", f"none yet; {COMMAND} plan shows what the first would do", ""
    if result := late_or_missing(shop, TOO_OLD, datetime.now().astimezone()):
        return "warning", result, f"{COMMAND} runs {shop_word(shop)}"
    return "ok", "the last one ended ok", ""
