"""A run that is told to end while it writes its report ends as recorded as any other, with the signal's exit code."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from engine.lock import hold
from engine.shops import load_shop
from engine.signals import end_on_sigterm
from schemas.errors import Interrupted
from tests.faults.nights import everything, last_run, run_night
from tests.faults.sweep import Effects, forked, send
from tests.faults.test_broken_nights import STEP, Sweep, once, third  # noqa: F401 - a fixture, found by its name


def exit_code(sweep: Sweep, folder: Path, place: int, number: signal.Signals) -> int:
    """What the command would end with."""

    def work() -> int:
        end_on_sigterm()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return sweep.run_broken(folder, Effects(folder, place, send(number))).exit_code
        except Interrupted as error:
            return error.exit_code
        except KeyboardInterrupt:
            return 130

    return forked(work)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_the_report_is_written_leaves_a_run_that_is_recorded(third, number, code):  # noqa: F811
    first = next(n for n, label in enumerate(third.labels) if "categories.csv" in label)
    places = [n for n, label in enumerate(third.labels, 1) if n > first and once(label)]
    assert len(places) > 30
    looks = "before execute SELECT runs.run, runs.shop,"  # what is too old is looked for: the run is recorded
    recorded = max(n for n, label in enumerate(third.labels, 1) if label == looks)
    assert recorded in places
    unmapped = len(third.report.unmapped_types)
    for place in {*places[:: 2 * STEP], *places[-4:]}:
        told = f"{place} ({third.labels[place - 1]})"
        folder = third.folder()
        assert exit_code(third, folder, place, number) == code, told
        row = last_run(folder)
        if place >= recorded:  # the run is over: old runs are forgotten, the shop is being freed
            assert (row["outcome"], row["exit_code"]) == ("ok", 0), told
        else:
            assert (row["outcome"], row["exit_code"]) == ("interrupted", code), told
            assert "run again" in row["report"]["next_step"], told
        assert len(row["report"]["unmapped_types"]) == unmapped, told
        with hold(load_shop(folder)):
            pass
        third.check(folder, told)


def test_a_signal_that_comes_as_the_lock_is_freed_leaves_it_free_in_the_same_process_too(third):  # noqa: F811
    folder = third.folder()
    place = next(n for n, label in enumerate(third.labels, 1) if label.startswith("before unlink .torgsync.holder"))

    def stop(label: str, error: type[BaseException]) -> None:
        raise Interrupted(143)

    with pytest.raises(Interrupted) as caught:
        third.run_broken(folder, Effects(folder, place, stop))
    assert caught.tb is not None, "it keeps the lock's object alive: nothing but our own release frees it"
    assert run_night(folder, third.night).outcome == "ok"
    assert everything(folder) == third.after
