"""One shop per kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.database_servers import DatabaseServer, mariadb
from tests.sql.shops import SqlShop, sql_shop

Make = Callable[..., SqlShop]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes the shop for a database's URL and more settings of its store."""

    def shop(url: str, settings: str = "") -> SqlShop:
        monkeypatch.setenv("TORGSYNC_TEST_SQL", url)
        return sql_shop(tmp_path / "shop", url, settings)

    return shop


@pytest.fixture(params=["sqlite", "postgres_url", "mariadb_url"])
def url(request: pytest.FixtureRequest) -> str:
    return "sqlite:///web.db" if request.param == "sqlite" else str(request.getfixturevalue(request.param))


@pytest.fixture(scope="package")
def careless_server() -> Iterator[DatabaseServer]:
    """A MariaDB server as somebody else set it up: not strict, latin1, MyISAM, names in double quotes."""
    with mariadb(
        "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT", "--character-set-server=latin1",
        "--collation-server=latin1_swedish_ci", "--default-storage-engine=MyISAM",
        "--innodb-default-row-format=compact",
    ) as server:  # fmt: skip
        yield server


@pytest.fixture
def careless_url(careless_server: DatabaseServer) -> Iterator[str]:
    with careless_server.database("CHARACTER SET latin1") as url:
        yield url
