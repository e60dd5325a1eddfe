"""The same run as a Prefect flow, on Prefect's own temporary server."""

from __future__ import annotations

import re

import pytest

from tests.e2e.test_promises import GOODS, SECTIONS, TYPES


@pytest.fixture(scope="module")
def prefect_server():
    """One temporary Prefect server and database for this module: starting it takes ten seconds and more."""
    from prefect.testing.utilities import prefect_test_harness

    from flows.sync import sync_shop  # noqa: F401 - sets Prefect's environment first

    with prefect_test_harness(server_startup_timeout=90):
        yield


@pytest.mark.prefect
@pytest.mark.timeout(240)
def test_the_flow_runs_each_step_as_a_task_and_gives_the_same_report_as_the_command(local, prefect_server):
    from prefect.client.orchestration import get_client

    from flows.sync import run_as_flow

    local.base(TYPES, SECTIONS, GOODS)
    plain = local.run()
    report = run_as_flow(str(local.folder))
    assert (report.outcome, report.counts) == ("ok", plain.counts)
    with get_client(sync_client=True) as client:
        tasks = {run.name.rsplit("-", 1)[0] for run in client.read_task_runs()}
        flows = [(run.name, run.state_name) for run in client.read_flow_runs()]
    assert tasks == {"extract", "validate", "sections", "catalogue", "plan", "load web", "load site"}
    assert flows[0][1] == "Completed"
    assert flows[0][0] == f"test · {report.started_at[:10]} · ok"


@pytest.mark.prefect
@pytest.mark.timeout(240)
def test_a_guard_stop_is_a_state_of_its_own_with_the_sentence_of_what_to_do(local, prefect_server):
    from flows.sync import run_as_flow, sync_shop

    local.base(TYPES, SECTIONS, GOODS[:0])
    state = sync_shop(str(local.folder), return_state=True)
    assert (state.name, state.type.value) == ("Guard stop", "FAILED")
    assert re.search(r"guard «empty_extract».*next:", state.message)
    assert run_as_flow(str(local.folder)).exit_code == 3
