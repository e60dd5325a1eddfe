"""Finds and reads the ``shop.toml`` of a shop that was named by folder, file or name."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import SettingsError, closest
from schemas.settings.shop import Shop, parse_shop


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
    try:
        return parse_shop(path.read_text(encoding="utf-8-sig"), path)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error


def shop_word(shop: Shop) -> str:
    """The word for a shop in a command that is typed in the current folder: its name, or the path of its folder."""
    try:
        if find_shop(shop.name).parent == shop.folder:
            return shop.name
    except SettingsError:
        pass
    here = Path.cwd()
    return str(shop.folder.relative_to(here) if shop.folder.is_relative_to(here) else shop.folder)
