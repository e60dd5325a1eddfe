"""What an operator does and sees in the Prefect UI, in a real browser against ``torgsync serve``."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_promises import GOODS, SECTIONS, TYPES
from tests.patience import PATIENCE
from tests.production.conftest import Served, rows, wait_for

expect.set_options(timeout=PATIENCE * 1000)  # a busy machine draws a page slowly
pytestmark = [pytest.mark.browser, pytest.mark.prefect]


def open_form(page: Page, served: Served, name: str) -> None:
    page.goto(f"{served.url}/deployments/deployment/{served.deployment(name)['id']}/run")
    page.get_by_text("wait_minutes").first.wait_for(timeout=PATIENCE * 1000)


def submit(page: Page, done: Callable[[], Any], told: str) -> Any:
    """Click Submit until it is done: while a list is still closing, the page takes the click for that."""
    button = page.get_by_role("button", name="Submit")
    button.click()
    clicked = time.monotonic()

    def look() -> Any:
        nonlocal clicked
        found = done()
        if not found and time.monotonic() > clicked + 20 and button.is_visible():
            button.click()
            clicked = time.monotonic()
        return found

    return wait_for(look, told=told)


def newest_run(served: Served, shop: str) -> str:
    found = served.post(
        "/flow_runs/filter",
        {"sort": "EXPECTED_START_TIME_DESC", "flow_runs": {"tags": {"all_": [shop]}}, "limit": 200},
    )
    return next((str(run["id"]) for run in found if not run["auto_scheduled"]), "")


def test_the_form_is_filled_and_the_run_ends_with_artifacts_that_hold_the_right_numbers(page: Page, served: Served):
    open_form(page, served, "form-manual")
    expect(page.get_by_text("Only these stores. None chosen: all of the shop.")).to_be_visible()
    wait_minutes = page.locator("input[type=number]").last
    wait_minutes.fill("9999")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("9999 is greater than the maximum of 720").first).to_be_visible()
    wait_minutes.fill("3")
    page.get_by_role("button", name="No items selected").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("site", exact=True)).to_be_visible()  # the stores of this shop are offered
    page.get_by_text("web", exact=True).click()
    page.get_by_text("Parameters", exact=True).click()  # closes the list
    run = submit(page, lambda: newest_run(served, "form"), "the form's run")
    state = served.ended(run)
    assert (state["type"], state["name"]) == ("COMPLETED", "Degraded")
    assert "10 of 40 goods have no category" in state["message"]
    shop = served.shops["form"]
    assert served.get(f"/flow_runs/{run}")["parameters"]["stores"] == ["web"]
    assert (len(shop.store()["offers"]), (shop.output / "TSGoods.trs").exists()) == (40, False)
    name = served.get(f"/flow_runs/{run}")["name"]
    assert re.fullmatch(r"form · 20\d\d-\d\d-\d\d · ok", name)
    page.goto(f"{served.url}/runs/flow-run/{run}")
    expect(page.get_by_text(name).first).to_be_visible()
    artifacts = served.artifacts(run)
    page.goto(f"{served.url}/artifacts/artifact/{artifacts['form-summary']['id']}")
    expect(page.get_by_role("heading", name="form: ok")).to_be_visible()
    expect(page.get_by_role("row", name="goods in Torgsoft 40")).to_be_visible()
    expect(page.get_by_role("row", name="goods without a category 10")).to_be_visible()
    report = page.get_by_role("link", name=f"http://127.0.0.1:{served.reports}/form/").get_attribute("href")
    plan = rows(artifacts["form-plan"])
    assert {row["what"] for row in plan} == {"create", "GUARD NOTES"}  # the goods without a category
    assert sum(row["rows"] for row in plan if row["of"].startswith("category ")) == 2
    assert sum(row["rows"] for row in plan if re.match(r"\d+ goods? ", row["of"])) == 40
    page.goto(f"{served.url}/artifacts/artifact/{artifacts['form-tree']['id']}")
    picture = page.locator("img[src^='data:image/svg']")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == 900
    page.goto(report)
    expect(page.get_by_role("heading", name="form: ok")).to_be_visible()
    steps = served.post("/task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
    messages = {step["name"].rsplit("-", 1)[0]: step["state"]["message"] for step in steps}
    assert messages["extract"] == "4 product types, 2 sections and 40 goods read"
    assert messages["catalogue"] == "2 categories, 40 goods, 10 of them without a category"
    assert messages["load web"] == "2 categories created, 40 goods created"


def test_a_guard_stop_is_shown_with_the_sentence_of_what_to_do(page: Page, served: Served):
    shop = served.shops["stopped"]
    assert shop.run().outcome == "ok"
    before = shop.store()
    shop.base(TYPES, SECTIONS, GOODS[GOODS["good_id"] > 20])
    run = served.start("stopped-manual")
    state = served.ended(run)
    assert (state["type"], state["name"]) == ("FAILED", "Guard stop")
    page.goto(f"{served.url}/runs/flow-run/{run}")
    expect(page.get_by_text("Guard stop", exact=True).first).to_be_visible()
    page.get_by_text("Details", exact=True).click()
    page.get_by_text("See More", exact=True).click()
    expect(
        page.get_by_text(re.compile("guard «short_extract».*nothing was changed.*--allow short_extract=20")).first
    ).to_be_visible()
    page.goto(f"{served.url}/artifacts/artifact/{served.artifacts(run)['stopped-summary']['id']}")
    expect(page.get_by_role("heading", name="stopped: guard stop")).to_be_visible()
    expect(page.get_by_text("What to do: look at the plan")).to_be_visible()
    assert shop.store() == before
    assert rows(served.artifacts(run)["stopped-plan"])[0]["what"] == "GUARD STOPS"


def paused(served: Served, name: str) -> str:
    run = served.start(name)
    wait_for(lambda: served.state(run)["type"] == "PAUSED", told="the question")
    return run


def test_a_plan_above_a_soft_limit_waits_until_it_is_approved_by_hand(page: Page, served: Served):
    shop = served.shops["asked"]
    assert shop.run().outcome == "ok"
    shop.base(TYPES, SECTIONS, GOODS[GOODS["good_id"] > 8])
    before = shop.store()
    run = paused(served, "asked-manual")
    assert shop.store() == before
    assert sum(row["rows"] for row in rows(served.artifacts(run)["asked-plan"]) if "REMOVED" in row["what"]) == 6
    page.goto(f"{served.url}/runs/flow-run/{run}")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("6 goods would disappear from store web (asked above 1)")).to_be_visible()
    submit(page, lambda: served.state(run)["type"] != "PAUSED", "the answer as it stands: no")
    assert served.ended(run)["name"] == "Refused"
    assert shop.store() == before
    run = paused(served, "asked-manual")
    page.goto(f"{served.url}/runs/flow-run/{run}")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="refuse").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_text("approve", exact=True).click()
    page.locator("textarea").fill("sold out")
    submit(page, lambda: served.state(run)["type"] != "PAUSED", "the answer yes")
    state = served.ended(run)
    assert (state["name"], state["message"]) == ("Completed", "web, site: 6 goods hidden")
    assert "approved in Prefect («sold out»)" in served.artifacts(run)["asked-summary"]["data"].replace("\\", "")
    assert shop.store() != before


def failing_after_approval(served: Served, name: str) -> str:
    """A flow run that was approved, and then failed in its store web alone."""
    shop = served.shops[name]
    assert shop.run().outcome == "ok"
    shop.base(TYPES, SECTIONS, GOODS[GOODS["good_id"] > 8])
    with sqlite3.connect(shop.folder / "web.db") as store:
        store.execute("CREATE TRIGGER broken BEFORE UPDATE ON offers BEGIN INSERT INTO nowhere VALUES (1); END")
    run = paused(served, f"{name}-manual")
    served.post(f"/flow_runs/{run}/resume", {"run_input": {"answer": "approve", "note": "sold out"}})
    assert served.ended(run)["name"] == "Some stores failed"
    with sqlite3.connect(shop.folder / "web.db") as store:
        store.execute("DROP TRIGGER broken")
    return run


def retry(served: Served, run: str) -> None:
    """As the button Retry does."""
    served.post(f"/flow_runs/{run}/set_state", {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True})


def test_a_retry_of_an_approved_run_does_not_ask_again_and_loads_only_what_is_left(served: Served):
    shop = served.shops["approved"]
    run = failing_after_approval(served, "approved")
    feed = (shop.output / "TSGoods.trs").stat().st_mtime_ns
    retry(served, run)
    states = ("Completed", "Paused", "Failed", "Refused")
    wait_for(lambda: served.state(run)["name"] in states, told="the retry ends, or asks")
    assert (served.state(run)["name"], served.state(run)["message"]) == (
        "Completed",
        "web: 6 goods hidden; site: unchanged",
    )
    told = served.artifacts(run)["approved-summary"]["data"].replace("\\", "")
    assert "was approved in Prefect before, and nothing else is written" in told
    assert (shop.output / "TSGoods.trs").stat().st_mtime_ns == feed, "the feed was whole already"


def test_a_retry_that_would_write_something_else_than_was_approved_asks_once_more(served: Served):
    shop = served.shops["changed"]
    run = failing_after_approval(served, "changed")
    before = shop.store()
    shop.base(TYPES, SECTIONS, GOODS[GOODS["good_id"] > 9])
    path = shop.folder / "shop.toml"  # other settings: the kept plan is stale, and a new one is made
    path.write_text(path.read_text().replace("max_short_share = 0.5", "max_short_share = 0.6"))
    retry(served, run)
    wait_for(lambda: served.state(run)["name"] in ("Completed", "Paused", "Failed"), told="the second question")
    assert served.state(run)["name"] == "Paused"
    served.post(f"/flow_runs/{run}/resume", {"run_input": {"answer": "refuse"}})
    assert served.ended(run)["name"] == "Refused"
    assert shop.store() == before


def test_nothing_on_a_page_leads_to_the_newer_ui(page: Page, served: Served):
    """Its pages call an analytics host. A person who typed its address in comes to the older one, too."""
    assert httpx.get(f"{served.url}/ui-settings", timeout=60).json()["available_uis"] == ["v1"]
    for path in ("/dashboard", "/runs", "/settings"):
        page.goto(f"{served.url}{path}")
        page.get_by_role("link", name="Settings").or_(page.get_by_text("Settings", exact=True)).first.wait_for()
        expect(page.get_by_text("Deployments", exact=True).first).to_be_visible()
        told = [text for text in page.locator("a, button, [role=button]").all_inner_texts() if text.strip()]
        assert told, "links and buttons are there"
        assert [text for text in told if re.search(r"V2|new(er)? UI|try it", text, re.IGNORECASE)] == []
        targets = page.locator("a").evaluate_all("links => links.map(link => link.href)")
        assert [target for target in targets if "/v2" in target] == []
    page.goto(f"{served.url}/v2/dashboard")
    expect(page.get_by_text("Deployments", exact=True).first).to_be_visible()
    assert "/v2" not in page.url


def test_no_answer_means_no(served: Served):
    shop = served.shops["unanswered"]
    assert shop.run().outcome == "ok"
    shop.base(TYPES, SECTIONS, GOODS[GOODS["good_id"] > 8])
    before = shop.store()
    state = served.ended(served.start("unanswered-manual"))
    assert (state["type"], state["name"]) == ("FAILED", "Refused"), state["message"]
    assert "nobody approved the plan within 0.001 hours" in state["message"]
    assert shop.store() == before
