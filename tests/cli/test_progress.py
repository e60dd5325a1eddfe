"""A long step tells how far it is: in its line on a terminal, and not at all in a log."""

from __future__ import annotations

import io
import sys

import pytest

from tests.cli.conftest import Loaded, Torgsync, renamed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_the_load_is_and_then_how_long_it_took(
    torgsync: Torgsync, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
):
    loaded.goods(renamed(1, "Інша назва"))
    monkeypatch.setattr("sys.stderr", Terminal())
    torgsync("sync", loaded.folder)
    line = next(line for line in sys.stderr.getvalue().split("\n") if "load web" in line)
    running, *moving, end = line.split("\r")
    assert running.rstrip() == "  load web                 …"
    assert [text.rstrip() for text in moving] == ["  load web                 100 %  1 of 1"]
    assert end.rstrip().endswith(" s")
    assert len(end) >= len(moving[0]), "what moved is covered"


def test_a_log_gets_no_moving_numbers(torgsync: Torgsync, loaded: Loaded):
    loaded.goods(renamed(1, "Інша назва"))
    done = torgsync("sync", loaded.folder)
    assert "load web" in done.err
    assert "%" not in done.err
    assert "\r" not in done.err


def test_quiet_is_quiet_on_a_terminal_too(torgsync: Torgsync, loaded: Loaded, monkeypatch: pytest.MonkeyPatch):
    loaded.goods(renamed(1, "Інша назва"))
    monkeypatch.setattr("sys.stderr", Terminal())
    torgsync("sync", loaded.folder, "--quiet")
    assert sys.stderr.getvalue() == ""
