"""Fixtures of the sync file's tests: a file from lines, and the nights of a real shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real_nights import real  # noqa: F401 - a fixture, found by its name


@pytest.fixture
def trs(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a sync file of given rows and columns, every text quoted."""

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
