"""Which shops a command is about."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from schemas.command import COMMAND
from schemas.errors import SettingsError
from schemas.settings.shop import Shop, find_shop, load_shop


def shops_here(words: str) -> list[str]:
    """The folder of the shop that the working folder is, else of every shop below ``shops/``.

    Raises SettingsError where there is none; ``words`` are those after ``torgsync`` that a shop's name may follow.
    """
    if Path("shop.toml").is_file():
        return ["."]
    found = [str(path.parent) for path in sorted(Path("shops").glob("*/shop.toml"))]
    if not found:
        raise SettingsError("no shop here", f"give one: {COMMAND} {words} SHOP")
    return found


def load_shops(words: Iterable[str] = ()) -> list[Shop]:
    """The shops of ``find_shops``. Raises SettingsError for wrong settings, and where two shops have the same name."""
    found = [load_shop(folder) for folder in find_shops(words)]
    names = [shop.name for shop in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f"two shops have the same name: {', '.join(sorted(twice))}", "rename one in its shop.toml")
    return found


def find_shops(shops: Iterable[str] = (), below: Path = Path("shops")) -> list[str]:
    """The folders of the shops that are named, or of all below ``shops/``, as text that means the same everywhere.

    Raises SettingsError where there is none, where one is not found, or where two are one shop: the same folder, or the
    same name in the same state database.
    """
    named = list(shops) or sorted(str(path.parent) for path in below.glob("*/shop.toml"))
    if not named:
        raise SettingsError(f"no shop below {below}/: no folder there holds a shop.toml", "name the shops' folders")
    folders = [str(find_shop(shop).parent) for shop in named]
    seen: dict[object, str] = {}
    for folder in folders:
        for key in (folder, _identity(folder)):
            if key is not None and key in seen:
                raise SettingsError(
                    f"{folder} is the same shop as {seen[key]}", "name it once, or give it its own name"
                )
        seen |= dict.fromkeys((folder, _identity(folder)), folder)
    return folders


def _identity(folder: str) -> object:
    """What a shop is known by in its state database; None where its settings are wrong, which its own run tells."""
    try:
        shop = load_shop(folder)
        return shop.name, shop.state_url
    except SettingsError:
        return None
