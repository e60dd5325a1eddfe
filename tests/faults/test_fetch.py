"""The real reader, broken off at every fetch: no store is touched, and the next run reads the base whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fdb
import pytest

import sources.firebird.extract
from engine.shops import load_shop
from schemas.extract import Extract
from schemas.settings.shop import SourceSettings
from sources.firebird.extract import read_base
from sources.stand_in.base import build_base
from tests.faults.nights import LAST, everything, extract, frames_of, last_run, run_night, stores
from tests.faults.test_broken_nights import Sweep, third  # noqa: F401 - a fixture, found by its name


class Fetches:
    """Counts what the reader asks of the base, and loses the connection at the N-th."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.stop_at = 0, 0
        for name in ("execute", "fetchone", "fetchmany"):
            monkeypatch.setattr(fdb.Cursor, name, self.wrapped(getattr(fdb.Cursor, name)))

    def wrapped(self, real: Any) -> Any:
        def call(cursor: fdb.Cursor, *args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.stop_at:
                raise fdb.DatabaseError("planted: connection lost", -902, 335544721)
            return real(cursor, *args, **kwargs)

        return call


def read_once(settings: SourceSettings, folder: Path) -> Extract:
    """Read without a second try, which would mend the night."""
    return read_base(settings.model_copy(update={"tries": 1}), folder)


def test_a_base_that_goes_away_at_any_fetch_leaves_every_store_as_it_was(third: Sweep, monkeypatch):  # noqa: F811
    folder = third.folder()
    build_base(folder / "base.fdb", *frames_of(extract(LAST)))
    settings = load_shop(folder)
    monkeypatch.setattr(sources.firebird.extract, "BLOCK", 10)
    fetches = Fetches(monkeypatch)
    read_base(settings.source, folder)
    total = fetches.count
    assert total > 15
    for place in range(1, total + 1):
        fetches.count, fetches.stop_at = 0, place
        report = run_night(folder, LAST, read_once)
        assert (report.outcome, report.exit_code) == ("failed", 1), f"{place}: {report.message}"
        assert report.next_step, place
        assert last_run(folder)["outcome"] == "failed"
        assert stores(folder) == third.before, place
    fetches.stop_at = 0
    report = run_night(folder, LAST, read_base)
    assert report.outcome == "ok", report.message
    now = everything(folder)
    assert now["stores"] == third.after["stores"]
    assert now["output"] == third.after["output"]
    for part in ("numbers", "tombstones", "remembered_redirects"):
        assert now["state"][part] == third.after["state"][part], part
