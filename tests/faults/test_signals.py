"""A night that is told to end (SIGTERM, Ctrl-C) ends in good order, at any of its side effects."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from engine.lock import hold
from engine.runs.resume import resume
from engine.shops import load_shop
from engine.signals import end_on_sigterm
from engine.steps import Steps
from schemas.errors import Interrupted
from state.url import state_url
from tests.e2e.conftest import ShopFolder, local  # noqa: F401 - a fixture, found by its name
from tests.faults.nights import clock, everything, last_run
from tests.faults.sweep import Effects, forked, send
from tests.faults.test_broken_nights import CHUNKS, STEP, Sweep, once, third  # noqa: F401 - a fixture, found by its name
from tests.patience import PATIENCE
from tests.pure import goods_frame, sections_frame, types_frame


def told_to_end(third: Sweep, folder: Path, place: int) -> int:  # noqa: F811
    """The exit code of a run that gets SIGTERM at its N-th side effect, with the command's own handler."""

    def work() -> int:
        end_on_sigterm()
        try:
            return third.run_broken(folder, Effects(folder, place, send(signal.SIGTERM))).exit_code
        except Interrupted as stop:  # before there was a run to record: the command ends with the same code
            return stop.exit_code

    return forked(work)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_sigterm_at_any_side_effect_ends_the_run_as_interrupted_with_a_free_lock(third, chunk):  # noqa: F811
    for place in third.chunk(chunk, once, STEP):
        told = f"{place} ({third.labels[place - 1]})"
        folder = third.folder()
        code = told_to_end(third, folder, place)
        assert code == 143, told
        with hold(load_shop(folder)):
            pass  # the lock is free
        if not (folder / "state.db").is_file():
            continue
        row = last_run(folder)
        if row["outcome"] == "interrupted":
            assert row["exit_code"] == 143, told
            assert "run again" in row["report"]["next_step"], told
        if row["outcome"] == "interrupted" and row["catalogue"] and place % 2:
            with clock(third.night):
                report = resume(load_shop(folder), "last")
            assert report.outcome == "ok", f"{told}: {report.message}"
            now = everything(folder)
            assert now["stores"] == third.after["stores"], told
            assert now["state"] == third.after["state"], told
        else:
            third.check(folder, told)


def running(folder: Path) -> bool:
    """Whether the run is on record."""
    try:
        with closing(sqlite3.connect(folder / "state.db")) as connection:
            return bool(connection.execute("select 1 from runs where outcome = 'running'").fetchall())
    except sqlite3.OperationalError:
        return False


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_command_ends_with_the_signals_exit_code_and_the_next_one_works(local, number, code):  # noqa: F811
    types = types_frame(*((n, None if n == 1 else 1, f"Вид {n}", n) for n in range(1, 200)))
    sections = sections_frame(*((n, None if n == 1 else 1, f"Розділ {n}", n) for n in range(1, 200)))
    local.base(types, sections, goods_frame(*((n, n % 199 + 1) for n in range(1, 6000))))
    command = [sys.executable, "-c", "from cli.main import main; main()", "sync", str(local.folder), "--no-flow"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not running(local.folder) and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, "the run was over before it could be told to end"
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    assert "interrupted" in out + err
    assert "Traceback" not in err
    report = local.run()
    assert report.outcome == "ok", report.message
    assert len(local.store()["offers"]) == 5999


def test_a_signal_that_python_drops_in_a_destructor_ends_the_run_at_its_next_step():
    class Dropping:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    def work() -> int:
        end_on_sigterm()
        steps = Steps()
        with Path(os.devnull).open("w") as nowhere:  # Python prints there what it drops
            sys.stderr = nowhere
            steps("extract", Dropping)
        try:
            steps("build", int)
        except Interrupted as stop:
            return stop.exit_code
        return 0

    assert forked(work) == 143


def test_firebirds_client_leaves_the_handlers_of_signals_as_they_are(local):  # noqa: F811
    """Its own one shuts the engine down from another thread: a signal while a base is opened was a SIGSEGV."""
    local.base(types_frame((1, None, "Дім", 1)), sections_frame((1, None, "Дім", 1)), goods_frame((1, 1)))
    read = """
import ctypes, signal, sys
from pathlib import Path

def handlers():
    found = []
    for number in (signal.SIGINT, signal.SIGTERM):
        now = ctypes.create_string_buffer(512)
        ctypes.CDLL(None).sigaction(int(number), None, now)
        found.append(now.raw[: ctypes.sizeof(ctypes.c_void_p)])
    return found

signal.signal(signal.SIGTERM, lambda *_: None)
before = handlers()
from engine.shops import load_shop
from sources.firebird.connection import connect
shop = load_shop(Path(sys.argv[1]))
with connect(shop.source, shop.folder) as base:
    during = handlers()
print(before == during == handlers())
"""
    told = subprocess.run(
        [sys.executable, "-c", read, str(local.folder)], capture_output=True, text=True, timeout=PATIENCE
    )
    assert told.stdout.strip() == "True", told.stderr


def test_a_killed_run_is_shown_as_interrupted_by_the_next(local: ShopFolder):  # noqa: F811
    local.base(types_frame((1, None, "Дім", 1)), sections_frame((1, None, "Дім", 1)), goods_frame((1, 1)))

    def work() -> None:
        import engine.main_path as main_path

        main_path.apply_plan = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        local.run()

    assert forked(work) == -9
    assert local.run().outcome == "ok"
    from state.database import State

    shop = load_shop(local.folder)
    state = State(state_url(shop), shop.name)
    try:
        outcomes = [(row["outcome"], row["message"]) for row in state.runs()]
    finally:
        state.close()
    assert [outcome for outcome, _ in outcomes] == ["ok", "interrupted"]
    assert "killed" in outcomes[1][1]


def test_the_sweep_notices_a_state_that_is_confirmed_before_its_store_was_written(third, monkeypatch):  # noqa: F811
    """A planted defect: were this not noticed, the sweeps above would prove nothing."""
    import engine.apply as module
    from state.database import Confirmed

    real = module._apply_store

    def too_early(run, planned, store, settings):
        if settings.kind == "trs":
            run.state.confirm(store.store, Confirmed(run.report.run, planned.plan.catalogue, {}))
            (run.shop.folder / "feed" / "TSGoods.trs").unlink(missing_ok=True)
        return real(run, planned, store, settings)

    monkeypatch.setattr(module, "_apply_store", too_early)
    noticed = False
    for place, label in enumerate(third.labels, 1):
        if "TSGoods.trs.part" not in label:
            continue
        folder = third.folder()
        try:
            third.run_broken(folder, Effects(folder, place))
            third.check(folder, label)
        except AssertionError:
            noticed = True
            break
        except Exception:
            try:
                third.check(folder, label)
            except AssertionError:
                noticed = True
                break
    assert noticed
