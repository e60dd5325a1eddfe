"""Fixtures of the sync file's tests: a file out of lines, and the real nights where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REAL = Path(__file__).parents[2] / ".." / "shared" / "data"


@pytest.fixture
def real() -> Path:
    """The folder of the real exports; without it the test is skipped loudly, or fails where they are required."""
    if not (REAL / "cosmetics_2025-02-09.trs").is_file():
        if os.environ.get("TORGSYNC_REQUIRE_REAL") == "1":
            pytest.fail("TORGSYNC_REQUIRE_REAL=1, but ../shared/data holds no real exports")
        pytest.skip("no real exports in ../shared/data: the golden test did NOT run")
    return REAL


@pytest.fixture
def trs(tmp_path: Path) -> Callable[..., Path]:
    """Writes a sync file of the given rows, every text quoted; columns by name, all others absent."""

    def write(rows: list[dict[str, object]], *, separator: str = "\r\n", encoding: str = "utf-8") -> Path:
        names = list(rows[0])
        lines = [";".join(f'"{name}"' for name in names)]
        for row in rows:
            cells = []
            for name in names:
                value = row[name]
                quoted = '"' + str(value).replace('"', '""') + '"'
                cells.append(quoted if isinstance(value, str) else "" if value is None else str(value))
            lines.append(";".join(cells))
        path = tmp_path / "TSGoods.trs"
        path.write_bytes((separator.join(lines) + separator).encode(encoding))
        return path

    return write
