"""Fixtures of the feeds' tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / ".." / "shared"


@pytest.fixture
def real() -> Path:
    """The folder with ``yml.dtd``; without it the test is skipped loudly, or fails where it is required."""
    if not (SHARED / "yml.dtd").is_file():
        if os.environ.get("TORGSYNC_REQUIRE_REAL") == "1":
            pytest.fail("TORGSYNC_REQUIRE_REAL=1, but ../shared holds no yml.dtd")
        pytest.skip("no yml.dtd in ../shared: only our own rules were checked")
    return SHARED
