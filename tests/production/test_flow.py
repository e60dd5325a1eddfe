"""The same run as a Prefect flow, on a real Prefect server."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.test_promises import GOODS, SECTIONS, TYPES


@pytest.mark.prefect
def test_the_flow_runs_each_step_as_a_task_and_gives_the_same_report_as_the_command(local, prefect_server_url):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    from flows.sync import sync_shop

    local.base(TYPES, SECTIONS, GOODS)
    plain = local.run()
    state = sync_shop(str(local.folder), return_state=True)
    report: Any = state.result()
    assert (report.outcome, report.counts) == ("ok", plain.counts)
    id_ = state.state_details.flow_run_id
    with get_client(sync_client=True) as client:
        steps = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[id_])))
        flow_run = client.read_flow_run(id_)
    tasks = {step.name.rsplit("-", 1)[0] for step in steps}
    assert tasks == {"extract", "validate", "sections", "catalogue", "plan", "load web", "load site"}
    assert flow_run.state_name == "Completed"
    assert flow_run.name == f"test · {report.started_at[:10]} · ok"


@pytest.mark.prefect
def test_a_guard_stop_is_a_state_of_its_own_with_the_sentence_of_what_to_do(local, prefect_server_url):
    from flows.sync import run_as_flow, sync_shop

    local.base(TYPES, SECTIONS, GOODS[:0])
    state = sync_shop(str(local.folder), return_state=True)
    assert (state.name, state.type.value) == ("Guard stop", "FAILED")
    assert re.search(r"guard «empty_extract».*next:", state.message)
    assert run_as_flow(str(local.folder)).exit_code == 3
