"""Opens the stores of a shop: the one place that knows which module serves which kind."""

from __future__ import annotations

from datetime import datetime

from flows.run import Run
from schemas.contents import Rows
from schemas.stores import SqlStore, Store
from stores.feed import feed_target
from stores.protocol import Known
from stores.protocol import Store as Target
from stores.sql import SqlTarget
from transforms.plan import wanted_contents


def open_store(run: Run, settings: Store) -> Target:
    """The store of these settings, with what it confirmed the last time where it cannot be asked."""
    if isinstance(settings, SqlStore):
        return SqlTarget(settings, run.shop.folder)
    date = datetime.fromisoformat(run.report.started_at)
    return feed_target(settings, run.shop.folder, _confirmed(run, settings.name), date)


def _confirmed(run: Run, store: str) -> Known:
    """What a feed's reader was last given; nothing where that catalogue is kept no more."""
    confirmed = run.state.confirmed().get(store)
    if confirmed is None or not run.history.has_catalogue(confirmed.catalogue):
        return Known()
    return Known(wanted_contents(run.history.catalogue(confirmed.catalogue), Rows()))
