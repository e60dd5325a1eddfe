"""``kill -9`` in the middle of a load into tables without transactions: no cleaning up runs, and no half is shown."""

from __future__ import annotations

import os
import signal

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.faults.sweep import forked
from tests.opencart.test_crash import EVERY, check_window, loaded, night

STEP = int(os.environ.get("TORGSYNC_SWEEP_STEP", "20"))


def killed_at(number: int) -> None:
    """Have this process killed when it is about to send its N-th writing statement."""
    count = 0

    def tick(connection, cursor, statement: str, *_: object) -> None:
        nonlocal count
        if statement.lstrip().split(" ", 1)[0].upper() in ("INSERT", "UPDATE", "DELETE", "REPLACE"):
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", tick)


def test_a_load_that_is_killed_shows_nothing_half_and_the_next_run_ends_like_an_unbroken_one(make_shop, tmp_path):
    before = loaded(make_shop("ocstore"))
    unbroken = make_shop("ocstore").become(before)
    unbroken.folder = tmp_path / "unbroken"
    unbroken.folder.mkdir()
    night(unbroken)
    unbroken.sync()
    wanted = unbroken.image()
    for number in range(2, EVERY, STEP):
        shop = make_shop("ocstore").become(before)
        shop.folder = tmp_path / str(number)
        shop.folder.mkdir()
        night(shop)
        _, planned, plan, kept = shop.plan()

        def work(shop=shop, planned=planned, plan=plan, number=number) -> None:
            killed_at(number)
            shop.apply(planned, plan)

        code = forked(work)
        if code == 0:
            assert number > 20
            return
        assert code == -signal.SIGKILL
        check_window(shop)
        shop.apply(planned, plan)
        shop.loaded, shop.redirects = planned.catalogue, kept
        assert shop.image() == wanted, number
        assert shop.sync() == {}
        shop.give_back()
    pytest.fail("it was never through")
