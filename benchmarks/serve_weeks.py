"""Whether ``torgsync serve`` stays as large as it is: weeks of nights of three shops, a night every few seconds.

    .venv/bin/python -m benchmarks.serve_weeks [--nights 21]

After each night every time in Prefect's database is moved back by a day, so that a week passes in a minute or two; what
is older than three days is deleted, and each state keeps five runs. Prints the figures of every third night; ends with
1 where the last week has more than the week before it.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import psutil

from tests.e2e.test_promises import GOODS, SECTIONS, TYPES
from tests.patience import PATIENCE
from tests.production.conftest import CALM, Served, make_shop, on_disk, serve

NAMES = ("one", "two", "three")
TIMES = {"flow_run": ("end_time", "start_time"), "events": ("occurred",), "event_resources": ("occurred",)}


def night(served: Served, number: int) -> None:
    """All shops at once, each with another base than last night."""
    for name in NAMES:
        served.shops[name].base(TYPES, SECTIONS, GOODS[GOODS["good_id"] != 1 + number % 5])
    for run in [served.start(f"{name}-manual") for name in NAMES]:
        state = served.ended(run)
        assert state["type"] == "COMPLETED", state


def a_day_passes(database: Path) -> None:
    """Move what has ended back by a day."""
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as connection:
        for table, columns in TIMES.items():
            moved = ", ".join(f"{c} = strftime('%Y-%m-%d %H:%M:%f', {c}, '-1 day')" for c in columns)
            done = " where end_time is not null" if table == "flow_run" else ""
            connection.execute(f"update {table} set {moved}{done}")
        connection.commit()


def figures(served: Served) -> dict[str, int]:
    """Megabytes of memory; pages in use and flow runs of Prefect's database; rows of the states."""
    process = psutil.Process(served.process.pid)
    long_lived = [process, *(child for child in process.children(recursive=True) if "run" not in child.name())]
    memory = sum(each.memory_info().rss for each in long_lived if each.is_running())
    with closing(sqlite3.connect(served.folder / ".prefect" / "prefect.db", timeout=PATIENCE)) as database:
        one = {name: database.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count")}
        runs = database.execute("select count(*) from flow_run where end_time is not null").fetchone()[0]
    rows = 0
    for name in NAMES:
        with closing(sqlite3.connect(served.folder / "shops" / name / "state.db", timeout=PATIENCE)) as state:
            tables = [row[0] for row in state.execute("select name from sqlite_master where type = 'table'")]
            rows += sum(state.execute(f'select count(*) from "{table}"').fetchone()[0] for table in tables)
    files = sum(1 for name in NAMES for _ in (served.folder / "shops" / name / "history").rglob("*"))
    pages = one["page_count"] - one["freelist_count"]
    return {"MB": memory // 2**20, "pages": pages, "flow runs": runs, "state rows": rows, "history files": files}


def main() -> int:
    """Run the weeks; 1 where something has grown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=21)
    nights = parser.parse_args().nights
    with on_disk("weeks") as folder:
        shops = {name: make_shop(folder, name, CALM + "[history]\nkeep_runs = 5\n") for name in NAMES}
        served = serve(folder, shops, "--keep-days", "3")
        found = []
        try:
            for number in range(nights):
                night(served, number)
                a_day_passes(folder / ".prefect" / "prefect.db")
                found.append(figures(served))
                if number % 3 == 2:
                    print(number + 1, found[-1], flush=True)
        finally:
            served.process.send_signal(signal.SIGTERM)
            served.process.wait(PATIENCE)
    week = nights // 3
    grown = {}
    for name in found[0]:
        before, after = (max(each[name] for each in part) for part in (found[-2 * week : -week], found[-week:]))
        print(f"{name}: at most {before} in the second week, {after} in the third")
        if after > before * 1.1:
            grown[name] = after
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
