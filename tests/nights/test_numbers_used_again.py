"""Torgsoft gives the number of a section to another one: its old address leads to its goods, through the whole sync."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.plan import plan_text
from tests.nights.world import World

STOP = "number_reused"


@pytest.fixture
def used_again(tmp_path: Path) -> World:
    """Number 2 was «Чоловіча» below «Парфумерія», with goods 1 and 2; now it is tooth care below «Обличчя»."""
    world = World(tmp_path / "shop")
    world.types = {1: (None, "Парфумерія", 1), 2: (1, "Чоловіча", 2)}
    world.sections = {1: (None, "Парфумерія", 1), 2: (1, "Чоловіча", 2)}
    world.goods = {1: (2, "Парфуми «Ніч»"), 2: (2, "Парфуми «День»")}
    world.settings()
    (world.folder / "feed").mkdir()
    assert world.sync({}).outcome == "ok"
    world.types = {1: (None, "Парфумерія", 1), 3: (None, "Обличчя", 4), 4: (3, "Зуби", 2)}
    world.sections = {
        1: (None, "Парфумерія", 1), 4: (None, "Обличчя", 4), 3: (4, "Догляд за порожниною рота", 2),
    }  # fmt: skip
    world.goods = {1: (1, "Парфуми «Ніч»"), 2: (1, "Парфуми «День»"), 3: (4, "Паста"), 4: (4, "Щітка")}
    return world


def redirects(world: World) -> dict[tuple[str, ...], int]:
    return {tuple(json.loads(row["old_path"])): row["number"] for row in world.rows("redirects")}


def test_the_run_stops_and_when_it_is_allowed_the_old_address_leads_to_the_goods(used_again: World) -> None:
    world = used_again
    before = (world.folder / "web.db").read_bytes(), world.feed()
    report = world.sync({})
    assert report.outcome == "guard stop"
    assert f"guard «{STOP}»" in report.message
    assert "Чоловіча" in report.message
    assert ((world.folder / "web.db").read_bytes(), world.feed()) == before
    assert world.sync().outcome == "ok"
    categories, offers = world.shown()
    assert categories[2][0] == "Догляд за порожниною рота"
    assert {offers[1][0], offers[2][0]} == {1}
    assert redirects(world) == {("Парфумерія", "Чоловіча"): 1}, "not to tooth care, which has the number now"


def test_the_plan_names_the_category_as_it_was_called(used_again: World) -> None:
    world = used_again
    text = plan_text(world.plan())
    assert "Чоловіча → Догляд за порожниною рота" in text, text
    assert "2 goods  2 «Парфумерія › Чоловіча» → 1" in text, text
    assert "«Парфумерія > Чоловіча»  → 1" in text, "the old address"
