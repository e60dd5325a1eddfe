"""Seconds that an OpenCart store takes for 2,000 categories and 100,000 goods: first load, a quiet night, new prices.

Run: ``python -m benchmarks.opencart [goods] [version …]``. It starts a MariaDB of its own (mariadb-server-core) and
makes OpenCart's tables as tests/opencart/tables.py declares them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
from sqlalchemy import create_engine

from schemas.catalogue import Catalogue
from schemas.contents import Contents, Rows
from schemas.settings.opencart import OpenCartStore
from schemas.tables import ASSIGNMENTS, CATEGORIES, CLEAN_PRODUCT_TYPES, DECIMAL, OFFERS, SECTIONS, conform
from stores.opencart.adapter import OpenCartAdapter
from tests.database_servers import mariadb
from tests.opencart.tables import create, populate
from tests.pure import empty_frame
from transforms.plan import REDIRECT_COLUMNS, Absent, operations, wanted_contents

BRANCHES = (20, 10, 9)


def categories() -> pd.DataFrame:
    """20 roots with 10 children of 9 each: 2,020 categories."""
    rows: list[tuple[int, str, int | None, list[str], int]] = []
    level: list[tuple[int | None, list[str]]] = [(None, [])]
    for depth, width in enumerate(BRANCHES, start=1):
        below: list[tuple[int | None, list[str]]] = []
        for parent, path in level:
            for position in range(width):
                name = f"Розділ {len(rows) + 1} «{'їєґ'[position % 3]}»"
                rows.append((len(rows) + 1, name, parent, [*path, name], depth))
                below.append((rows[-1][0], rows[-1][3]))
        level = below
    frame = pd.DataFrame(rows, columns=["number", "name", "parent_number", "path", "depth"])
    return conform(frame.assign(goods=0), CATEGORIES)


def catalogue(goods: int, price: str) -> Catalogue:
    """A catalogue of so many goods at one price, spread over the leaves."""
    shelf = categories()
    leaves = [int(n) for n, depth in zip(shelf["number"], shelf["depth"], strict=True) if depth == len(BRANCHES)]
    prices = pyarrow.array([Decimal(price)] * goods, DECIMAL.pyarrow_dtype)
    offers = pd.DataFrame(
        {
            "good_id": range(1, goods + 1),
            "category_number": [leaves[n % len(leaves)] for n in range(goods)],
            "name": [f"Товар № {n} & ко" for n in range(goods)],
            "articul": [f"A-{n}" for n in range(goods)],
            "barcode": [f"482{n:010d}" for n in range(goods)],
            "retail_price": pd.Series(prices, dtype=DECIMAL),
            "warehouse_quantity": pd.Series(prices, dtype=DECIMAL),
            "hidden": False,
        }
    )
    empty = (empty_frame(schema) for schema in (ASSIGNMENTS, SECTIONS, CLEAN_PRODUCT_TYPES))
    assignments, sections, types = empty
    return Catalogue(shelf, assignments, conform(offers, OFFERS), sections, types)


def night(store: OpenCartStore, found: Catalogue) -> dict[str, float]:
    """Seconds of a night's parts, and its operations."""
    seconds: dict[str, float] = {}

    def timed(name: str, do: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = do()
        seconds[name] = time.perf_counter() - start
        return result

    target = OpenCartAdapter(store, Path(tempfile.gettempdir()))
    wanted = timed("want", lambda: target.want(found, wanted_contents(found, Rows(REDIRECT_COLUMNS))))
    present: Contents = timed("read", target.read)
    needed = timed("plan", lambda: operations(wanted.contents, present, Absent()))
    if needed:
        replan = lambda now: operations(wanted.contents, now, Absent())  # noqa: E731
        timed("apply", lambda: target.apply(wanted, replan, lambda: None))
    return {**seconds, "operations": float(len(needed))}


def main(goods: int, versions: list[str]) -> None:
    """Print seconds and rows per second."""
    with mariadb() as server:
        for version in versions:
            with server.database("CHARACTER SET utf8mb4") as url:
                engine = create_engine(url)
                with engine.connect() as connection:
                    create(connection, version)
                    populate(connection, version)
                engine.dispose()
                store = OpenCartStore(name="bench", kind="opencart", url=url)
                first, prices = catalogue(goods, "10.5"), catalogue(goods, "11")
                for name, found in (("first load", first), ("quiet", first), ("all prices", prices)):
                    parts = night(store, found)
                    count = int(parts.pop("operations"))
                    speed = f", {count / parts['apply']:,.0f} rows/s" if count else ""
                    told = ", ".join(f"{part} {taken:.1f} s" for part, taken in parts.items())
                    print(f"{version:11} {name:11} {told}; {count:,} operations{speed}", flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(int(arguments[0]) if arguments else 100_000, arguments[1:] or ["ocstore", "4.1"])
