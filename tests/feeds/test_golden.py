"""Every folder of ``golden/``: a catalogue, a store's settings, and the very file that comes of them.

To add a case, make a folder with ``categories.csv``, ``offers.csv`` and ``feed.toml`` and run this test: it writes the
file and its notes, and fails once so that somebody looks at them (docs/feeds.md).
"""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schemas.settings.feeds import CsvFeed, GoogleFeed, JsonFeed, YmlFeed
from schemas.tables import CATEGORIES, OFFERS, conform
from stores.feeds.goods import KINDS
from tests.feeds.rules import faults
from tests.feeds.schema import schema_errors
from tests.feeds.shop import write

GOLDEN = Path(__file__).parent / "golden"
MODELS: dict[str, Any] = {"yml": YmlFeed, "google": GoogleFeed, "csv": CsvFeed, "json": JsonFeed}
SUFFIX = {"yml": "xml", "google": "xml", "csv": "csv", "json": "json"}


def table(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False).astype(object)
    return frame.where(frame != "", None)


def read_categories(folder: Path) -> pd.DataFrame:
    frame = table(folder / "categories.csv")
    frame["path"] = frame["path"].map(json.loads)
    for column in ("number", "parent_number", "depth", "goods"):
        frame[column] = [None if value is None else int(value) for value in frame[column]]
    return conform(frame, CATEGORIES)


def read_offers(folder: Path) -> pd.DataFrame:
    frame = table(folder / "offers.csv")
    cast = {"integer": int, "flag": int, "decimal": Decimal, "text": str}
    for column in frame.columns.drop("hidden", errors="ignore"):
        frame[column] = [None if value is None else cast[KINDS[column]](value) for value in frame[column]]
    frame["hidden"] = [value == "1" for value in frame["hidden"]]
    return conform(frame, OFFERS)


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir() if path.is_dir()))
def test_a_golden_catalogue_gives_the_golden_file_byte_for_byte(name: str) -> None:
    folder = GOLDEN / name
    settings = tomllib.loads((folder / "feed.toml").read_text(encoding="utf-8"))
    kind, date = settings.pop("kind"), settings.pop("date", None)
    dated = {} if date is None else {"date": date}
    tree, goods = read_categories(folder), read_offers(folder)
    data, done = write(MODELS[kind].model_validate(settings), goods, tree, **dated)
    notes = "".join(f"{line}\n" for line in done.notes)
    wanted, wanted_notes = folder / f"feed.{SUFFIX[kind]}", folder / "notes.txt"
    if not wanted.exists():
        wanted.write_bytes(data)
        wanted_notes.write_text(notes, encoding="utf-8", newline="\n")
        pytest.fail(f"{wanted.name} and notes.txt of {name} are new: look at them, then commit them")
    assert data.decode("cp1251" if settings.get("encoding") == "cp1251" else "utf-8") == wanted.read_bytes().decode(
        "cp1251" if settings.get("encoding") == "cp1251" else "utf-8"
    )
    assert data == wanted.read_bytes()
    assert notes == wanted_notes.read_text(encoding="utf-8")
    assert done.offers + sum(done.left_out.values()) == len(goods)
    if kind == "yml":
        assert faults(data, frozenset({"price_old", "stock_quantity"})) == []
        assert schema_errors(data) == []


def test_there_is_a_golden_case_of_every_kind_and_profile() -> None:
    found = [tomllib.loads(path.read_text(encoding="utf-8")) for path in GOLDEN.glob("*/feed.toml")]
    assert {(case["kind"], case.get("profile")) for case in found} >= {
        ("yml", None), ("yml", "prom"), ("yml", "rozetka"), ("google", None), ("csv", None), ("json", None),
    }  # fmt: skip
