"""A shop for the commands, and the commands as a person types them, run in this process."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cli.main import main
from engine.shops import load_shop
from state.database import State
from state.url import state_url
from tests.e2e.conftest import ShopFolder, local  # noqa: F401 - a fixture, found by its name
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES
from tests.source.conftest import Place


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Torgsync = Callable[..., Done]


@pytest.fixture
def torgsync(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Torgsync:
    """Return a function that runs the command line: ``torgsync("plan", folder)``."""
    monkeypatch.setattr("signal.signal", lambda *_: None)  # keep the handlers of the test runner

    def run(*words: object) -> Done:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["torgsync", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return run


@dataclass
class Loaded:
    """A shop that was loaded once: 4 types, 2 sections, 40 goods, of which 10 have no category."""

    shop: ShopFolder
    first: str

    @property
    def folder(self) -> Path:
        return self.shop.folder

    @property
    def plan(self) -> Path:
        return self.shop.output / "plan.json"

    def goods(self, goods: pd.DataFrame) -> None:
        """Replace the goods, for another night."""
        self.shop.base(TYPES, SECTIONS, goods)

    def rows(self) -> list[dict[str, Any]]:
        """Return the runs, newest first."""
        settings = load_shop(self.folder)
        state = State(state_url(settings), settings.name)
        try:
            return state.runs()
        finally:
            state.close()

    def shown(self) -> list[list[dict[str, Any]]]:
        """Return the categories and goods of the store that are not hidden."""
        with closing(sqlite3.connect(self.folder / "web.db")) as connection:
            connection.row_factory = sqlite3.Row
            queries = (f"select * from {table} where not hidden order by 1" for table in ("categories", "offers"))
            return [[dict(row) for row in connection.execute(query)] for query in queries]

    def hidden(self) -> set[int]:
        """Return the hidden goods of the store."""
        with closing(sqlite3.connect(self.folder / "web.db")) as connection:
            return {row[0] for row in connection.execute("select good_id from offers where hidden")}


@pytest.fixture(scope="session")
def loaded_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the base and the shop after its first night, to be copied; and that night's run."""
    folder = tmp_path_factory.mktemp("loaded")
    (folder / "shop").mkdir()
    shop = ShopFolder(folder / "shop", Place("embedded", folder))
    shop.settings()
    shop.base(TYPES, SECTIONS, GOODS)
    report = shop.run()
    assert report.outcome == "ok"
    return folder, report.run


@pytest.fixture
def loaded(local: ShopFolder, loaded_once: tuple[Path, str]) -> Loaded:  # noqa: F811
    template, run = loaded_once
    shutil.copytree(template, local.folder.parent, dirs_exist_ok=True)
    return Loaded(local, run)


def without(*ids: int) -> pd.DataFrame:
    """Return the goods without these."""
    return GOODS[~GOODS["good_id"].isin(ids)].reset_index(drop=True)


def renamed(good: int, name: str) -> pd.DataFrame:
    """Return the goods, one of them with another name."""
    return GOODS.assign(good_name=GOODS["good_name"].mask(GOODS["good_id"] == good, name))
