"""Every file of a shop, as claims: which part of it writes or reads which file (``schemas.settings.files``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from schemas.report import CATALOGUE_FILES, RUN_FILES
from schemas.settings.files import (
    LOCK_FILES,
    REMOTE_BESIDE,
    Claim,
    base_file,
    database_claims,
    real,
    sqlite_file,
)
from schemas.settings.opencart import MAP_NAMES, OpenCartStore
from schemas.settings.stores import FileStore, SqlStore, StoreSettings
from schemas.settings.woocommerce import WooCommerceStore

if TYPE_CHECKING:
    from schemas.settings.shop import Shop

RUN = "every run"


def shop_claims(shop: Shop, environment: Mapping[str, str]) -> Iterator[Claim]:
    """Every file that a run writes or reads on this machine, and every store's file on a server.

    ``environment`` has the URLs of databases that shop.toml names by variable; one that is not there is left out.
    """
    yield from _own_claims(shop, environment)
    yield from _inputs(shop)
    for store in shop.stores:
        yield from _store_claims(shop, store, environment)


def _own_claims(shop: Shop, environment: Mapping[str, str]) -> Iterator[Claim]:
    """What torgsync itself writes: a run's outputs, the state, the history, the lock."""
    names = [*RUN_FILES, *(f"{store.name}/{name}" for store in shop.stores for name in CATALOGUE_FILES)]
    names += [f"redirects-{store.name}.csv" for store in shop.stores if isinstance(store, WooCommerceStore)]
    for name in (*(f"output/{name}" for name in names), *LOCK_FILES):
        yield Claim(real(name, shop.folder), "a file that every run writes", RUN)
    for name in ("", *(store.name for store in shop.stores)):
        yield Claim(real(f"output/{name}", shop.folder), "a folder of the outputs", RUN)
    yield Claim(real("history", shop.folder), "the history", RUN, tree=True)
    named = shop.state.url_env
    url = shop.state.url or "sqlite:///state.db" if named is None else environment.get(named)
    yield from database_claims(sqlite_file(url, shop.folder), "the state database", "the state")


def _inputs(shop: Shop) -> Iterator[Claim]:
    """What a run only reads."""
    for name in ("shop.toml", *([shop.sections.rules] if shop.sections.rules else [])):
        yield Claim(real(name, shop.folder), "a file that every run writes or reads", "the settings", writes=False)
    if base := base_file(shop.source.dsn, shop.folder):
        for place in (base, f"{base}.delta"):  # the second is nbackup's
            yield Claim(place, "the Torgsoft base", "the source", writes=False)
    for store in shop.stores:
        for key in ("key_file", "known_hosts", "cafile"):
            if file := getattr(store, key, None):
                what = f"the {key} of store {store.name}"
                yield Claim(real(file, shop.folder), what, f"{key} of {store.name}", writes=False)


def _store_claims(shop: Shop, store: StoreSettings, environment: Mapping[str, str]) -> Iterator[Claim]:
    owner = f"store {store.name}"
    what = f"a file that {owner} writes"
    if isinstance(store, FileStore):
        place = store.place_of(store.filename, shop.folder)
        beside = ("", ".part") if store.protocol == "folder" else ("", *REMOTE_BESIDE)
        yield from (Claim(f"{place}{suffix}", what, owner) for suffix in beside)
    elif isinstance(store, SqlStore):
        url = store.url if store.url_env is None else environment.get(store.url_env)
        yield from database_claims(sqlite_file(url, shop.folder), f"the database of {owner}", owner)
    elif isinstance(store, OpenCartStore) and store.redirects is not None:
        yield from (Claim(real(name, shop.path(store.redirects)), what, owner) for name in MAP_NAMES.values())
