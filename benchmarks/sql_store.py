"""First load, second load and a night with 1 % of changes into the SQL store, against pandas' ``to_sql``.

    python -m benchmarks.sql_store [GOODS]        # default 100000; PostgreSQL and MariaDB where they are installed

Prints rows/s and the ratio to ``to_sql`` of the same rows, each the median of three, alternated.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine

from schemas.contents import Contents, Rows
from schemas.settings.stores import SqlStore
from schemas.tables import OFFERS, RAW_GOODS, conform
from stores.sql import SqlAdapter
from tests.database_servers import mariadb, postgres
from tests.pure import decide, sections_frame, types_frame
from transforms.plan import Absent, operations, wanted_contents

CATEGORIES = 2000
ROUNDS = 3


def contents(goods: int, changed: int = 0) -> tuple[Contents, pd.DataFrame]:
    """What the store shall hold; the first ``changed`` goods with another name."""
    rows = [(n, None if n <= 20 else (n - 1) // 20, f"Розділ {n}", n) for n in range(1, CATEGORIES + 1)]
    frame = pd.DataFrame({
        "good_id": range(1, goods + 1), "type_id": [n % CATEGORIES + 1 for n in range(goods)],
        "good_name": [f"Товар {n}, {'новий' if n < changed else 'гарний'}" for n in range(goods)],
        "position": range(goods), "articul": [f"A-{n}" for n in range(goods)],
        "description": ["Опис товару, кілька слів про нього"] * goods,
    })  # fmt: skip
    frame["retail_price"] = pd.Series(
        [Decimal(n % 900) / 4 for n in range(goods)], dtype=RAW_GOODS.columns["retail_price"].dtype.type
    )
    made = decide(types_frame(*rows), sections_frame(*rows), conform(frame, RAW_GOODS)).catalogue
    return wanted_contents(made, Rows()), conform(made.offers, OFFERS)


def apply(url: str, wanted: Contents) -> tuple[float, int]:
    """Seconds and operations of one load: read, compare, write, commit."""
    os.environ["TORGSYNC_BENCH"] = url
    target = SqlAdapter(SqlStore(name="bench", kind="sql", url_env="TORGSYNC_BENCH"), Path())
    begin = time.perf_counter()
    found = operations(wanted, target.read(), Absent())
    if found:
        from stores.protocol import Wanted

        replan = lambda present: operations(wanted, present, Absent())  # noqa: E731
        target.apply(Wanted(None, wanted), replan, lambda: None)  # type: ignore[arg-type]
    return time.perf_counter() - begin, len(found)


def peer(url: str, offers: pd.DataFrame) -> float:
    """Seconds of ``to_sql`` for the same goods."""
    engine = create_engine(url)
    begin = time.perf_counter()
    with engine.begin() as connection:
        offers.to_sql("peer", connection, if_exists="replace", index=False, chunksize=5000)
    took = time.perf_counter() - begin
    engine.dispose()
    return took


@contextmanager
def databases() -> Iterator[dict[str, Callable[[], str]]]:
    """A function per database that gives the URL of a fresh one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        count = iter(range(1000))
        out: dict[str, Callable[[], str]] = {"SQLite": lambda: f"sqlite:///{folder / f'{next(count)}.db'}"}
        for name, start, more in (("PostgreSQL", postgres, ""), ("MariaDB", mariadb, "CHARACTER SET utf8mb4")):
            try:
                server = stack.enter_context(start())
            except BaseException as error:
                print(f"{name}: {error}")
                continue
            out[name] = lambda server=server, more=more: stack.enter_context(server.database(more))  # type: ignore[misc]
        yield out


def main() -> None:
    """Measure and print."""
    goods = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first, offers = contents(goods)
    second, _ = contents(goods, changed=goods // 100)
    plain = offers.assign(retail_price=offers["retail_price"].astype(str))
    with databases() as fresh:
        for name, url_of in fresh.items():
            times: dict[str, list[float]] = {"first": [], "nothing": [], "changes": [], "to_sql": []}
            for _ in range(ROUNDS):
                url = url_of()
                times["to_sql"].append(peer(url, plain))
                for step, wanted in (("first", first), ("nothing", first), ("changes", second)):
                    times[step].append(apply(url, wanted)[0])
            middle = {step: statistics.median(found) for step, found in times.items()}
            rows = goods + CATEGORIES
            print(
                f"{name}: first load {rows / middle['first']:,.0f} rows/s ({middle['to_sql'] / middle['first']:.2f} × "
                f"to_sql's {goods / middle['to_sql']:,.0f} rows/s); nothing to do {middle['nothing']:.2f} s; "
                f"1 % changed {middle['changes']:.2f} s"
            )


if __name__ == "__main__":
    main()
