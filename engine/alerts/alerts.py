"""Checks a finished run and sends alerts about it (docs/alerts.md). Nothing here changes the outcome of a run."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from engine.alerts.notify import Sent, send, split_urls
from engine.context import Run
from engine.lock import held
from engine.secrets import scrubbed
from engine.shops import shop_word
from reports.alert import alert_kinds, alert_text, subject
from schemas.command import COMMAND
from schemas.errors import SettingsError, TorgsyncError
from schemas.report import Outcome, Purpose, RunReport
from schemas.settings.alerts import NIGHTLY
from schemas.settings.shop import Shop
from state.open import open_state
from transforms.degraded import FULL, degraded

_LOADED = ("ok", "some stores failed")
_log = logging.getLogger("torgsync.alerts")  # without a handler, so that a warning goes to standard error


def judge(run: Run) -> None:
    """Fill ``report.degraded``, ``report.baseline`` and ``findings.before`` of a nightly run that loaded its stores."""
    report = run.report
    if report.purpose not in NIGHTLY or report.outcome not in _LOADED:
        return
    rows = [row for row in run.state.runs(purposes=NIGHTLY) if row["run"] != report.run]
    run.findings.before = cast(Outcome, rows[0]["outcome"]) if rows else None
    loaded = (RunReport.model_validate(r["report"]) for r in rows if r["report"] and r["outcome"] in _LOADED)
    previous = next((earlier for earlier in loaded if FULL in earlier.counts), None)
    untaken = []
    if report.outcome == "ok" and run.findings.plan is not None:
        plan = run.findings.plan
        taken = {store: confirmed.catalogue for store, confirmed in run.state.confirmed().items()}
        untaken = [store.store for store in plan.stores if taken.get(store.store) != plan.catalogue]
    found = degraded(report, previous, run.shop.alerts, untaken)
    report.degraded, report.baseline = found.sentences, found.baseline


def announce(run: Run) -> list[str]:
    """Send the alerts of a finished nightly run; returns the failures, and logs them to standard error.

    It does not read the state: its database may be the cause of the failure.
    """
    return _announce(run.shop, run.report, run.findings.before, run.findings.broken)


def announce_asked(run: Run, sentences: Sequence[str], hours: float, address: str) -> list[str]:
    """Send that a plan waits for a person; returns the failures. ``address``: the page for the answer."""
    shop = run.shop
    if "asked" not in shop.alerts.on or not (urls := receivers(shop)[0]):
        return []
    body = "\n".join(
        ["A plan waits for your approval:", *(f"- {text}" for text in sentences), "",
         "Changed: nothing in any store.", "",
         f"What to do: open {address}, press Resume, answer. No answer within {hours:g} hours means no."]
    )  # fmt: skip
    try:
        return failures(tell(shop, urls, subject(shop.name, "asked"), body, False))
    except Exception as error:  # a failed alert must not fail the run
        return [f"no alert was sent: {type(error).__name__}"]


def announce_refused(shop: Shop, purpose: Purpose, error: TorgsyncError) -> None:
    """Send that a nightly run could not begin, as its state database could not be opened."""
    now = datetime.now().astimezone().isoformat("T", "seconds")
    facts = {"outcome": "failed", "exit_code": error.exit_code, "message": error.message, "next_step": error.next_step}
    _announce(shop, RunReport(run="none", shop=shop.name, purpose=purpose, started_at=now, **facts), None, False)


def _announce(shop: Shop, report: RunReport, before: Outcome | None, broken: bool) -> list[str]:
    if report.purpose not in NIGHTLY:
        return []
    try:
        urls, beat, warnings = receivers(shop)
        if urls or beat:
            found = alert_kinds(report, before)
            kinds = [kind for kind in found if kind in shop.alerts.on]
            page = shop.alerts.report_url or str(shop.output / "report.html")
            title = subject(report.shop, ", ".join(kinds or found or [report.outcome]))
            body = alert_text(report, before, broken, page)
            warnings += failures(tell(shop, urls if kinds else [], title, body, report.exit_code == 0, beat))
    except Exception as error:  # a failed alert must not fail the run
        warnings = [f"no alert was sent: {type(error).__name__}"]
    for warning in warnings:
        _log.warning("torgsync: warning: %s", warning)
    return warnings


def tell(shop: Shop, urls: Sequence[str], title: str, body: str, ok: bool, beat: str | None = None) -> list[Sent]:
    """Send a message about a shop, without the secrets that the shop's settings name."""
    return send(urls, scrubbed(shop, title), scrubbed(shop, body), ok, beat)


def failures(sent: Sequence[Sent]) -> list[str]:
    """Return a sentence for each failed receiver."""
    return [f"an alert was not sent to {one.to}: {one.error}" for one in sent if one.error]


def receivers(shop: Shop) -> tuple[list[str], str | None, list[str]]:
    """Return a shop's apprise URLs, the URL of its heartbeat, and sentences about variables that are not set."""
    settings, missing = shop.alerts, []
    urls = split_urls(os.environ.get(settings.urls_env, ""))
    beat = os.environ.get(settings.heartbeat_env, "").strip() if settings.heartbeat_env else None
    if not urls and "urls_env" in settings.model_fields_set:
        missing.append(f"no alert can be sent: environment variable {settings.urls_env} (alerts.urls_env) is not set")
    if settings.heartbeat_env and not beat:
        missing.append(f"no heartbeat: environment variable {settings.heartbeat_env} (alerts.heartbeat_env) is not set")
    return urls, beat or None, missing


def send_test(shop: Shop) -> list[Sent]:
    """Send a test message to every URL and the heartbeat. Raises SettingsError where no URL is set."""
    urls, beat, missing = receivers(shop)
    if not urls and not beat:
        raise SettingsError(
            missing[0] if missing else f"no alerts: environment variable {shop.alerts.urls_env} is not set",
            "put apprise URLs into it: docs/alerts.md",
        )
    body = "This is a test of torgsync's alerts. Nothing was run and nothing was changed."
    return tell(shop, urls, subject(shop.name, "test"), body, True, beat)


@dataclass(frozen=True)
class Late:
    """The last run that ended ok is too old: its name, and the sentence about it."""

    run: str
    sentence: str


def overdue(shop: Shop, most: timedelta, now: datetime) -> Late | None:
    """Return the last run that ended ok if it is older than ``most``; None also where there never was one."""
    try:
        with open_state(shop) as state:
            good = next((row for row in state.runs(purposes=NIGHTLY) if row["outcome"] == "ok"), None)
    except TorgsyncError:  # the runs themselves report it
        return None
    return Late(good["run"], _too_old(good, now)) if good is not None and now - _moment(good) > most else None


def _too_old(good: dict[str, Any], now: datetime) -> str:
    return f"the last run that ended ok is {_hours(now - _moment(good))} old: {good['run']}"


def late_or_missing(shop: Shop, most: timedelta, now: datetime) -> str:
    """Return what is wrong with a shop's nights, in one line: no good one within ``most``, or the last was not good."""
    try:
        with open_state(shop) as state:
            rows = state.runs(purposes=NIGHTLY)
        runs_now = bool(rows) and rows[0]["outcome"] == "running" and held(shop)
    except TorgsyncError as error:
        return error.message
    ended = rows[1:] if runs_now else rows
    good = next((row for row in ended if row["outcome"] == "ok"), None)
    wrong = []
    if good is None:
        wrong.append("no run has ended ok yet")
    elif now - _moment(good) > most:
        wrong.append(_too_old(good, now))
    if ended and ended[0]["outcome"] != "ok":
        outcome = "interrupted" if ended[0]["outcome"] == "running" else ended[0]["outcome"]
        reason = f": {ended[0]['message']}" if ended[0]["message"] else ""
        wrong.append(f"run {ended[0]['run']} ended with «{outcome}»{reason}")
    if wrong and runs_now:
        wrong.append(f"run {rows[0]['run']} is still running")
    return "; ".join(wrong)


def send_late(shop: Shop, sentence: str) -> list[Sent]:
    """Send the sentence of ``late_or_missing``. It does not call the heartbeat: that service has noticed already."""
    step = f"{COMMAND} runs {shop_word(shop)}; then check the schedule, and run the shop by hand."
    body = f"{sentence}.\n\nWhat to do: {step}"
    return tell(shop, receivers(shop)[0], subject(shop.name, "late or missing"), body, False)


def _moment(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["finished_at"] or row["started_at"])


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:.0f} h"
