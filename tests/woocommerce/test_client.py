"""How requests are tried again, and when not; and the settings that keep the keys safe."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.errors import StoreError
from schemas.settings.woocommerce import WooCommerceStore
from stores.woocommerce.client import Access, Client, Clock
from tests.woocommerce.standin import KEY, SECRET, Fault

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


class Patient:
    """A client whose clock only writes down how long it would have slept."""

    def __init__(self, server, **access) -> None:
        self.slept: list[float] = []
        self.client = Client(
            Access("woo", server.url, KEY, SECRET, **access), Clock(self.slept.append, lambda: NOW, lambda: 1.0)
        )

    def read(self):
        with self.client:
            return list(self.client.pages("products/categories"))


def test_it_waits_longer_each_time_and_then_gives_up(server):
    server.faults = dict.fromkeys(range(1, 10), Fault(503))
    patient = Patient(server)
    with pytest.raises(StoreError, match=r"HTTP 503 .*tried 5 times"):
        patient.read()
    assert patient.slept == [0.5, 1.0, 2.0, 4.0]
    assert len(server.log) == 5


def test_chance_spreads_the_waits(server):
    server.faults = {1: Fault(503)}
    slept: list[float] = []
    with Client(Access("woo", server.url, KEY, SECRET), Clock(slept.append, lambda: NOW, lambda: 0.0)) as client:
        list(client.pages("products"))
    assert slept == [0.25]


@pytest.mark.parametrize("asked", ["7", "Tue, 24 Nov 2026 02:30:07 GMT"])
def test_it_waits_as_long_as_the_shop_asks(server, asked):
    server.faults = {1: Fault(429, headers={"Retry-After": asked})}
    patient = Patient(server)
    patient.read()
    assert patient.slept == [7.0]


def test_an_odd_retry_after_is_no_reason_to_fail(server):
    server.faults = {1: Fault(429, headers={"Retry-After": "soon"})}
    patient = Patient(server)
    patient.read()
    assert patient.slept == [0.5]


def test_a_shop_that_asks_for_too_long_is_left_for_the_next_run(server):
    server.faults = {1: Fault(429, headers={"Retry-After": "3600"})}
    patient = Patient(server)
    with pytest.raises(StoreError, match="3600 seconds"):
        patient.read()
    assert patient.slept == []


def test_a_timeout_is_tried_again(server):
    server.faults = {1: Fault(wait=2)}
    patient = Patient(server, timeout=1)
    assert len(patient.read()) == 1


def test_a_shop_that_is_not_there_is_an_error_of_one_line(server):
    access = Access("woo", "http://127.0.0.1:9", KEY, SECRET, tries=2)
    with Client(access, Clock(lambda _: None)) as client, pytest.raises(StoreError, match="no connection"):
        list(client.pages("products"))


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        (Fault(401, text='{"code":"woocommerce_rest_cannot_view","message":"Sorry"}'), "Authorization"),
        (Fault(403), "Read/Write"),
        (Fault(404, text="<html>"), "permalinks"),
        (Fault(413), "smaller batch"),
        (
            Fault(301, headers={"Location": "https://www.shop.example/wp-json/wc/v3/products?x=1"}),
            "into the store's url",
        ),
    ],
)
def test_what_trying_again_cannot_mend_is_told_at_once(server, fault, step):
    server.faults = {1: fault}
    patient = Patient(server)
    with pytest.raises(StoreError) as told:
        patient.read()
    assert step in told.value.next_step
    assert len(server.log) == 1


def test_all_pages_are_read_and_none_twice(server):
    for n in range(250):
        server.shop._create_term({"name": f"Розділ {n:03}"})
    server.forget()
    rows = Patient(server).read()
    assert len({row["id"] for row in rows}) == len(rows) == 251
    assert [query["page"] for _, _, query, _ in server.log] == ["1", "2", "3"]
    assert {query["per_page"] for _, _, query, _ in server.log} == {"100"}


def test_after_an_unclear_answer_only_what_is_missing_is_sent_again(server):
    server.write_faults = {1: Fault(504, half=True)}
    asked: list[int] = []

    def find(rows):
        asked.append(len(rows))
        there = {term["slug"]: term for term in server.shop.terms.values()}
        return [there.get(row["slug"]) for row in rows]

    rows = [{"name": f"Розділ {n}", "slug": f"rozdil-{n}"} for n in range(4)]
    patient = Patient(server)
    with patient.client as client:
        created, _ = client.batch("products/categories", rows, [], find)
    assert [row["slug"] for row in created] == [row["slug"] for row in rows]
    assert [len(body["create"]) for method, _, _, body in server.log if method == "POST"] == [4, 2]
    assert asked == [4]


def test_after_a_429_nothing_is_looked_up_as_nothing_was_done(server):
    server.write_faults = {1: Fault(429)}
    patient = Patient(server)
    with patient.client as client:
        client.batch("products/categories", [{"name": "A", "slug": "a"}], [], lambda rows: pytest.fail("looked up"))
    assert len(server.shop.terms) == 2


def test_the_keys_stand_in_no_repr(server):
    patient = Patient(server)
    assert KEY not in repr(patient.client.access)
    assert SECRET not in repr(patient.client.access)
    patient.read()


SETTINGS = {"name": "woo", "kind": "woocommerce", "key_env": "A", "secret_env": "B"}


@pytest.mark.parametrize(
    "url", ["https://shop.example", "http://127.0.0.1:8080/", "http://localhost", "http://[::1]:80"]
)
def test_https_and_this_very_machine_are_allowed(url):
    assert WooCommerceStore.model_validate({**SETTINGS, "url": url}).url == url.rstrip("/")


def test_the_address_of_the_api_is_taken_for_the_shops():
    store = WooCommerceStore.model_validate({**SETTINGS, "url": "https://shop.example/ua/wp-json/wc/v3/"})
    assert store.url == "https://shop.example/ua"


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://shop.example"},
        {"url": "http://127.0.0.1.example"},
        {"url": "https://ck:cs@shop.example"},
        {"url": "https://shop.example?consumer_key=1"},
        {"url": "shop.example"},
        {"url": "https://shop.example", "batch": 101},
        {"url": "https://shop.example", "sku_prefix": ""},
        {"url": "https://shop.example", "secret": "cs_1"},
        {"url": "https://shop.example", "only_on_create": ["slug"]},
    ],
)
def test_settings_that_would_be_unsafe_or_wrong_are_refused(wrong):
    with pytest.raises(ValidationError):
        WooCommerceStore.model_validate({**SETTINGS, **wrong})


def test_every_setting_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "woocommerce.md").read_text(encoding="utf-8")
    assert [key for key in WooCommerceStore.model_fields if f"{key} = " not in text] == []
