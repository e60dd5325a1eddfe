"""What torgsync runs, runs diff and report tell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.lock import hold
from engine.shops import load_shop
from state.database import State
from state.url import state_url
from tests.cli.conftest import renamed, without


def test_runs_are_listed_newest_first_with_what_each_did_and_which_is_loaded(loaded, torgsync):
    loaded.goods(without(2))
    torgsync("plan", loaded.folder)
    torgsync("sync", loaded.folder)
    found = torgsync("runs", loaded.folder, "--json").json
    assert [run["purpose"] for run in found] == ["sync", "plan", "sync"]
    assert [run["loaded"] for run in found] == [run["last_successful"] for run in found] == [True, False, False]
    assert found[1]["did"] == "would do: web, site: 1 good hidden"
    assert found[0]["did"] == "web, site: 1 good hidden"
    assert found[2]["did"] == "web, site: 2 categories created, 40 goods created"
    assert all(run["seconds"] >= 0 for run in found)
    text = torgsync("runs", loaded.folder, "--limit", 1).out
    assert text.startswith("test: 1 of 3 runs, newest first")
    assert "LOADED NOW, last successful" in text


def test_runs_needs_no_shop_where_one_stands_in_its_folder(loaded, torgsync, monkeypatch):
    monkeypatch.chdir(loaded.folder)
    assert torgsync("runs").out == torgsync("runs", "list", loaded.folder).out
    monkeypatch.chdir("/")
    assert torgsync("runs").code == 2


def test_a_run_that_was_killed_shows_as_interrupted_and_one_that_holds_the_shop_as_running(loaded, torgsync):
    code = (
        "import os, sys; from engine.lock import hold; from schemas.report import RunReport\n"
        "from engine.shops import load_shop; from state.database import State; from state.url import state_url\n"
        "shop = load_shop(sys.argv[1]); hold(shop).__enter__()\n"
        "report = RunReport(run='29990101-000000-dead', shop=shop.name, started_at='2999-01-01T00:00:00.000+00:00')\n"
        "State(state_url(shop), shop.name).start_run(report); os._exit(9)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code, str(loaded.folder)], check=False, cwd=root)
    dead = torgsync("runs", loaded.folder, "--json").json[0]
    assert (dead["run"][-4:], dead["outcome"], dead["seconds"]) == ("dead", "interrupted", None)
    assert "killed" in dead["did"]
    with hold(load_shop(loaded.folder)):
        assert torgsync("runs", loaded.folder, "--json").json[0]["outcome"] == "running"


def test_the_difference_of_two_runs_is_told_removals_first(loaded, torgsync):
    loaded.goods(renamed(5, "Інша")[lambda frame: frame["good_id"] != 2])
    torgsync("sync", loaded.folder)
    shown = torgsync("runs", "diff", loaded.folder, loaded.first)
    assert shown.out.index("REMOVED: hide 1") < shown.out.index("update 1")
    back = torgsync("runs", "diff", loaded.folder, "last", loaded.first, "--json").json
    assert {(op["kind"], op["key"]) for op in back["operations"]} == {("create", 2), ("update", 5)}
    assert "no difference" in torgsync("runs", "diff", loaded.folder, "last", "last").out


def test_a_report_is_printed_again_as_it_was(loaded, torgsync):
    loaded.goods(without(2))
    said = torgsync("sync", loaded.folder).out
    again = torgsync("report", loaded.folder)
    assert again.out.split("\n", 1)[1] == said
    first = torgsync("report", loaded.folder, loaded.first[:-2], "--json").json
    assert first["run"] == loaded.first


@pytest.mark.parametrize(
    "words",
    [
        ["plan"], ["apply"], ["resume"], ["retry"], ["rollback"], ["runs", "list"], ["runs", "diff"], ["report"],
        ["quarantine", "list"], ["quarantine", "show"], ["quarantine", "accept"], ["quarantine", "unaccept"],
        ["quarantine", "replay"],
    ],
)  # fmt: skip
def test_every_command_has_help_with_an_example_and_json(torgsync, words):
    shown = torgsync(*words, "--help")
    assert (shown.code, "Example: torgsync" in shown.out, "--json" in shown.out) == (0, True, True)


def test_a_shop_without_any_run_says_so(local, torgsync):
    assert torgsync("runs", local.folder).out == "test: no run yet\n"
    assert torgsync("report", local.folder).code == 2
    assert torgsync("quarantine", "list", local.folder).code == 2


def test_a_state_that_was_read_is_not_locked_against_a_run(loaded, torgsync):
    settings = load_shop(loaded.folder)
    state = State(state_url(settings), settings.name)
    try:
        assert state.runs()
        assert torgsync("sync", loaded.folder, "-q").code == 0
    finally:
        state.close()


def test_control_characters_in_names_never_reach_the_terminal(loaded, torgsync):
    loaded.goods(renamed(5, "\x1b[2Jзлий\x07"))
    for words in (["plan"], ["sync"], ["runs", "diff"]):
        more = [loaded.first] if words == ["runs", "diff"] else []
        shown = torgsync(*words, loaded.folder, *more)
        assert not {"\x1b", "\x07"} & set(shown.out + shown.err)
    assert "·[2Jзлий·" in shown.out


def test_a_good_that_is_held_in_the_quarantine_is_explained(loaded, torgsync):
    loaded.goods(renamed(5, "  "))
    assert torgsync("sync", loaded.folder).code == 0
    assert "its row is in the quarantine" in torgsync("explain", loaded.folder, "5").out
