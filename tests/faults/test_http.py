"""The same sweep where the store is a shop over HTTP: broken off at each call, and at what the run notes of it."""

from __future__ import annotations

import copy
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.nights import state
from tests.faults.sweep import Effects, fail, forked, kill, watched
from tests.faults.test_broken_nights import STEP
from tests.nights.world import World
from tests.woocommerce.bench import woocommerce_bench
from tests.woocommerce.standin import StandIn


def watch_http(effects: Effects, patch: pytest.MonkeyPatch) -> None:
    """Each call is a place before it was sent and one when its answer is lost."""
    real = httpx.HTTPTransport.handle_request

    def handle_request(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        what = f"http {request.method} {request.url.path}"
        effects.place(f"before {what}", httpx.ConnectError)
        response = real(transport, request)
        response.read()
        effects.place(f"after {what}", httpx.ReadError)
        return response

    patch.setattr(httpx.HTTPTransport, "handle_request", handle_request)


@dataclass
class OverHttp:
    """A shop and its store before the night that is broken, and what an unbroken night makes of both."""

    world: World
    server: StandIn
    template: Path
    before: Any
    after: Any = None
    labels: tuple[str, ...] = ()

    def reset(self) -> None:
        shutil.rmtree(self.world.folder)
        shutil.copytree(self.template, self.world.folder)
        self.server.shop.terms, self.server.shop.products = copy.deepcopy(self.before)
        self.server.forget()

    def run(self, effects: Effects) -> Any:
        with watched(effects), pytest.MonkeyPatch.context() as patch:
            watch_http(effects, patch)
            return self.world.sync()

    def everything(self) -> Any:
        """What the shop holds, each row as often as it is there, and the state; without the shop's own ids."""
        terms, products = self.server.image()
        names = {place: term["name"] for place, term in terms.items()}
        found = state(self.world.folder)
        return {
            "categories": Counter((t["name"], names.get(t["parent"]), t["slug"]) for t in terms.values()),
            "products": Counter(
                (p["sku"], p["name"], p["status"], *sorted(names[c["id"]] for c in p["categories"]))
                for p in products.values()
            ),
            **found,
            "bindings": [_bound(row) for row in found["bindings"] if row["store_key"] != "0"],
        }


def _bound(row: dict[str, Any]) -> tuple[str, int, str | None]:
    """What is bound, with its address. A link may still name the category that it took the good out of."""
    return row["entity"], row["key"], None if row["entity"] == "offer_link" else row["slug"]


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OverHttp:
    world = World(tmp_path / "shop")
    world.folder.mkdir()
    bench = woocommerce_bench(world.folder, request)
    for name, value in bench.environment.items():
        monkeypatch.setenv(name, value)
    world.settings(stores=f'[[stores]]\nname = "store"\n{bench.settings}')
    world.sections = {1: (None, "Дім", 1), 2: (1, "Посуд", 2), 3: (2, "Чашки", 3), 4: (1, "Текстиль", 4)}
    world.types = {n: (None if n == 1 else 1, name, n) for n, (_, name, _) in world.sections.items()}
    world.goods = {n: (n % 4 + 1, f"Товар {n}") for n in range(1, 9)}
    world.prices = dict.fromkeys(range(1, 20), "10.50")
    assert world.sync().outcome == "ok"
    world.sections |= {2: (4, "Посуд і кухня", 2), 9: (None, "Нове", 9)}
    world.types[9] = (1, "Нове", 9)
    del world.sections[3], world.types[3]
    world.goods = {n: row for n, row in world.goods.items() if row[0] != 3} | {11: (9, "Новий"), 3: (2, "Товар 3")}
    server = bench.image.__self__  # type: ignore[attr-defined]
    shop = OverHttp(world, server, tmp_path / "template", server.image())
    shutil.copytree(world.folder, shop.template)
    effects = Effects(world.folder)
    report = shop.run(effects)
    assert report.outcome == "ok", report.message
    shop.after, shop.labels = shop.everything(), tuple(effects.labels)
    return shop


def places(shop: OverHttp) -> list[int]:
    """From the first call that writes to the last: there the store and what the run knows of it can part."""
    calls = [n for n, label in enumerate(shop.labels, 1) if "http POST" in label]
    return list(range(calls[0], calls[-1] + 8))


@pytest.mark.parametrize("act", [fail, kill], ids=["error", "kill -9"])
def test_a_night_that_is_broken_off_between_its_calls_is_made_good_by_the_next(shop, act):
    assert sum("http" in label for label in shop.labels) > 12
    for place in places(shop)[:: 1 if STEP == 1 else 3 * STEP]:
        told = f"{place} ({shop.labels[place - 1]})"
        shop.reset()
        effects = Effects(shop.world.folder, place, act)
        if act is kill:
            assert forked(lambda effects=effects: shop.run(effects)) == -9, told
        else:
            try:
                shop.run(effects)
            except Exception as error:
                if "planted" not in str(error):
                    raise
        report = shop.world.sync()
        assert report.outcome == "ok", f"{told}: {report.message}"
        now = shop.everything()
        for part, wanted in shop.after.items():
            assert now[part] == wanted, f"{told}: {part} came out otherwise"
