"""One cell of the table: a night in one shop, through the whole sync of the engine, into three stores."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from engine.main_path import sync
from engine.shops import load_shop
from schemas.settings.shop import Shop
from tests.nights.damage.table import Case, Expected, extract
from tests.transforms.nights import shop

SETTINGS = """
name = "test"
[source]
dsn = "none.fdb"
[sections]
unmapped = "{unmapped}"
[[stores]]
name = "web"
kind = "sql"
url = "sqlite:///web.db"
[[stores]]
name = "site"
kind = "trs"
target = "feed"
encoding = "utf-8"
header = true
[[stores]]
name = "market"
kind = "yml"
target = "feed"
shop_name = "Test"
shop_url = "https://shop.example/"
"""


def new_shop(folder: Path, unmapped: str) -> Shop:
    """A shop that was never loaded."""
    (folder / "feed").mkdir(parents=True)
    (folder / "shop.toml").write_text(SETTINGS.format(unmapped=unmapped), encoding="utf-8")
    return load_shop(folder)


def image(folder: Path) -> dict[str, bytes]:
    """Every byte that the readers of the three stores can see."""
    files = [path for path in (folder / "web.db", *sorted((folder / "feed").iterdir())) if path.exists()]
    return {path.name: path.read_bytes() for path in files}


@dataclass(frozen=True)
class Cell:
    """What became of a night: how it ended, the guards that stopped or noted it, whether a byte of a store changed."""

    outcome: Literal["stopped", "told", "silent"]
    guards: frozenset[str]
    quarantine: bool
    changed: bool
    message: str

    def wrong(self, expected: Expected, case: Case) -> str:
        """What is not as the table says; empty where all is."""
        if expected.stops:
            right = self.outcome == "stopped" and not self.changed
            right &= self.quarantine if expected.quarantine else self.guards >= set(expected.stop)
        elif expected.tell:
            right = self.outcome == "told" and self.guards >= set(expected.tell)
        else:
            right = self.outcome == "silent"
        return "" if right else f"{case.says} Expected {expected!r}, found {self!r}"


class Shops:
    """Shops that were loaded last night, made once each; a cell gets a copy of the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.loaded = cache(self._load)

    def _load(self, size: int, unmapped: str) -> Path:
        folder = self._folder / f"{size}-{unmapped}"
        report = sync(new_shop(folder, unmapped), read=lambda *_: extract(shop(size, unmapped)))
        assert (report.outcome, report.guard_notes) == ("ok", []), report.message
        return folder

    def copy(self, size: int, unmapped: str, to: Path, first: bool = False) -> Shop:
        """A copy of the loaded shop; or one that was never loaded."""
        if first:
            return new_shop(to, unmapped)
        shutil.copytree(self.loaded(size, unmapped), to)
        return load_shop(to)

    def cell(self, case: Case, size: int, to: Path) -> Cell:
        """The night of a case in a shop of this size, worked in the folder ``to``."""
        here = self.copy(size, case.unmapped, to, case.first)
        before = image(to)
        night = case.change(size)
        report = sync(here, read=lambda *_: night)
        changed = image(to) != before
        stopped = report.outcome != "ok"
        words = report.message if stopped else " ".join(report.guard_notes)
        guards = frozenset(re.findall(r"guard «(\w+)»", words))
        told = bool(report.guard_notes)
        outcome: Literal["stopped", "told", "silent"] = "stopped" if stopped else "told" if told else "silent"
        return Cell(outcome, guards, report.exit_code == 5, changed, report.message or words)
