"""A feed of any size is written in the memory of one piece of goods."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pandas as pd
import pytest

from schemas.settings.feeds import CsvFeed, JsonFeed
from stores.feeds.google import write_google
from stores.feeds.tables import write_csv, write_json
from stores.feeds.yml import write_yml
from tests.feeds.shop import DATE, TREE, google_feed, offers, yml_feed


class Nowhere:
    """Keeps nothing but the size of what it was given at once."""

    def __init__(self) -> None:
        self.greatest = 0

    def write(self, data: bytes) -> int:
        self.greatest = max(self.greatest, len(data))
        return len(data)


WRITERS: dict[str, Any] = {
    "yml": lambda stream, goods: write_yml(stream, TREE, goods, yml_feed(profile="prom"), DATE),
    "google": lambda stream, goods: write_google(stream, TREE, goods, google_feed()),
    "csv": lambda stream, goods: write_csv(stream, TREE, goods, CsvFeed()),
    "json": lambda stream, goods: write_json(stream, TREE, goods, JsonFeed()),
}


@pytest.fixture(scope="module")
def shops() -> dict[int, pd.DataFrame]:
    """Goods by number of goods."""
    few = offers(*({"name": f"Матова помада для губ №{i}", "description": "Опис " * 20} for i in range(1000)))
    return {
        size: pd.concat([few] * (size // 1000), ignore_index=True).assign(
            good_id=pd.array(range(1, size + 1), "Int64"),
            model_good_id=pd.array([i // 3 for i in range(size)], "Int64"),
        )
        for size in (4_000, 16_000)
    }


@pytest.mark.parametrize("kind", WRITERS)
def test_four_times_the_goods_take_no_more_memory(kind: str, shops) -> None:
    peaks, greatest = {}, {}
    WRITERS[kind](Nowhere(), shops[4_000])  # what is made once (caches, imports) is no part of it
    for size, goods in shops.items():
        stream = Nowhere()
        tracemalloc.start()
        written = WRITERS[kind](stream, goods)
        peaks[size] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        greatest[size] = stream.greatest
        assert written.offers == size
    # the check that ids are unique takes some bytes a good; all else is the memory of one piece
    assert peaks[16_000] < peaks[4_000] * 1.5
    assert greatest[16_000] < greatest[4_000] * 1.2
