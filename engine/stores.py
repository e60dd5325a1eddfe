"""Opens the stores of a shop, and compares what a store holds with what it shall hold.

The one place that knows which module serves which kind, and the one place where a store is opened, asked and compared:
a plan, an apply, a resume, a retry and a rollback all use ``compare``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from engine.context import Run
from engine.error_boundary import Contained, contained
from engine.stages import Comparison
from schemas.catalogue import Catalogue
from schemas.contents import Contents, Rows
from schemas.errors import TorgsyncError, Unplannable, Unreadable
from schemas.plan import Operation, TargetState
from schemas.report import RefusedRow
from schemas.settings.opencart import OpenCartStore
from schemas.settings.shop import Shop
from schemas.settings.stores import SqlStore, StoreSettings
from schemas.settings.woocommerce import WooCommerceStore
from stores.feed import feed_adapter
from stores.opencart.adapter import OpenCartAdapter
from stores.protocol import PriorState, Progress, StoreAdapter, Wanted, silent
from stores.sql import SqlAdapter
from stores.woocommerce import WooCommerceAdapter
from stores.woocommerce.bindings import Remember
from transforms.plan import REDIRECT_COLUMNS, Absent, operations, wanted_contents


def compare(run: Run, settings: StoreSettings, catalogue: Catalogue, target: TargetState) -> Comparison:
    """Open a store, read it, and find the operations that bring it to ``target``, which ``catalogue`` belongs to.

    Writes nothing. Raises TorgsyncError where the store cannot be read, Unplannable where it cannot be opened or cannot
    hold what it shall.
    """
    try:
        adapter = open_store(run, settings)
        wanted = want(adapter, catalogue, target)
    except Unreadable:
        raise
    except TorgsyncError as error:
        raise Unplannable(error.message, error.next_step) from error
    present = adapter.read()
    return Comparison(adapter, wanted, present, needed_operations(wanted, present, target))


def want(adapter: StoreAdapter, catalogue: Catalogue, target: TargetState) -> Wanted:
    """What a store shall hold by a target state, cut down to what it can hold."""
    redirects = Rows(REDIRECT_COLUMNS, {key: row for key, row in target.redirects.items()})
    return adapter.want(catalogue, wanted_contents(catalogue, redirects))


def needed_operations(wanted: Wanted, present: Contents, target: TargetState) -> tuple[Operation, ...]:
    """The operations that bring a store from ``present`` to ``wanted``; held keys are left alone."""
    return operations(wanted.contents, present, Absent(target.held, target.retire))


TAKEN_OVER = "a row of this key is in the store that is not torgsync's (managed is false): it stays as it is"


def taken_over(found: Comparison) -> list[RefusedRow]:
    """Rows that a store shall hold and whose keys somebody else's rows have there: no operation touches them."""
    rows = []
    for entity, keys in found.present.others.items():
        table = found.wanted.contents.table(entity)
        named = "old_path" if entity == "redirect" else "name"
        for key in table:
            if key in keys:
                rows.append(RefusedRow(entity=entity, key=key, name=str(table.value(key, named)), reason=TAKEN_OVER))
    return rows


def open_store(run: Run, settings: StoreSettings) -> StoreAdapter:
    """The store of these settings, with what it confirmed the last time. What it cannot do is noted in the report."""
    adapter = adapter_of(
        run.shop,
        settings,
        lambda: _prior_state(run, settings),
        datetime.fromisoformat(run.report.started_at),
        partial(run.state.bind, settings.name),
        partial(run.steps.progress, f"load {settings.name}"),
    )
    run.report.gaps[settings.name] = {str(kind): why for kind, why in adapter.capabilities.gaps.items()}
    return adapter


def adapter_of(
    shop: Shop,
    settings: StoreSettings,
    prior_state: Callable[[], PriorState],
    moment: datetime,
    bind: Remember = lambda rows: None,
    progress: Progress = silent,
) -> StoreAdapter:
    """The store of these settings. ``prior_state`` is asked only by kinds that cannot tell by themselves what is ours.

    ``moment`` is the date that a feed bears. ``bind`` remembers a store's own ids. Every error in it is a StoreError.
    """
    with contained(shop, settings.name):
        return Contained(_adapter(shop, settings, prior_state, moment, bind, progress), shop)


def _adapter(
    shop: Shop,
    settings: StoreSettings,
    prior_state: Callable[[], PriorState],
    moment: datetime,
    bind: Remember,
    progress: Progress,
) -> StoreAdapter:
    if isinstance(settings, SqlStore):
        return SqlAdapter(settings, shop.folder, progress=progress, shop=shop.name, mode=shop.new_file_mode)
    if isinstance(settings, WooCommerceStore):
        return WooCommerceAdapter(settings, shop.output, prior_state(), bind, progress=progress)
    if isinstance(settings, OpenCartStore):
        return OpenCartAdapter(settings, shop.folder, progress=progress, shop=shop.name)
    return feed_adapter(settings, shop.folder, prior_state(), moment, shop.new_file_mode)


def _prior_state(run: Run, settings: StoreSettings) -> PriorState:
    if isinstance(settings, WooCommerceStore):
        return PriorState(bindings=run.state.bindings(settings.name))
    confirmed = run.state.confirmed().get(settings.name)
    if confirmed is None:
        return PriorState()
    if not run.history.has_catalogue(confirmed.catalogue):  # the guard «no_history» reports it
        return PriorState(files=confirmed.files)
    catalogue = run.history.catalogue(confirmed.catalogue)
    return PriorState(wanted_contents(catalogue, Rows()), catalogue, files=confirmed.files)
