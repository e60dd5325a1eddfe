"""Opens the stores of a shop: the one place that knows which module serves which kind."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from flows.run import Run
from schemas.contents import Rows
from schemas.opencart import OpenCartStore
from schemas.stores import SqlStore, Store
from schemas.woocommerce import WooCommerceStore
from stores.feed import feed_target
from stores.opencart.target import OpenCartTarget
from stores.protocol import Known
from stores.protocol import Store as Target
from stores.sql import SqlTarget
from stores.woocommerce import WooCommerceTarget
from transforms.plan import wanted_contents


def open_store(run: Run, settings: Store) -> Target:
    """The store of these settings, with what it confirmed the last time; what it cannot do is noted for the report."""
    target = _open(run, settings)
    run.report.gaps[settings.name] = {str(kind): why for kind, why in target.capabilities.gaps.items()}
    return target


def _open(run: Run, settings: Store) -> Target:
    folder = run.shop.folder
    progress = partial(run.progress, f"load {settings.name}")
    if isinstance(settings, SqlStore):
        return SqlTarget(settings, folder, progress=progress)
    if isinstance(settings, WooCommerceStore):
        known = Known(bindings=run.state.bindings(settings.name))
        return WooCommerceTarget(
            settings, run.shop.output, known, partial(run.state.bind, settings.name), progress=progress
        )
    if isinstance(settings, OpenCartStore):
        return OpenCartTarget(settings, folder, progress=progress)
    return feed_target(settings, folder, _confirmed(run, settings.name), datetime.fromisoformat(run.report.started_at))


def _confirmed(run: Run, store: str) -> Known:
    """What a feed's reader was last given; nothing where that catalogue is kept no more."""
    confirmed = run.state.confirmed().get(store)
    if confirmed is None:
        return Known()
    if not run.history.has_catalogue(confirmed.catalogue):
        return Known(files=confirmed.files)
    return Known(wanted_contents(run.history.catalogue(confirmed.catalogue), Rows()), files=confirmed.files)
