"""The shops of a chain after a sequential night: the expected result of every other way to run them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.chain.shop_run import run_one
from tests.chain.fleet import SOUND, fleet, state_of, stores_of
from tests.database_servers import DatabaseServer


@dataclass(frozen=True)
class Sequential:
    """The contents of stores and state, by shop."""

    stores: dict[str, Any]
    state: dict[str, Any]

    def check(self, root: Path) -> None:
        """Check that the good shops below ``root`` have the same rows."""
        for name in SOUND:
            assert stores_of(str(root / name)) == self.stores[name], name
            assert state_of(str(root / name)) == self.state[name], name


@pytest.fixture(scope="session")
def sequential(tmp_path_factory: pytest.TempPathFactory, postgres_server: DatabaseServer) -> Sequential:
    root = tmp_path_factory.mktemp("sequential")
    with postgres_server.database() as url:
        folders = fleet(root, url, SOUND)
        assert [run_one(folder).outcome for folder in folders] == ["ok"] * len(SOUND)
        return Sequential(
            {Path(folder).name: stores_of(folder) for folder in folders},
            {Path(folder).name: state_of(folder) for folder in folders},
        )
