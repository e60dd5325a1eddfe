"""Plans of runs, and the shop of a plan file."""

from __future__ import annotations

from pathlib import Path

from engine.shops import load_shop
from schemas.errors import SettingsError
from schemas.plan import Plan
from schemas.settings.shop import Shop
from state.history import History, read_plan


def plan_of(shop: Shop, run: str) -> Plan | None:
    """Return the plan of a run; None where it ended before it had one."""
    return History(shop.folder / "history").plan(run)


def shop_of(path: Path) -> Shop:
    """Return the shop of a plan file: the folder above it with a shop.toml, else the shop named in the plan.

    Raises SettingsError where there is neither, TorgsyncError for a file that is not a plan.
    """
    for folder in path.resolve().parents:
        if (folder / "shop.toml").is_file():
            return load_shop(folder)
    try:
        return load_shop(read_plan(path).shop)
    except SettingsError as error:
        raise SettingsError(error.message, "give the shop's folder: --shop FOLDER") from error
