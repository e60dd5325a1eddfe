"""``kill -9`` in the middle of a load into tables without transactions: no cleaning up runs, and no half is shown."""

from __future__ import annotations

import os
import random
import signal

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from schemas.plan import StorePlan
from stores.opencart.check import check
from stores.protocol import Wanted
from tests.faults.sweep import forked
from tests.opencart.conftest import Shop, count_writes
from tests.opencart.test_crash import EVERY, check_window, loaded, night

STEP = int(os.environ.get("TORGSYNC_SWEEP_STEP", "20"))
KILLS = int(os.environ.get("TORGSYNC_KILLS", "6"))


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


def killed_load(shop: Shop, planned: Wanted, plan: StorePlan, number: int) -> int:
    """Load in a process that is killed at its N-th writing statement; the exit code, 0 where it came to its end."""

    def work() -> None:
        killed_at(number)
        shop.apply(planned, plan)

    return forked(work)


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

        code = killed_load(shop, planned, plan, number)
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


def another_base(shop: Shop) -> None:
    """The night after, with other sections and goods than those that were being loaded."""
    shop.sections = {
        1: (None, "Дім"), 2: (1, "Посуд"), 4: (7, "Тканини"), 5: (4, "Новіший"), 7: (None, "Сад"), 8: (1, "Меблі"),
        9: (2, "Стільці"), 10: (5, "Ще"),
    }  # fmt: skip
    shop.goods = {100 + n: (n % 2 + 1, f"Товар {n}!") for n in range(1, 9)}
    shop.goods |= {300: (9, "Стілець"), 201: (None, "Новий 2"), 202: (10, "Новий 3"), 200: (7, "Новий")}


@pytest.mark.parametrize("version", ["ocstore", "3.0", "4.1"])
def test_a_load_that_is_killed_and_then_another_base_shows_what_that_base_says(make_shop, tmp_path, version):
    """At moments that are chosen at random, with the same seed every time; TORGSYNC_KILLS says how many in each."""
    before = loaded(make_shop(version))
    unbroken = make_shop(version).become(before)
    unbroken.folder = tmp_path / "unbroken"
    unbroken.folder.mkdir()
    night(unbroken)
    _, planned, plan, _ = unbroken.plan()
    with count_writes() as writes:
        unbroken.apply(planned, plan)
    assert len(writes) > 40
    for number in sorted(random.Random(14).sample(range(1, len(writes) + 1), min(KILLS, len(writes)))):
        shop = make_shop(version).become(before)
        shop.folder = tmp_path / f"{version}-{number}"
        shop.folder.mkdir()
        night(shop)
        _, planned, plan, _ = shop.plan()

        assert killed_load(shop, planned, plan, number) == -signal.SIGKILL, number
        another_base(shop)
        shop.sync()
        check_window(shop)
        assert shop.seen() == {n: (name, parent or 0) for n, (parent, name) in shop.sections.items()}, number
        assert shop.seen_goods() == {
            good: (name, (section,)) for good, (section, name) in shop.goods.items() if section is not None
        }, number
        with count_writes() as writes:
            assert shop.sync() == {}
        assert writes == []
        # what was half made and is wanted no more stays hidden, where nobody sees it
        half_made = set(shop.rows("SELECT category_id FROM oc_category WHERE status = 0"))
        assert {(n,) for finding in check(shop.store) for n in finding.categories} <= half_made, number
        shop.give_back()
