"""The shops of the table, loaded once for all its cells."""

from __future__ import annotations

import pytest

from tests.nights.damage.cells import Shops


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    return Shops(tmp_path_factory.mktemp("shops"))
