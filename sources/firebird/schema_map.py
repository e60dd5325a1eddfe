"""Schema maps: which tables and columns of a base hold what. Names live in configuration, never in code.

The vendor publishes no names and they differ between shops (domain.md section 3), so a shop's own map is written into
``shop.toml`` as ``[source.map.…]``; ``torgsync inspect`` proposes one.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from schemas.errors import SettingsError, closest
from schemas.settings.shop import SchemaMap, SourceSettings

MAPS = Path(__file__).parent / "maps"
"""Folder of the named maps."""


def named_maps() -> list[str]:
    """Names of all maps that come with torgsync."""
    return sorted(path.stem for path in MAPS.glob("*.toml"))


def load_map(name: str) -> SchemaMap:
    """The named map. Raises SettingsError with the closest name, or with the faults of the file."""
    if name not in named_maps():
        raise SettingsError(
            f'no schema map "{name}": {closest(name, named_maps())}',
            "use a named map, or write [source.map.product_types], [source.map.sections] and [source.map.goods]",
        )
    path = MAPS / f"{name}.toml"
    try:
        return SchemaMap.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SettingsError(f"{path.name}: {error}") from error


def schema_map(settings: SourceSettings) -> SchemaMap:
    """The map of a shop: its own, or the named one. Raises SettingsError for an unknown name."""
    return load_map(settings.map) if isinstance(settings.map, str) else settings.map
