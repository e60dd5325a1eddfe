"""Fixtures of the source tests: one base, embedded and over TCP."""

from __future__ import annotations

import atexit
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fdb
import pandas as pd
import pytest

from schemas.extract import Extract
from schemas.settings.shop import SourceSettings
from sources.firebird.client import load_client
from sources.firebird.extract import read_base
from sources.stand_in.base import build_base
from tests.firebird_server import FirebirdServer
from tests.source.frames import GOODS, SECTIONS, TYPES

PASSWORD_ENV = "TORGSYNC_TEST_PASSWORD"


@cache
def built_bases() -> Path:
    """Where this process keeps the embedded bases that its tests have built."""
    folder = TemporaryDirectory(prefix="torgsync-bases-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@dataclass
class Place:
    """Builds the bases of a test: embedded files, or files behind a real server."""

    kind: str
    folder: Path
    server: FirebirdServer | None = None
    made: int = 0

    def dsn(self, name: str) -> str:
        return self.server.dsn(name) if self.server else str(self.folder / name)

    @property
    def login(self) -> dict[str, Any]:
        return {"user": self.server.user, "password": self.server.password} if self.server else {"user": "SYSDBA"}

    def settings(self, name: str, **more: Any) -> SourceSettings:
        secret = {"password_env": PASSWORD_ENV} if self.server else {}
        return SourceSettings(**{"dsn": self.dsn(name), **secret, **more})

    def build(
        self,
        name: str = "base.fdb",
        types: pd.DataFrame = TYPES,
        sections: pd.DataFrame = SECTIONS,
        goods: pd.DataFrame = GOODS,
        **more: Any,
    ) -> str:
        """Build a stand-in base and return its name."""
        build_base(self.dsn(name), types, sections, goods, overwrite=True, **self.login, **more)
        return name

    def lay(self, name: str, types: pd.DataFrame, sections: pd.DataFrame, goods: pd.DataFrame, **more: Any) -> None:
        """The same for tests of what comes after it: an embedded base of the same rows is built once per process."""
        if self.server:
            self.build(name, types, sections, goods, **more)
            return
        key = sha256(pickle.dumps((types, sections, goods, sorted(more.items())))).hexdigest()
        kept = built_bases() / f"{key}.fdb"
        if not kept.is_file():
            build_base(kept, types, sections, goods, **self.login, **more)
        fresh = self.folder / f"{name}.copy"
        shutil.copyfile(kept, fresh)
        fresh.replace(self.folder / name)  # another file, as a base that is built again is

    def read(self, name: str = "base.fdb", **more: Any) -> Extract:
        progress: Callable[[str, int, int], None] | None = more.pop("progress", None)
        return read_base(self.settings(name, **more), self.folder, progress)

    def writer(self, name: str = "base.fdb", charset: str = "UTF8") -> fdb.Connection:
        """Open a separate writing connection, as Torgsoft would."""
        load_client()
        return fdb.connect(dsn=self.dsn(name), charset=charset, utf8params=True, **self.login)

    def run(self, name: str, *statements: str | tuple[str, tuple[Any, ...]], charset: str = "UTF8") -> None:
        """Run statements, each in a separate transaction."""
        connection = self.writer(name, charset)
        try:
            for statement in statements:
                sql, values = statement if isinstance(statement, tuple) else (statement, ())
                connection.cursor().execute(sql, values)
                connection.commit()
        finally:
            connection.close()


@pytest.fixture(params=["embedded", pytest.param("tcp", marks=pytest.mark.server)])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Run a test twice: with the engine inside this process, and with a real server over TCP."""
    if request.param == "embedded":
        return Place("embedded", tmp_path)
    server: FirebirdServer = request.getfixturevalue("firebird_server")
    monkeypatch.setenv(PASSWORD_ENV, server.password)
    return Place("tcp", tmp_path, server)


@pytest.fixture
def embedded(tmp_path: Path) -> Place:
    """Run a test only with the embedded engine."""
    return Place("embedded", tmp_path)


@pytest.fixture
def tcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, firebird_server: FirebirdServer) -> Place:
    """Run a test only over TCP; mark it with ``server``."""
    monkeypatch.setenv(PASSWORD_ENV, firebird_server.password)
    return Place("tcp", tmp_path, firebird_server)
