"""The automations on a real Prefect server: installed once, and a guard stop reaches a webhook."""

from __future__ import annotations

import pytest


@pytest.mark.prefect
def test_automations_are_installed_once_and_a_guard_stop_is_told_to_the_webhook(
    prefect_server_url, receiver, monkeypatch
):
    from prefect import flow
    from prefect.automations import AutomationCore
    from prefect.client.orchestration import get_client
    from prefect.events.actions import DoNothing
    from prefect.events.schemas.automations import EventTrigger
    from prefect.states import Failed

    from flows.automations import BLOCK, Watched, install

    def remove() -> None:
        with get_client(sync_client=True) as client:
            for found in client.read_automations():
                if found.name.startswith("torgsync: "):
                    client.delete_automation(found.id)

    remove()  # others use the server too
    watched = Watched(flows=("alerts-test",))
    monkeypatch.delenv("TORGSYNC_ALERT_URLS")
    alone = install(prefect_server_url, watched)
    assert alone.created == ["torgsync: a run without heartbeat has crashed"]
    assert "TORGSYNC_ALERT_URLS is not set" in alone.notes[0]

    monkeypatch.setenv("TORGSYNC_ALERT_URLS", receiver.url("told"))
    with get_client(sync_client=True) as client:
        trigger = EventTrigger(expect={"foreign"}, threshold=1, posture="Reactive")
        foreign = client.create_automation(AutomationCore(name="foreign", trigger=trigger, actions=[DoNothing()]))
        first = install(prefect_server_url, watched)
        again = install(prefect_server_url, watched)
        assert (len(first.created), first.unchanged) == (4, alone.created)
        assert (again.created, again.updated, len(again.unchanged)) == ([], [], 5)
        names = [found.name for found in client.read_automations() if found.name.startswith("torgsync: ")]
        assert sorted(names) == sorted({*first.created, *alone.created})
        assert client.read_automation(foreign).name == "foreign"
        block = client.read_block_document_by_name(BLOCK, "slack-webhook", include_secrets=False)
        assert "geheim" not in str(block.data)

        night = client.create_flow_run(flow(lambda: None, name="alerts-test"), name="cosmetics · 2026-11-24")
        message = "guard «hidden_offers»: 40 goods would disappear — next: torgsync plan cosmetics"
        client.set_flow_run_state(night.id, Failed(name="Guard stop", message=message), force=True)
        receiver.wait(1)
        (told,) = receiver.messages
        assert told["title"] == "torgsync: cosmetics · 2026-11-24: a run did not end ok"
        assert told["message"].splitlines()[:2] == ["cosmetics · 2026-11-24: Guard stop", message]

        changed = install(prefect_server_url, Watched(flows=("alerts-test", "other")))
        assert (changed.created, len(changed.updated)) == ([], 5)
    remove()
