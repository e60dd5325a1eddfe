"""Checks the category tables of a shop's OpenCart stores."""

from __future__ import annotations

from schemas.errors import SettingsError, closest
from schemas.settings.opencart import OpenCartStore
from schemas.settings.shop import Shop
from stores.opencart.check import FINDINGS, Finding, check


def check_opencart(shop: Shop, store: str | None = None) -> dict[str, list[Finding]]:
    """Return the findings of each OpenCart store, or of the named one, by the name of the store.

    Raises SettingsError where the shop has no such store, StoreError where one cannot be read.
    """
    stores = [settings for settings in shop.stores if isinstance(settings, OpenCartStore)]
    if not stores:
        raise SettingsError(f"{shop.name} has no OpenCart store", 'add [[stores]] with kind = "opencart" to shop.toml')
    chosen = [settings for settings in stores if store in (None, settings.name)]
    if not chosen:
        raise SettingsError(f'no OpenCart store "{store}"', closest(str(store), [settings.name for settings in stores]))
    return {settings.name: check(settings) for settings in chosen}


def next_step(finding: Finding) -> str:
    """Return what to do about a finding."""
    return FINDINGS[finding.code][1]
