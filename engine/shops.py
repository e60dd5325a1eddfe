"""Finds and reads shops: one by folder, file or name, or all that a command is about."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from schemas.command import COMMAND
from schemas.errors import SettingsError, closest
from schemas.settings.claims import RUN, shop_claims
from schemas.settings.files import Claim, first_clash, real
from schemas.settings.shop import Shop, parse_shop
from schemas.settings.sound import parse_sound_parts
from state.url import state_url


def find_shop(shop: str | Path) -> Path:
    """The ``shop.toml`` of a folder, of a file, or of a name below ``shops/`` or ``data/samples/``.

    Raises SettingsError with the shops that were found when there is none.
    """
    given = Path(shop).expanduser()
    bases = [Path("shops"), Path("data/samples"), Path()]
    for candidate in (given, given / "shop.toml", *(base / given / "shop.toml" for base in bases)):
        if candidate.is_file():
            return candidate.resolve()
    known = sorted({path.parent.name for base in bases[:2] for path in base.glob("*/shop.toml")})
    hint = closest(str(shop), known) if known else "give the folder that holds shop.toml"
    raise SettingsError(f'no shop "{shop}": no shop.toml there', hint)


def load_shop(shop: str | Path) -> Shop:
    """Read and check ``shop.toml``. Raises SettingsError that lists every fault with file, key and closest match."""
    path = find_shop(shop)
    loaded = parse_shop(_text(path), path)
    if clash := first_clash(shop_claims(loaded, os.environ), _inode):
        raise SettingsError(f"{path}: {clash.sentence}", clash.next_step)
    return loaded


def _inode(place: str) -> list[str]:
    """A file has several names where somebody made hard links of it."""
    try:
        status = Path(place).stat()
    except (OSError, ValueError):  # not there, or a URL
        return []
    return [f"inode {status.st_dev} {status.st_ino}"]


def load_sound_parts(shop: str | Path) -> tuple[Shop | None, set[str]]:
    """What is left of a shop whose ``shop.toml`` has faults, and the tables that are left out; None: nothing is left.

    Raises SettingsError where the file cannot be read as TOML at all.
    """
    path = find_shop(shop)
    return parse_sound_parts(_text(path), path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}", "save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}", "correct its rights") from error


def refuse_shop_file(shop: Shop, path: Path) -> None:
    """Raise SettingsError where a file that a person wants written is the shop's own; a run's outputs are replaced."""
    mine = Claim(real(path, Path.cwd()), "a file", "you")
    others = [claim for claim in shop_claims(shop, os.environ) if claim.tree or claim.owner != RUN]
    if clash := first_clash([*others, mine], _inode):
        raise SettingsError(f"{path} is {clash.old.what}", "give another file")


def shop_word(shop: Shop) -> str:
    """The word for a shop in a command that is typed in the current folder: its name, or the path of its folder."""
    try:
        if find_shop(shop.name).parent == shop.folder:
            return shop.name
    except SettingsError:
        pass
    here = Path.cwd()
    return str(shop.folder.relative_to(here) if shop.folder.is_relative_to(here) else shop.folder)


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
        return shop.name, state_url(shop)
    except SettingsError:
        return None
