"""A shop that fails at any moment, and a run that dies at any moment: the next run ends as if nothing had happened."""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import StoreError
from tests.woocommerce.nights import Night
from tests.woocommerce.standin import Fault, StandIn

FAULTS = {
    "refused": Fault(500),
    "cut": Fault(cut=True),
    "done, answer lost": Fault(cut=True, applied=True),
    "done, answer broken": Fault(200, applied=True, text="<b>Notice</b>: Undefined index"),
    "half done": Fault(504, half=True),
}


class Killed(BaseException):
    """The process dies here."""


class Dying(dict):
    """Bindings whose N-th writing is the last thing that the process does; ``written``: it was done."""

    def __init__(self, rows: Any, at: int, written: bool) -> None:
        super().__init__(rows)
        self.left, self.written = at, written

    def update(self, rows: Any) -> None:
        self.left -= 1
        if self.left == 0 and not self.written:
            raise Killed
        super().update(rows)
        if self.left == 0:
            raise Killed


@dataclass
class Start:
    """A shop as it was, to begin from again and again."""

    server: StandIn
    folder: Path
    image: Any = None
    bindings: Any = None

    def night(self) -> Night:
        """A night with every kind of change."""
        night = Night(self.server, self.folder).small()
        if self.image is None:
            night.sync()
            self.image, self.bindings = self.server.image(), dict(night.bindings)
        self.server.shop.terms, self.server.shop.products = copy.deepcopy(self.image)
        night.bindings = dict(self.bindings)
        night.categories = {
            1: ("Дім", None),
            4: ("Текстиль", 1),
            2: ("Посуд і кухня", 4),
            9: ("Нове", None),
            8: ("Ґанок", 9),
        }
        night.goods = {good: row for good, row in night.goods.items() if row[0] != 3}
        night.goods |= {1: (4, "Товар 1"), 20: (8, "Новий"), 21: (9, "Новий"), 4: (None, "Товар 4")}
        night.settings["batch"] = 3
        self.server.forget()
        return night


@pytest.fixture
def start(server, tmp_path) -> Start:
    return Start(server, tmp_path)


def same_base(night: Night) -> None:
    """The next run reads what the broken one has read."""


def renamed_base(night: Night) -> None:
    """Torgsoft renames meanwhile."""
    night.categories[9] = ("Зовсім інше", None)
    night.goods[20] = (9, "Інший")
    night.goods[1] = (8, "Товар 1")


def another_base(night: Night) -> None:
    """The night after, with other categories and goods than those that were being loaded."""
    night.categories = {
        1: ("Дім", None), 9: ("Зовсім інше", 1), 8: ("Ґанок", 1), 3: ("Чашки", 9), 4: ("Текстиль", None),
    }  # fmt: skip
    night.goods = {1: (8, "Товар 1"), 2: (9, "Товар 2!"), 3: (4, "Товар 3"), 20: (1, "Інший"), 5: (3, "Товар 5"),
                   4: (1, "Товар 4"), 30: (9, "Ще новіший")}  # fmt: skip


@pytest.mark.parametrize("then", [same_base, another_base])
@pytest.mark.parametrize("kind", FAULTS)
def test_a_failure_at_any_request_is_made_good_by_the_next_run(start, kind, then):
    """The run gives up at its first failure: as if it were killed while it waits for that answer (65 places)."""
    n = 0
    while True:
        n += 1
        night = start.night()
        plan = night.plan()
        start.server.forget()
        start.server.faults[n] = FAULTS[kind]
        night.settings["tries"] = 1
        with suppress(StoreError):
            night.apply(plan)
        if not start.server.broken:
            break
        start.server.forget()
        then(night)
        night.sync()
        night.check()
        assert n < 60, "the fault never stops"
    assert n > 12, "too little was broken"


@pytest.mark.parametrize("kind", FAULTS)
def test_a_failure_at_any_write_is_made_good_within_the_run(start, kind):
    n = 0
    while True:
        n += 1
        night = start.night()
        plan = night.plan()
        start.server.forget()
        start.server.write_faults[n] = FAULTS[kind]
        result = night.apply(plan)
        assert sum(result.operations.values()) == len(plan.operations)
        night.check()
        assert night.plan().operations == ()
        if not start.server.broken:
            break
        assert night.waited, "it waited before it tried again"
        assert n < 20, "the fault never stops"
    assert n > 5, "too little was broken"


@pytest.mark.parametrize("then", [renamed_base, another_base])
@pytest.mark.parametrize("written", [False, True])
def test_a_run_that_dies_while_it_writes_down_what_is_ours_makes_nothing_twice(start, written, then):
    """Killed at the N-th time that bindings are remembered, just before or just after (20 places)."""
    n = 0
    while True:
        n += 1
        night = start.night()
        plan = night.plan()
        night.bindings = Dying(night.bindings, n, written)
        try:
            night.apply(plan)
        except Killed:
            pass
        else:
            break
        night.bindings = dict(night.bindings)
        then(night)
        night.sync()
        night.check()
    assert n > 8, "too little was broken"


def test_a_first_load_that_breaks_again_and_again_ends_whole(server, tmp_path):
    night = Night(server, tmp_path).small()
    night.goods |= {n: (n % 4 + 1, f"Товар {n}") for n in range(10, 40)}
    night.settings |= {"tries": 1, "batch": 7}
    for n in range(1, 20):
        server.forget()
        server.faults[n + 4] = list(FAULTS.values())[n % len(FAULTS)]
        try:
            night.apply(night.plan())
        except StoreError:
            continue
    server.forget()
    night.sync()
    night.check()


def test_a_run_that_failed_tells_how_far_it_came(night):
    night.small()
    night.settings |= {"tries": 2, "batch": 4}
    plan = night.plan()
    night.server.forget()
    for n in (5, 6, 7, 8):
        night.server.write_faults[n] = Fault(503)
    with pytest.raises(StoreError, match="8 of 12 operations were done") as told:
        night.apply(plan)
    assert "tried 2 times" in told.value.message
    on_their_way = {key for (entity, key), (term, then) in night.bindings.items() if entity == "offer_link" and then}
    made = {key for entity, key in night.bindings if entity == "offer"}
    assert len(on_their_way) == len(made) == 4, "the bindings tell what was on its way"
    assert not on_their_way & made


def once(server: StandIn, act: Any) -> None:
    """Something that an editor does between our look at the shop and our first write."""

    def before(method: str, path: str, body: Any) -> None:
        if method == "POST":
            server.before = None
            act()

    server.before = before


def test_a_slug_that_is_stolen_while_an_answer_is_lost_makes_nothing_twice(night):
    """Sent again blindly, WooCommerce would name the thief as the category that we mean."""
    shop = night.server.shop
    night.categories = {1: ("Дім", None)}
    plan = night.plan()
    once(night.server, lambda: shop._create_term({"name": "Чужа", "slug": "dim"}))
    night.server.write_faults[1] = Fault(cut=True, applied=True)
    night.apply(plan)
    assert sorted(term["slug"] for term in shop.terms.values()) == ["dim", "dim-2", "uncategorized"]
    assert night.term(1)["slug"] == "dim-2"
    assert night.plan().operations == ()


def test_a_category_of_another_name_is_never_taken_for_ours(night):
    shop = night.server.shop
    night.categories = {1: ("Дім", None)}
    plan = night.plan()

    def steal() -> None:
        shop._create_term({"name": "Чужа", "slug": "dim"})
        shop._create_term({"name": "Дім", "slug": "home"})

    once(night.server, steal)
    with pytest.raises(StoreError, match="term_exists"):
        night.apply(plan)
    night.sync()
    assert night.term(1)["slug"] == "home"
    assert len(shop.terms) == 3


def test_an_editors_link_survives_a_run_that_died_between_two_moves_of_a_good(night):
    night.small().sync()
    night.product(1)["categories"].append({"id": night.term(3)["id"]})
    night.goods[1] = (4, "Товар 1")
    plan = night.plan()
    night.bindings = Dying(night.bindings, 2, False)  # what is on its way is written down, what came of it is not
    with pytest.raises(Killed):
        night.apply(plan)
    night.bindings = dict(night.bindings)
    assert night.term(4)["id"] in [c["id"] for c in night.product(1)["categories"]], "it was done"
    night.goods[1] = (1, "Товар 1")
    night.sync()
    assert {c["id"] for c in night.product(1)["categories"]} == {night.term(3)["id"], night.term(1)["id"]}


@pytest.mark.parametrize("seen", [True, False], ids=["after a night without changes", "before the next night"])
def test_an_editor_may_put_a_good_back_where_a_run_that_died_took_it_from(night, seen):
    """The note of the move still names both categories; the one that the good left is the editor's from now on."""
    night.small().sync()
    night.goods[1] = (4, "Товар 1")
    plan = night.plan()
    night.bindings = Dying(night.bindings, 2, False)
    with pytest.raises(Killed):
        night.apply(plan)
    night.bindings = dict(night.bindings)
    assert [c["id"] for c in night.product(1)["categories"]] == [night.term(4)["id"]], "it was done"
    if seen:
        night.sync()
    night.product(1)["categories"].append({"id": night.term(2)["id"]})
    night.sync()
    assert {c["id"] for c in night.product(1)["categories"]} == {night.term(2)["id"], night.term(4)["id"]}
    night.goods[1] = (1, "Товар 1")
    night.sync()
    assert {c["id"] for c in night.product(1)["categories"]} == {night.term(2)["id"], night.term(1)["id"]}


def test_a_category_that_a_run_which_died_never_asked_for_is_an_editors_to_give(night):
    """The run died before its request, and the base moved the good back: nothing is left to do, nor of the note."""
    night.small().sync()
    night.goods[1] = (4, "Товар 1")
    plan = night.plan()
    night.bindings = Dying(night.bindings, 1, True)
    with pytest.raises(Killed):
        night.apply(plan)
    night.bindings = dict(night.bindings)
    assert [c["id"] for c in night.product(1)["categories"]] == [night.term(2)["id"]], "it was not done"
    night.goods[1] = (2, "Товар 1")
    night.server.forget()
    night.sync()
    assert night.server.count("POST") == 0
    night.product(1)["categories"].append({"id": night.term(4)["id"]})
    night.sync()
    assert {c["id"] for c in night.product(1)["categories"]} == {night.term(2)["id"], night.term(4)["id"]}
    night.goods[1] = (3, "Товар 1")
    night.sync()
    assert {c["id"] for c in night.product(1)["categories"]} == {night.term(3)["id"], night.term(4)["id"]}


@pytest.mark.parametrize("dies", [False, True])
def test_a_lost_request_takes_nothing_over_where_nothing_shall_be_taken_over(night, dies):
    night.settings["adopt"] = False
    foreign = night.server.shop._create_term({"name": "Дім", "slug": "home"})
    before = dict(foreign)
    night.categories = {1: ("Дім", None)}
    plan = night.plan()
    if dies:
        night.bindings = Dying(night.bindings, 1, True)
        with pytest.raises(Killed):
            night.apply(plan)
        night.bindings = dict(night.bindings)
    else:
        night.server.write_faults[1] = Fault(cut=True)
        night.apply(plan)
    night.sync()
    assert night.term(1)["slug"] == "dim"
    assert (foreign, len(night.server.shop.terms)) == (before, 3)
