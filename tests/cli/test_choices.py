"""A run for some stores only, one that waits for another, a way back to a night, deploying without a server."""

from __future__ import annotations

import threading
from datetime import date, timedelta

from engine.lock import hold
from engine.shops import load_shop
from tests.cli.conftest import without
from tests.patience import PATIENCE


def test_a_run_for_one_store_leaves_the_other_as_it_was_and_the_next_run_makes_it_good(loaded, torgsync):
    feed = (loaded.shop.output / "TSGoods.trs").read_bytes()
    loaded.goods(without(2))
    done = torgsync("sync", loaded.folder, "--store", "web", "--json")
    assert [store["name"] for store in done.json["stores"]] == ["web"]
    assert 2 in loaded.hidden()
    assert (loaded.shop.output / "TSGoods.trs").read_bytes() == feed
    assert "last successful" not in torgsync("runs", loaded.folder).out.splitlines()[1], "not every store took it"
    everything = torgsync("sync", loaded.folder, "--json").json
    assert {store["name"]: store["operations"] for store in everything["stores"]}["web"] == {}
    assert (loaded.shop.output / "TSGoods.trs").read_bytes() != feed
    assert "last successful" in torgsync("runs", loaded.folder).out.splitlines()[1]


def test_a_plan_for_one_store_is_carried_out_for_that_store_alone(loaded, torgsync):
    feed = (loaded.shop.output / "TSGoods.trs").read_bytes()
    loaded.goods(without(2))
    assert [store["store"] for store in torgsync("plan", loaded.folder, "--store", "web", "--json").json["stores"]] == [
        "web"
    ]
    assert torgsync("apply", loaded.plan).code == 0
    assert 2 in loaded.hidden()
    assert (loaded.shop.output / "TSGoods.trs").read_bytes() == feed


def test_an_unknown_store_is_a_usage_error_with_the_closest_name(loaded, torgsync):
    done = torgsync("sync", loaded.folder, "--store", "wep")
    assert (done.code, 'did you mean "web"?' in done.err) == (2, True)


def test_a_run_waits_for_another_one_as_long_as_it_is_told(loaded, torgsync):
    shop = load_shop(loaded.folder)
    begun, free = threading.Event(), threading.Event()

    def other() -> None:
        with hold(shop):
            begun.set()
            free.wait(PATIENCE)

    thread = threading.Thread(target=other)
    thread.start()
    assert begun.wait(PATIENCE)
    assert torgsync("sync", loaded.folder, "--quiet").code == 6
    threading.Timer(1.5, free.set).start()
    assert torgsync("sync", loaded.folder, "--wait", "1", "--quiet").code == 0
    assert free.is_set(), "it began when the other one had ended"
    thread.join()


def test_a_rollback_goes_back_to_a_night_by_its_date_and_tells_the_nights_that_there_are(loaded, torgsync):
    today = date.today()
    loaded.goods(without(2))
    torgsync("sync", loaded.folder, "--quiet")
    planned = torgsync("rollback", loaded.folder, "--to", today.isoformat(), "--plan-only", "--json")
    assert planned.json["purpose"] == "rollback"
    never = torgsync("rollback", loaded.folder, "--to", (today - timedelta(days=400)).isoformat())
    assert (never.code, f"nights to go back to: {today}" in never.err) == (2, True)
    assert torgsync("rollback", loaded.folder, "--to", "2026-02-31").code == 2


def test_deploying_without_a_server_says_how_to_name_one(loaded, torgsync, monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    done = torgsync("deploy", loaded.folder)
    assert (done.code, "set PREFECT_API_URL" in done.err) == (2, True)


def test_serving_on_a_port_that_is_taken_says_so_before_anything_is_started(loaded, torgsync):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = torgsync("serve", loaded.folder, "--port", taken.getsockname()[1])
    assert (done.code, "is torgsync serve running already?" in done.err) == (2, True)
