"""A shop, and nights that plan and apply a catalogue there, without flows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.woocommerce.nights import Night
from tests.woocommerce.standin import KEY, SECRET, StandIn, stand_in


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setenv("WOO_KEY", KEY)
    monkeypatch.setenv("WOO_SECRET", SECRET)
    with stand_in() as found:
        yield found


@pytest.fixture
def night(server: StandIn, tmp_path: Path) -> Night:
    return Night(server, tmp_path)
