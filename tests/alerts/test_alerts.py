"""Alerts of real nights: what is told, to whom, and that telling never changes a night or names a secret."""

from __future__ import annotations

import json
import logging
import sqlite3

import pytest

from engine.alerts import notify
from engine.lock import hold
from engine.main_path import sync
from engine.shops import load_shop
from engine.steps import Steps
from reports.alert import alert_text
from schemas.errors import SettingsError
from schemas.report import RunReport
from tests.alerts.receivers import smtp_receiver
from tests.cli.conftest import without
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES


def add(shop, text: str) -> None:
    """Append to shop.toml, ahead of its stores."""
    path = shop.folder / "shop.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("[[stores]]", f"{text}\n[[stores]]", 1), encoding="utf-8")


def report_json(shop) -> dict:
    return json.loads((shop.folder / "output" / "report.json").read_text(encoding="utf-8"))


def test_a_guard_stop_is_told_with_what_was_changed_and_what_to_do_and_its_end_is_told_too(loaded, receiver):
    loaded.goods(without(*range(1, 25)))
    loaded.shop.run()
    (told,) = receiver.messages
    assert told["title"] == "torgsync: test: guard stop"
    for part in ("guard stop: guard «", "Changed: nothing in any store.", "What to do: ", "--allow ", "Goods: 16 read"):
        assert part in told["message"], part
    assert str(loaded.folder / "output" / "report.html") in told["message"]
    loaded.goods(GOODS)
    loaded.shop.run()
    loaded.shop.run()
    assert receiver.subjects() == ["torgsync: test: guard stop", "torgsync: test: recovered"]
    assert "ok again: the run before ended with «guard stop»" in receiver.messages[1]["message"]


def test_a_degraded_night_is_ok_told_once_and_stands_in_summary_page_and_report(loaded, torgsync, receiver):
    types = TYPES.assign(section_key=[10, None, None, None])
    loaded.shop.base(types, SECTIONS, GOODS)
    done = torgsync("sync", loaded.folder, "--allow", "moved_goods=40", "--allow", "hidden_categories=9")
    assert done.code == 0, done.err
    sentence = "a new type has no section, the policy saved it: «Посуд › Тарілки» (10 goods)"
    assert f"LOOK AT: {sentence}" in done.out
    assert report_json(loaded)["degraded"] == [sentence]
    page = (loaded.folder / "output" / "report.html").read_text(encoding="utf-8")
    assert f'<div class="banner warn">to look at<p>{sentence}</p></div>' in page
    torgsync("sync", loaded.folder)
    assert receiver.subjects() == ["torgsync: test: degraded"]
    assert f"- {sentence}" in receiver.messages[0]["message"]
    assert report_json(loaded)["degraded"] == []


def test_a_failed_store_is_told_beside_what_the_others_did(local, receiver):
    local.base(TYPES, SECTIONS, GOODS)
    text = (local.folder / "shop.toml").read_text(encoding="utf-8")
    broken = text.replace("sqlite:///web.db", "sqlite:///no/such/folder/web.db")
    (local.folder / "shop.toml").write_text(broken, encoding="utf-8")
    assert local.run().exit_code == 4
    (told,) = receiver.messages
    assert told["title"] == "torgsync: test: stores failed, degraded"
    assert "- web: FAILED" in told["message"]
    assert "- site: 2 categories created" in told["message"]


def test_an_error_that_is_not_ours_is_told_and_still_raised(local, receiver):
    local.base(TYPES, SECTIONS, GOODS)

    def read(*_):
        raise ZeroDivisionError("a defect")

    with pytest.raises(ZeroDivisionError):
        sync(load_shop(local.folder), read=read)
    assert receiver.subjects() == ["torgsync: test: failed"]
    assert "failed: ZeroDivisionError: a defect" in receiver.messages[0]["message"]


def test_an_interrupted_load_says_that_a_store_may_be_half_way(local, receiver):
    local.base(TYPES, SECTIONS, GOODS)

    class StoppedAtTheSite(Steps):
        def __call__(self, name, function, *args, **kwargs):
            if name == "load site":
                raise KeyboardInterrupt
            return super().__call__(name, function, *args, **kwargs)

    assert sync(load_shop(local.folder), steps=StoppedAtTheSite()).outcome == "interrupted"
    (told,) = receiver.messages
    assert told["title"] == "torgsync: test: interrupted"
    assert "- web: 2 categories created" in told["message"]
    assert "- site: not reached, or half changed" in told["message"]
    assert "torgsync resume" in told["message"]


def test_a_state_that_cannot_be_opened_is_told_though_no_run_has_begun(local, receiver):
    local.base(TYPES, SECTIONS, GOODS)
    (local.folder / "state.db").mkdir()
    with pytest.raises(SettingsError):
        local.run()
    assert "the state database cannot be opened" in receiver.messages[0]["message"]


def test_a_plan_and_a_shop_that_is_held_tell_nothing(loaded, torgsync, receiver, monkeypatch):
    monkeypatch.setenv("BEAT", receiver.url("beat", "http"))
    add(loaded, '[alerts]\nheartbeat_env = "BEAT"')
    loaded.goods(without(*range(1, 25)))
    assert torgsync("plan", loaded.folder).code == 3
    with hold(load_shop(loaded.folder)):
        assert torgsync("sync", loaded.folder).code == 6
    assert receiver.got == []


def test_the_heartbeat_hears_of_every_night_and_of_a_bad_one_at_fail_with_the_message(loaded, receiver, monkeypatch):
    monkeypatch.setenv("BEAT", f"http://127.0.0.1:{receiver.port}/ping/123?create=1")
    add(loaded, '[alerts]\nheartbeat_env = "BEAT"\non = ["degraded"]')
    loaded.shop.run()
    loaded.goods(without(*range(1, 25)))
    loaded.shop.run()
    good, bad = receiver.got
    assert receiver.messages == [], "a guard stop is not asked for"
    assert good == ("GET", "/ping/123?create=1", "")
    assert bad[:2] == ("POST", "/ping/123/fail?create=1")
    assert bad[2].startswith("torgsync: test: guard stop\n\nguard stop: guard «")


def test_a_long_message_fits_into_a_messenger_and_holds_no_control_characters():
    degraded = [f"{'довга назва ' * 200}\x1b[2J"] * 20
    report = RunReport(run="r", shop="s", started_at="2026-11-24T02:30:00", outcome="ok", degraded=degraded)
    text = alert_text(report, None, False, "report.html")
    assert len(text) == 3500
    assert text.count("…") == 6
    assert "\x1b" not in alert_text(report.model_copy(update={"degraded": ["\x1b[2J"]}), None, False, "report.html")


@pytest.mark.parametrize("path", ["refuse", "down", "slow"])
def test_an_alert_that_cannot_be_sent_changes_no_outcome_takes_little_time_and_tells_no_secret(
    loaded, torgsync, receiver, monkeypatch, path
):
    monkeypatch.setattr(notify, "SECONDS", 2.0)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # those of the test runner
    urls = f"{receiver.url(f'{path}/TOKEN')}, tgram://907856341:alphabetagamma_delta/4711?cto=1&rto=1"
    if path == "down":
        urls = "json://user:geheim@127.0.0.1:9/TOKEN kaputt://user:geheim@h/TOKEN"
    monkeypatch.setenv("TORGSYNC_ALERT_URLS", urls)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing leaves the machine
    port = 9 if path == "down" else receiver.port
    monkeypatch.setenv("BEAT", f"http://user:geheim@127.0.0.1:{port}/{path}/TOKEN")
    add(loaded, '[alerts]\nheartbeat_env = "BEAT"')
    loaded.goods(without(*range(1, 25)))
    done = torgsync("sync", loaded.folder, "--json")
    assert done.code == 3
    warnings = [line for line in report_json(loaded)["warnings"] if "alert was not sent" in line]
    assert len(warnings) == (2 if path == "slow" else 3), "a heartbeat is taken with the first line of its answer"
    assert f"to json://127.0.0.1/…: {'no answer within 2 s' if path == 'slow' else ''}" in warnings[0]
    assert all(f"torgsync: warning: {line}" in done.err for line in warnings)
    written = b"".join(p.read_bytes() for p in loaded.folder.rglob("*") if p.is_file())
    for secret in ("geheim", "TOKEN", "alphabetagamma", "4711", "907856341"):
        assert secret not in done.out + done.err
        assert secret.encode() not in written
    assert loaded.rows()[0]["outcome"] == "guard stop"


def test_a_secret_that_the_shop_names_is_blotted_out_of_a_message(local, receiver, monkeypatch):
    monkeypatch.setenv("STATE", "postgresql+psycopg://u:pass-wort-1@127.0.0.1:1/db")
    add(local, '[state]\nurl_env = "STATE"')

    def read(*_):
        raise ValueError("cannot connect as u:pass-wort-1@127.0.0.1")

    monkeypatch.setenv("STATE2", f"sqlite:///{local.folder / 'pass-wort-1.db'}")
    text = (local.folder / "shop.toml").read_text(encoding="utf-8")
    (local.folder / "shop.toml").write_text(text.replace('"STATE"', '"STATE2"'), encoding="utf-8")
    add(local, '[alerts]\nheartbeat_env = "STATE"')
    with pytest.raises(ValueError, match="pass-wort-1"):
        sync(load_shop(local.folder), read=read)
    assert "cannot connect as u:…@127.0.0.1" in receiver.messages[0]["message"]


def test_a_variable_that_the_shop_names_and_nobody_set_is_a_warning(local, monkeypatch, capsys):
    monkeypatch.delenv("NOBODY", raising=False)
    add(local, '[alerts]\nurls_env = "NOBODY"')
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    told = "no alert can be sent: environment variable NOBODY (alerts.urls_env) is not set"
    assert told in report_json(local)["warnings"]
    with sqlite3.connect(local.folder / "state.db") as connection:
        assert told in connection.execute("select report from runs").fetchone()[0]


def test_mail_arrives_with_the_subject(loaded, monkeypatch):
    with smtp_receiver() as (port, mails):
        address = f"mailto://127.0.0.1:{port}?from=torgsync@shop.example&to=boss@shop.example&mode=insecure"
        monkeypatch.setenv("TORGSYNC_ALERT_URLS", address)
        loaded.goods(without(*range(1, 25)))
        report = loaded.shop.run()
    assert report.warnings == []
    (mail,) = mails
    assert "To: boss@shop.example" in mail
    assert "torgsync" in mail


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mailtos://u:p@mail.example?to=x", "mailtos://mail.example/…"),
        ("json://u:p@127.0.0.1:80/TOKEN?a=b", "json://127.0.0.1/…"),
        ("tgram://123:TOKEN/chat", "tgram://…"),
        ("slack://TOKEN/B/C", "slack://…"),
        ("geheim", "a URL without a scheme"),
        ("json://[kaputt/", "json://…"),
        ("mailtos://robot:p@ss/word@mail.example", "mailtos://…"),
        ("mailtos://robot:p@ss?word@mail.example", "mailtos://…"),
        ("https://robot:p@ss#word@hooks.example/x", "https://…"),
    ],
)
def test_a_url_is_shown_by_scheme_and_host_only(url, shown):
    assert notify.redacted(url) == shown


def test_urls_are_separated_by_blanks_or_commas_and_may_hold_commas():
    text = " mailto://a.b?to=x@y,z@y,  tgram://1:2/3\njson://h "
    assert notify.split_urls(text) == ["mailto://a.b?to=x@y,z@y", "tgram://1:2/3", "json://h"]
    assert notify.split_urls(" ") == []
