"""What of a faulty ``shop.toml`` is right all the same: for whoever looks at a shop, not for a run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import SettingsError
from schemas.settings.shop import Shop, rename_keys, toml_data, with_nul

_STAND_INS: dict[str, Any] = {"name": "shop", "source": {"dsn": "none.fdb"}}
"""Takes the place of a table without which there is no shop."""


def parse_sound_parts(text: str, file: Path) -> tuple[Shop | None, set[str]]:
    """The shop without those tables of a faulty ``shop.toml`` that hold a fault, and the names of these tables.

    For a look at the rest only: a run needs all. A store that is left out is named ``stores``. None where nothing is
    left to look at.
    """
    data = toml_data(text, file)
    with suppress(SettingsError):
        rename_keys(data, file)
    left_out: set[str] = set()
    faulty: set[tuple[Any, ...]] = set(with_nul(data))
    for _ in range(2 * len(data) + 20):
        try:
            if not faulty:
                return Shop.model_validate({**_STAND_INS, **data, "folder": file.parent}), left_out
        except ValidationError as error:
            faulty = {tuple(each["loc"]) for each in error.errors()}
        stores = data.get("stores")
        for place in sorted({loc[1] for loc in faulty if loc[:1] == ("stores",) and len(loc) > 1}, reverse=True):
            if isinstance(stores, list) and isinstance(place, int):
                del stores[place]
                left_out.add("stores")
                faulty = {loc for loc in faulty if loc[:2] != ("stores", place)}
        for loc in faulty:
            name = str(loc[0]) if loc else "stores"  # stores that do not fit each other
            data.pop(name, None)
            left_out.add(name)
        faulty = set()
    return None, left_out
