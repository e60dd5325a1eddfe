"""torgsync alerts: test and check."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.lock import hold
from engine.shops import load_shop
from tests.alerts.conftest import receiver  # noqa: F401 - a fixture, found by its name
from tests.cli.conftest import without


def aged(shop, hours: float) -> None:
    """Move all runs into the past."""
    with sqlite3.connect(shop.folder / "state.db") as connection:
        for run, *times in connection.execute("select run, started_at, finished_at from runs").fetchall():
            moved = [(datetime.fromisoformat(t) - timedelta(hours=hours)).isoformat() for t in times]
            connection.execute("update runs set started_at = ?, finished_at = ? where run = ?", (*moved, run))


def test_a_test_message_goes_to_every_receiver_and_says_which_took_it(loaded, torgsync, receiver, monkeypatch):  # noqa: F811
    monkeypatch.setenv("BEAT", receiver.url("beat", "http"))
    path = loaded.folder / "shop.toml"
    path.write_text(path.read_text().replace("[[stores]]", '[alerts]\nheartbeat_env = "BEAT"\n[[stores]]', 1))
    done = torgsync("alerts", "test", loaded.folder)
    assert (done.code, done.out) == (0, "json://127.0.0.1/…: taken\nheartbeat http://127.0.0.1/…: taken\n")
    assert receiver.subjects() == ["torgsync: test: test"]
    monkeypatch.setenv("TORGSYNC_ALERT_URLS", f"{receiver.url('refuse')} {receiver.url()}")
    done = torgsync("alerts", "test", loaded.folder, "--json")
    assert done.code == 1
    assert [one["taken"] for one in done.json] == [False, True, True]
    assert "403" in done.json[0]["error"]
    assert "geheim" not in done.out + done.err


def test_a_test_without_any_receiver_says_what_to_set(loaded, torgsync, monkeypatch):
    monkeypatch.delenv("TORGSYNC_ALERT_URLS", raising=False)
    done = torgsync("alerts", "test", loaded.folder)
    assert (done.code, "TORGSYNC_ALERT_URLS is not set" in done.err) == (2, True)


def test_a_shop_is_late_when_its_last_good_night_is_too_old(loaded, torgsync, receiver):  # noqa: F811
    assert (torgsync("alerts", "check", loaded.folder).code, receiver.got) == (0, [])
    aged(loaded, 27)
    done = torgsync("alerts", "check", loaded.folder)
    assert (done.code, done.out) == (1, f"test: the last run that ended ok is 27 h old: {loaded.first}\n")
    assert torgsync("alerts", "check", loaded.folder, "--max-age", "2d").code == 0
    assert torgsync("alerts", "check", loaded.folder, "--max-age", "soon").code == 2
    torgsync("plan", loaded.folder)
    assert torgsync("alerts", "check", loaded.folder, "--send", "--json").json == {"test": done.out[6:-1]}
    assert receiver.subjects() == ["torgsync: test: late or missing"]


def test_a_shop_whose_last_night_did_not_end_ok_is_told_and_one_that_never_ran(loaded, local, torgsync):
    loaded.goods(without(*range(1, 25)))
    torgsync("sync", loaded.folder)
    done = torgsync("alerts", "check", loaded.folder)
    assert done.code == 1
    assert "ended with «guard stop»: guard «" in done.out
    (local.folder / "state.db").unlink()
    assert torgsync("alerts", "check", local.folder).out == "test: no run has ended ok yet\n"


def test_one_shop_that_cannot_be_looked_at_does_not_hide_another(loaded, torgsync, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "shop.toml").write_text("name = 1")
    aged(loaded, 48)
    done = torgsync("alerts", "check", tmp_path / "broken", loaded.folder)
    assert done.code == 1
    assert "not" not in done.err
    assert str(tmp_path / "broken") in done.out
    assert "test: the last run that ended ok is 48 h old" in done.out


def test_a_night_that_goes_on_is_not_missing_and_one_that_died_is(loaded, torgsync):
    with sqlite3.connect(loaded.folder / "state.db") as connection:
        connection.execute(
            "insert into runs (run, shop, purpose, sequence, started_at, outcome, message)"
            " values (?, 'test', 'sync', 99, ?, ?, '')",
            ("29990101-000000-dead", "2999-01-01T00:00:00.000+00:00", "running"),
        )
    with hold(load_shop(loaded.folder)):
        assert torgsync("alerts", "check", loaded.folder).code == 0
    assert "run 29990101-000000-dead ended with «interrupted»" in torgsync("alerts", "check", loaded.folder).out


@pytest.mark.parametrize("words", [["alerts", "test"], ["alerts", "check"]])
def test_the_commands_have_help_with_an_example_and_json(torgsync, words):
    shown = torgsync(*words, "--help")
    assert (shown.code, "Example: torgsync" in shown.out, "--json" in shown.out) == (0, True, True)


def test_neither_help_nor_a_plan_pays_for_apprise():
    code = (
        "import json, sys; from cli.main import app\n"
        "for words in (['--help'], ['alerts', '--help']):\n"
        "    try: app(words)\n"
        "    except SystemExit: pass\n"
        "import engine.main_path\n"  # what torgsync plan imports
        "print(json.dumps([m for m in ('apprise', 'prefect') if m in sys.modules]))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
