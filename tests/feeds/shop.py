"""Small catalogues for the tests of feeds, and what a writer makes of them."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from schemas.settings.feeds import CsvFeed, GoogleFeed, JsonFeed, YmlFeed
from schemas.tables import CATEGORIES, OFFERS, conform
from stores.feeds.google import write_google
from stores.feeds.sink import FeedFile
from stores.feeds.tables import write_csv, write_json
from stores.feeds.yml import write_yml

DATE = datetime(2026, 11, 24, 2, 30)


def categories(*rows: tuple[int, str, int | None]) -> pd.DataFrame:
    """CATEGORIES from (number, name, parent's number); a parent that is not there makes a root's path."""
    paths: dict[int, list[str]] = {}
    for number, name, parent in rows:
        paths[number] = [*paths.get(parent or 0, []), name]
    frame = pd.DataFrame(rows, columns=["number", "name", "parent_number"]).assign(
        path=pd.Series([paths[row[0]] for row in rows], dtype=object),
        depth=[len(paths[row[0]]) for row in rows],
        goods=1,
    )
    return conform(frame, CATEGORIES)


def offers(*rows: dict[str, Any]) -> pd.DataFrame:
    """OFFERS: each row's own fields on top of a sound good in category 2 at 100 with 3 in stock."""
    sound = {"category_number": 2, "retail_price": 100, "warehouse_quantity": 3, "hidden": False}
    full = [{**sound, "good_id": place, "name": f"good {place}", **row} for place, row in enumerate(rows, start=1)]
    frame = pd.DataFrame(full).astype(object)
    for field in ("retail_price", "retail_price_with_discount", "warehouse_quantity", "wholesale_price", "prime_cost"):
        if field in frame:
            frame[field] = [None if pd.isna(value) else Decimal(str(value)) for value in frame[field]]
    return conform(frame, OFFERS)


TREE = categories((1, "Косметика", None), (2, "Помади", 1), (3, "Набори", None))


def yml_feed(**keys: Any) -> YmlFeed:
    return YmlFeed.model_validate({"shop_name": "Крамниця", "shop_url": "https://shop.example/", **keys})


def google_feed(**keys: Any) -> GoogleFeed:
    sound = {"shop_name": "Крамниця", "shop_url": "https://shop.example/", "url": "https://shop.example/p/{good_id}"}
    return GoogleFeed.model_validate(sound | keys)


def write(
    feed: YmlFeed | GoogleFeed | CsvFeed | JsonFeed,
    goods: pd.DataFrame,
    tree: pd.DataFrame = TREE,
    date: datetime = DATE,
) -> tuple[bytes, FeedFile]:
    """The file's bytes and the writer's report."""
    stream = io.BytesIO()
    if isinstance(feed, YmlFeed):
        done = write_yml(stream, tree, goods, feed, date)
    elif isinstance(feed, GoogleFeed):
        done = write_google(stream, tree, goods, feed)
    elif isinstance(feed, CsvFeed):
        done = write_csv(stream, tree, goods, feed)
    else:
        done = write_json(stream, tree, goods, feed)
    return stream.getvalue(), done
