"""Prefect automations as code: what a Prefect server tells and does by itself, also when the run's process is dead.

A notification needs a block on the server. The one of type ``Slack Webhook`` takes any apprise URLs, several of them
too, and stores them encrypted; the server itself sends, so it needs nothing of ours.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast
from uuid import UUID

from prefect.blocks.notifications import SlackWebhook
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from engine.alerts.notify import split_urls
from schemas.settings.alerts import TOO_OLD

URLS_ENV = "TORGSYNC_ALERT_URLS"
BLOCK = "torgsync-alerts"

GOOD = ("Completed", "Degraded")
BAD = ("Failed", "Guard stop", "Quarantine over limit", "Some stores failed", "Refused", "Crashed")
_STARTED = (
    "Pending",
    "Submitting",
    "Running",
    "AwaitingConcurrencySlot",
    "Paused",
    "Suspended",
    "Cancelling",
    "Cancelled",
)
# a run that waits for a person or for its next try has no process, and so no heartbeat: it is no zombie
_QUIET = ("Paused", "Suspended", "AwaitingRetry", "Cancelled")


@dataclass(frozen=True)
class Watched:
    """Which runs are watched, and for how long one waits. A name may end with ``*``."""

    flows: tuple[str, ...] = ("sync-shop",)
    nightly: tuple[str, ...] = ("nightly*",)
    missing_after: timedelta = TOO_OLD
    late_after: timedelta = timedelta(minutes=15)
    beats_missed: int = 3


@dataclass(frozen=True)
class Installed:
    """Names of automations by what was done; ``notes`` says what was left out and why."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def install(url: str | None = None, watched: Watched | None = None) -> Installed:
    """Bring the automations of a Prefect server up to date, by name; others are left alone.

    ``url`` is the server's API (default: the one that is set). Where ``TORGSYNC_ALERT_URLS`` is not set, only those
    are installed that notify nobody. One that was switched off in the UI stays off. Raises what Prefect's client
    raises. Not to be called from a coroutine.
    """
    urls = split_urls(os.environ.get(URLS_ENV, ""))
    done = Installed()
    with temporary_settings({PREFECT_API_URL: url}) if url else nullcontext():
        block = SlackWebhook(url=", ".join(urls)).save(BLOCK, overwrite=True) if urls else None
        if block is None:
            done.notes.append(f"environment variable {URLS_ENV} is not set: nobody is notified by Prefect")
        with get_client(sync_client=True) as client:
            for wanted in automations(cast(UUID | None, block), watched):
                _install(client, wanted, done)
    return done


def automations(block: UUID | None, watched: Watched | None = None) -> list[AutomationCore]:
    """What is to be installed; ``block`` is the id of the notification block, without one there is no notification."""
    watched = watched or Watched()
    found = [_zombie(watched)]
    if block is not None:
        found += [
            _notify(block, "a run did not end ok", "", _reactive(watched, BAD)),
            _notify(block, "a run needs a look", "", _reactive(watched, ("Degraded",))),
            _notify(block, "a run is late", "Scheduled, and not begun: is a worker running?", _late(watched)),
            _notify(block, "a night is missing", f"No later run ended ok for {_hours(watched)}.", _missing(watched)),
        ]  # fmt: skip
    return found


def _install(client: SyncPrefectClient, wanted: AutomationCore, done: Installed) -> None:
    there = client.read_automations_by_name(wanted.name)
    if not there:
        client.create_automation(wanted)
        done.created.append(wanted.name)
        return
    wanted.enabled = there[0].enabled
    if _told(there[0]) == _told(wanted):
        done.unchanged.append(wanted.name)
        return
    client.update_automation(there[0].id, wanted)
    done.updated.append(wanted.name)


def _told(automation: AutomationCore) -> tuple[object, ...]:
    """What makes an automation, without the ids that the server gives."""
    return (automation.description, automation.trigger, automation.actions, sorted(automation.tags))


def _events(states: Sequence[str]) -> set[str]:
    return {f"prefect.flow-run.{state}" for state in states}


def _flow(watched: Watched) -> ResourceSpecification:
    return ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": list(watched.flows)})


def _runs() -> ResourceSpecification:
    return ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})


def _reactive(watched: Watched, states: Sequence[str]) -> EventTrigger:
    return EventTrigger(
        expect=_events(states), match=_runs(), match_related=_flow(watched), for_each={"prefect.resource.id"},
        posture=Posture.Reactive, threshold=1,
    )  # fmt: skip


def _late(watched: Watched) -> EventTrigger:
    """Not at the state Late itself, which a busy worker's runs pass through for seconds."""
    return EventTrigger(
        after=_events(["Late"]), expect=_events(_STARTED), match=_runs(), match_related=_flow(watched),
        for_each={"prefect.resource.id"}, posture=Posture.Proactive, threshold=1, within=watched.late_after,
    )  # fmt: skip


def _missing(watched: Watched) -> EventTrigger:
    """Counted from each run that ended ok: the time is exact, it is said once, and it needs a first such run."""
    nightly = {"prefect.resource.role": "deployment", "prefect.resource.name": list(watched.nightly)}
    return EventTrigger(
        after=_events(GOOD), expect=_events(GOOD), match=_runs(),
        match_related=[_flow(watched), ResourceSpecification(nightly)],
        for_each={"related:deployment:prefect.resource.id"}, posture=Posture.Proactive, threshold=1,
        within=watched.missing_after,
    )  # fmt: skip


def _zombie(watched: Watched) -> AutomationCore:
    """A run whose machine died: runs send heartbeats (every PREFECT_FLOWS_HEARTBEAT_FREQUENCY seconds, 180)."""
    beat = get_current_settings().flows.heartbeat_frequency or 180
    trigger = EventTrigger(
        after=_events(["heartbeat"]), expect=_events(["heartbeat", *GOOD, *BAD, *_QUIET]), match=_runs(),
        match_related=_flow(watched), for_each={"prefect.resource.id"}, posture=Posture.Proactive, threshold=1,
        within=timedelta(seconds=beat * watched.beats_missed),
    )  # fmt: skip
    message = f"no heartbeat for {beat * watched.beats_missed} s: its process or machine died; next: run it again"
    action = ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=message)
    return _automation(
        "a run without heartbeat has crashed", "Marks runs as Crashed whose process died.", trigger, [action]
    )


def _notify(block: UUID, name: str, remark: str, trigger: EventTrigger) -> AutomationCore:
    body = (
        "{{ flow_run.name }}: {{ event.resource['prefect.state-name'] }}\n"
        "{{ event.resource['prefect.state-message'] }}\n" + (f"{remark}\n" if remark else "") + "{{ flow_run|ui_url }}"
    )
    subject = f"torgsync: {{{{ flow_run.name }}}}: {name}"
    action = SendNotification(block_document_id=block, subject=subject, body=body)
    return _automation(name, "Sends an alert to TORGSYNC_ALERT_URLS.", trigger, [action])


def _automation(name: str, description: str, trigger: EventTrigger, actions: list[ActionTypes]) -> AutomationCore:
    return AutomationCore(
        name=f"torgsync: {name}", description=description, trigger=trigger, actions=actions, tags=["torgsync"]
    )


def _hours(watched: Watched) -> str:
    return f"{watched.missing_after.total_seconds() / 3600:g} h"
