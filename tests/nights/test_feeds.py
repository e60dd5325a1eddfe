"""Every kind of feed through whole nights: planned, published when its content changes, left alone when not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from lxml import etree

import engine.session
from schemas.errors import SettingsError
from schemas.report import RUN_FILES
from tests.nights.world import World

STORES = """
[[stores]]
name = "prom"
kind = "yml"
profile = "prom"
target = "feed"
filename = "prom.yml"
shop_name = "Дім & Сад"
shop_url = "https://dim.example"
url = "https://dim.example/g/{good_id}"
[[stores]]
name = "google"
kind = "google"
target = "feed"
shop_name = "Дім & Сад"
shop_url = "https://dim.example"
url = "https://dim.example/g/{good_id}"
[[stores]]
name = "table"
kind = "csv"
target = "feed"
columns = ["good_id", "name", "category_path"]
[[stores]]
name = "document"
kind = "json"
target = "feed"
columns = ["good_id", "name", "category_number"]
"""
NAMES = {"prom": "prom.yml", "google": "google.xml", "table": "goods.csv", "document": "catalogue.json"}
BEGIN = datetime(2026, 3, 1, 2, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "shop")
    world.settings()
    with (world.folder / "shop.toml").open("a", encoding="utf-8") as settings:
        settings.write(STORES)
    world.sections = {1: (None, "Дім", 1), 2: (1, "Посуд", 2)}
    world.types = {1: (None, "Дім", 1), 2: (1, "Посуд", 2), 3: (None, "Інше", None)}
    world.goods = {n: (n % 3 + 1, f"Товар {n}") for n in range(1, 13)}
    world.prices = {n: "10.50" for n in world.goods}
    return world


def images(world: World) -> dict[str, bytes]:
    return {store: (world.folder / "feed" / name).read_bytes() for store, name in NAMES.items()}


def test_a_feed_is_written_when_its_content_changes_and_left_alone_on_another_night(world, monkeypatch):
    seen = []
    for night in range(3):
        monkeypatch.setattr(engine.session, "now", lambda night=night: BEGIN + timedelta(days=night))
        if night == 2:
            world.goods[1] = (2, "Товар 1, новий")
        report = world.sync()
        assert report.outcome == "ok", report.message
        seen.append((images(world), {s.name: s.published for s in report.stores if s.name in NAMES}))
    assert seen[0][1] == dict.fromkeys(NAMES, True)
    assert seen[1][1] == dict.fromkeys(NAMES, False)
    assert seen[1][0] == seen[0][0], "not even the date of the YML file"
    assert seen[2][1] == dict.fromkeys(NAMES, True)
    assert world.plan().empty


def test_a_file_that_somebody_changed_by_hand_is_written_again(world):
    world.sync()
    before = images(world)
    (world.folder / "feed" / "prom.yml").write_text("правка")
    (world.folder / "feed" / "goods.csv").unlink()
    report = world.sync()
    assert {s.name: s.published for s in report.stores if s.published} == {"prom": True, "table": True}
    after = images(world)
    assert {k: v for k, v in after.items() if k != "prom"} == {k: v for k, v in before.items() if k != "prom"}
    assert len(after["prom"]) == len(before["prom"])


def test_every_feed_tells_the_same_goods_in_the_same_categories(world):
    world.sync()
    shown = {good: number for good, (number, _) in world.shown()[1].items()}
    yml = etree.fromstring(images(world)["prom"])
    offers = {int(o.get("id")): int(o.findtext("categoryId")) for o in yml.iter("offer") if o.get("available") != "x"}
    assert {good: number for good, number in offers.items() if good in shown} == shown
    parents = {int(c.get("id")): c.get("parentId") for c in yml.iter("category")}
    assert parents == {1: None, 2: "1"}
    document = json.loads(images(world)["document"])
    assert {row["good_id"]: row["category_number"] for row in document["offers"]} == shown


def told(world: World, store: str) -> dict[str, list[int]]:
    """What a plan would do to the goods of a store, by kind."""
    found: dict[str, list[int]] = {}
    for operation in next(s for s in world.plan().stores if s.store == store).operations:
        if operation.entity == "offer":
            found.setdefault(operation.kind, []).append(int(operation.key))
    return found


@pytest.mark.parametrize("store", ["prom", "google"])
def test_goods_that_lose_their_price_disappear_from_a_feed_and_too_many_of_them_stop_the_run(world, store):
    world.goods |= {n: (2, f"Товар {n}") for n in range(13, 41)}
    world.prices |= {n: "10.50" for n in range(13, 41)}
    world.sync({})
    before = images(world)
    for good in range(8, 41):
        world.prices[good] = "0" if good % 2 else "0.004"
    report = world.sync({})
    assert (report.exit_code, report.outcome) == (3, "guard stop")
    assert "guard «hidden_offers»" in report.message
    # the goods of type 3 hang in no category, and so are hidden already
    gone = [good for good in range(8, 41) if world.goods[good][0] != 3]
    assert f"{len(gone)} of 36 goods would disappear from store prom, google" in report.message
    assert images(world) == before
    assert sorted(told(world, store)["hide"]) == gone
    assert "guard «prices»" in report.message
    assert world.sync({"hidden_offers": len(gone), "prices": 33}).outcome == "ok"


@pytest.mark.parametrize("store", ["prom", "google"])
def test_a_good_without_a_price_is_hidden_until_it_has_one_again_and_is_never_retired(world, store, monkeypatch):
    def night(number: int) -> None:
        monkeypatch.setattr(engine.session, "now", lambda: BEGIN + timedelta(days=number))
        report = world.sync({})
        assert report.outcome == "ok", report.message

    night(0)
    before = images(world)
    del world.prices[1]
    assert told(world, store) == {"hide": [1]}
    night(1)
    assert b"/g/1<" in before[store]
    assert b"/g/1<" not in images(world)[store]
    for number in range(2, 7):  # more nights than retire_after
        assert world.plan().empty
        night(number)
    world.prices[1] = "10.50"
    assert told(world, store) == {"restore": [1]}
    night(7)
    assert len(images(world)[store]) == len(before[store])
    assert b"/g/1<" in images(world)[store]


def test_a_rollback_restores_in_a_feed_what_had_lost_its_price(world):
    first = world.sync({})
    before = images(world)
    del world.prices[1]
    world.sync({})
    back = {store.name: store.operations for store in world.rollback(first.run).stores}
    assert back["prom"] == back["google"] == {"offer restore": 1}
    assert images(world)["google"] == before["google"]
    assert told(world, "google") == {"hide": [1]}


def test_the_sync_file_and_tables_show_a_good_without_a_price(world):
    world.sync({})
    del world.prices[1]
    assert [told(world, store) for store in ("site", "table", "document")] == [{"update": [1]}] * 3


def test_a_catalogue_without_a_good_to_sell_fails_its_feed_and_leaves_the_other_stores_whole(world):
    world.prices = {}
    report = world.sync()
    failed = {store.name: store.message for store in report.stores if store.outcome == "failed"}
    assert (report.exit_code, report.outcome) == (4, "some stores failed")
    assert set(failed) >= {"prom", "google"}
    assert all(failed.values())
    assert not (world.folder / "feed" / "prom.yml").exists()
    assert {store.name for store in report.stores if store.outcome == "ok"} >= {"web", "site"}


FEED = '[[stores]]\nname = "{}"\nkind = "csv"\ncolumns = ["good_id"]\ntarget = "{}"\nfilename = "{}"\n'
LOGIN = 'user = "u"\npassword_env = "P"\n'


@pytest.mark.parametrize("name", RUN_FILES)
def test_a_feed_may_not_have_the_place_of_a_file_that_every_run_writes(world, name):
    assert set(world.sync().outputs) == set(RUN_FILES), "those are all that there are"
    for target in ("output", "./feed/../output/"):
        world.settings(stores=FEED.format("table", target, name))
        with pytest.raises(SettingsError, match=f"store table would write a file that every run writes: .*{name}"):
            world.sync()
    world.settings(stores=FEED.format("table", "feed", name))
    assert world.sync().outcome == "ok"


@pytest.mark.parametrize(
    ("target", "filename"),
    [("output/table", "offers.csv"), (".", "shop.toml"), (".", "rules.yaml")],
)
def test_a_feed_may_not_have_the_place_of_a_stores_own_outputs_or_of_the_settings(world, target, filename):
    world.settings(stores=FEED.format("table", target, filename))
    with pytest.raises(SettingsError, match="a file that every run writes"):
        world.sync()


def test_two_stores_may_not_write_one_file_however_its_place_is_written(world):
    (world.folder / "feed").mkdir()
    (world.folder / "link").symlink_to("feed")
    (world.folder / "feed" / "linked.csv").symlink_to("goods.csv")
    same = [("./feed", "goods.csv"), ("link", "goods.csv"), (str(world.folder / "feed"), "goods.csv"),
            ("feed/", "goods.csv"), ("feed", "linked.csv")]  # fmt: skip
    for target, filename in same:
        world.settings(stores=FEED.format("one", "feed", "goods.csv") + FEED.format("two", target, filename))
        with pytest.raises(SettingsError, match=r"store two would write a file that store one writes: .*goods\.csv"):
            world.sync()
    world.settings(stores=FEED.format("one", "feed", "goods.csv") + FEED.format("two", "feed", "others.csv"))
    assert world.sync().outcome == "ok"


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("ftp://files.example/in", "ftp://FILES.example:21/in/", True),
        ("ftp://files.example/in", "ftps://files.example/./%69n", True),
        ("sftp://files.example/in", "sftp://files.example//in", True),
        ("s3://bucket/in", "s3://bucket/in/", True),
        ("sftp://files.example/in", "sftp://files.example:2222/in", False),
        ("s3://bucket/in", "s3://other/in", False),
        ("ftp://files.example/in", "sftp://files.example/in", False),
    ],
)
def test_two_urls_of_one_file_are_one_file(world, one, two, same):
    feeds = [FEED.format(name, target, "goods.csv") + LOGIN for name, target in (("one", one), ("two", two))]
    world.settings(stores="".join(feeds))
    if same:
        with pytest.raises(SettingsError, match="store two would write a file that store one writes"):
            _ = world.shop
    else:
        assert len(world.shop.stores) == 2
