"""Opens the stores of a shop: the one place that knows which module serves which kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from engine.error_boundary import Contained, contained
from engine.run import Run
from schemas.contents import Rows
from schemas.settings.opencart import OpenCartStore
from schemas.settings.shop import Shop
from schemas.settings.stores import SqlStore, StoreSettings
from schemas.settings.woocommerce import WooCommerceStore
from stores.feed import feed_adapter
from stores.opencart.adapter import OpenCartAdapter
from stores.protocol import PriorState, Progress, StoreAdapter, silent
from stores.sql import SqlAdapter
from stores.woocommerce import WooCommerceAdapter
from stores.woocommerce.bindings import Remember
from transforms.plan import wanted_contents


def open_store(run: Run, settings: StoreSettings) -> StoreAdapter:
    """The store of these settings, with what it confirmed the last time; what it cannot do is noted for the report."""
    target = adapter_of(
        run.shop,
        settings,
        lambda: _known(run, settings),
        datetime.fromisoformat(run.report.started_at),
        partial(run.state.bind, settings.name),
        partial(run.progress, f"load {settings.name}"),
    )
    run.report.gaps[settings.name] = {str(kind): why for kind, why in target.capabilities.gaps.items()}
    return target


def adapter_of(
    shop: Shop,
    settings: StoreSettings,
    known: Callable[[], PriorState],
    moment: datetime,
    bind: Remember = lambda rows: None,
    progress: Progress = silent,
) -> StoreAdapter:
    """The store of these settings. ``known`` is asked only by kinds that cannot tell by themselves what is ours;
    ``moment`` is the date that a feed bears; ``bind`` remembers a store's own ids. Whatever goes wrong in it is a
    StoreError.
    """
    with contained(shop, settings.name):
        return Contained(_target(shop, settings, known, moment, bind, progress), shop)


def _target(
    shop: Shop,
    settings: StoreSettings,
    known: Callable[[], PriorState],
    moment: datetime,
    bind: Remember,
    progress: Progress,
) -> StoreAdapter:
    if isinstance(settings, SqlStore):
        return SqlAdapter(settings, shop.folder, progress=progress)
    if isinstance(settings, WooCommerceStore):
        return WooCommerceAdapter(settings, shop.output, known(), bind, progress=progress)
    if isinstance(settings, OpenCartStore):
        return OpenCartAdapter(settings, shop.folder, progress=progress)
    return feed_adapter(settings, shop.folder, known(), moment)


def _known(run: Run, settings: StoreSettings) -> PriorState:
    if isinstance(settings, WooCommerceStore):
        return PriorState(bindings=run.state.bindings(settings.name))
    return _confirmed(run, settings.name)


def _confirmed(run: Run, store: str) -> PriorState:
    """What a feed's reader was last given; nothing where the history does not hold it: the guard «no_history» tells."""
    confirmed = run.state.confirmed().get(store)
    if confirmed is None:
        return PriorState()
    if not run.history.has_catalogue(confirmed.catalogue):
        return PriorState(files=confirmed.files)
    catalogue = run.history.catalogue(confirmed.catalogue)
    return PriorState(wanted_contents(catalogue, Rows()), catalogue, files=confirmed.files)
