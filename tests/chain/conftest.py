"""The chain's shops after a night one after another: what every other way of running them must give as well."""

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
    """By shop: what its stores hold, what its state knows."""

    stores: dict[str, Any]
    state: dict[str, Any]

    def check(self, root: Path) -> None:
        """The sound shops below ``root`` came out the same, row for row."""
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
