"""How often the guards' defaults are wrong: every night of tests/nights/damage in every shop, through the whole sync.

    .venv/bin/python -m benchmarks.guards [--sizes 8 40 600 1864]

Prints each cell that is not as its file says, then the table of docs/guards.md: false alarms and missed damage.
"""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.nights.damage.cells import Shops
from tests.nights.damage.table import SIZES, read_cases


def main() -> None:
    """Run all cells, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = parser.parse_args().sizes
    print("| nights | cells | stopped | told | silent | not as declared |\n|---|--:|--:|--:|--:|--:|")
    with TemporaryDirectory() as place:
        shops = Shops(Path(place) / "loaded")
        for folder, what in (("cases", "damaged"), ("normal", "normal")):
            counts: Counter[str] = Counter()
            wrong = []
            for name, case in read_cases(folder).items():
                for size in [size for size in sizes if size in case.only]:
                    work = Path(place) / "night"
                    cell = shops.cell(case, size, work)
                    counts[cell.outcome] += 1
                    if said := cell.wrong(case.expected(size), case):
                        wrong.append(f"{name} × {size}: {said}")
                    shutil.rmtree(work)
            figures = " | ".join(str(counts[outcome]) for outcome in ("stopped", "told", "silent"))
            print(f"| {what} | {counts.total()} | {figures} | {len(wrong)} |", *wrong, sep="\n", flush=True)


if __name__ == "__main__":
    main()
