"""``torgsync opencart check``: what OpenCart's admin never tells of its categories (docs/opencart.md)."""

from __future__ import annotations

from cli.console import out, out_json
from engine.setup.shops import load_shop
from schemas.errors import SettingsError, closest
from schemas.settings.opencart import OpenCartStore
from schemas.settings.shop import Shop


def run_check(shop: str, store: str | None, as_json: bool) -> None:
    """Print every finding; exit 1 when there is one. Raises SettingsError, and StoreError where none can be read."""
    from stores.opencart.check import FINDINGS, check

    found = {settings.name: check(settings) for settings in _chosen(load_shop(shop), store)}
    if as_json:
        keys = ("code", "categories", "ours", "detail")
        out_json(
            {
                name: [
                    {**{key: getattr(finding, key) for key in keys}, "next_step": FINDINGS[finding.code][1]}
                    for finding in findings
                ]
                for name, findings in found.items()
            }
        )
    else:
        for name, findings in found.items():
            out(f"{name}: {len(findings)} findings" if findings else f"{name}: the category tables are sound")
            for finding in findings:
                out(f"  {finding}")
    if any(found.values()):
        raise SystemExit(1)


def _chosen(shop: Shop, store: str | None) -> list[OpenCartStore]:
    """The shop's OpenCart stores, or the named one."""
    stores = [settings for settings in shop.stores if isinstance(settings, OpenCartStore)]
    if not stores:
        raise SettingsError(f"{shop.name} has no OpenCart store", 'add [[stores]] with kind = "opencart" to shop.toml')
    if store is None:
        return stores
    chosen = [settings for settings in stores if settings.name == store]
    if not chosen:
        raise SettingsError(f'no OpenCart store "{store}"', closest(store, [settings.name for settings in stores]))
    return chosen
