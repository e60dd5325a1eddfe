"""The chain as a Prefect flow on a real server: on threads here, and on the workers of a real Dask cluster."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import SettingsError
from tests.chain.fleet import NAMES, SOUND, fleet, runs_of
from tests.patience import PATIENCE

ENDED = {"broken": "failed", "emptied": "guard stop", "held": "ok"} | dict.fromkeys(SOUND, "ok")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers, each a process with one thread."""
    import dask.config
    import distributed

    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ.PYTHONPATH": os.pathsep.join(sys.path)}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as cluster,
    ):
        yield cluster


def last_flow_run() -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The newest run of the flow, its tasks by name, its artifacts by key."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        ArtifactFilter,
        ArtifactFilterFlowRunId,
        FlowFilter,
        FlowFilterName,
        FlowRunFilter,
        FlowRunFilterId,
    )
    from prefect.client.schemas.sorting import FlowRunSort

    with get_client(sync_client=True) as client:
        flow = FlowFilter(name=FlowFilterName(any_=["sync-chain"]))
        run = client.read_flow_runs(flow_filter=flow, sort=FlowRunSort.START_TIME_DESC, limit=1)[0]
        mine = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
        end = time.monotonic() + 20
        while True:  # the states of tasks reach the server a moment after the flow's
            tasks = {task.name: task for task in client.read_task_runs(flow_run_filter=mine)}
            if all(task.state.is_final() for task in tasks.values()) or time.monotonic() > end:
                break
            time.sleep(0.2)
        artifacts = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        )
        return run, tasks, {artifact.key: artifact for artifact in artifacts}


def kill_the_worker_of(folder: Path, killed: list[int]) -> threading.Thread:
    """Kill, once, whoever runs the shop, as soon as its plan is made and its stores are being written."""

    def work() -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not killed:
            if (folder / "web.db").is_file():
                killed.append(int(json.loads((folder / ".torgsync.holder.json").read_text())["pid"]))
                os.kill(killed[0], signal.SIGKILL)
            time.sleep(0.002)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.mark.prefect
def test_eight_shops_on_dask_end_as_one_after_another_though_a_worker_is_killed_in_the_middle(
    tmp_path, postgres_url, sequential, cluster, prefect_server_url
):
    from flows.chain import run_chain_as_flow

    folders = fleet(tmp_path, postgres_url)
    workers = {worker.process.pid for worker in cluster.workers.values()}
    killed: list[int] = []
    killer = kill_the_worker_of(tmp_path / "big", killed)
    report = run_chain_as_flow(folders, dask=cluster.scheduler_address)
    killer.join()
    assert killed
    assert killed[0] in workers, "what was killed was a worker of Dask"
    assert {shop.shop: shop.outcome for shop in report.shops} == ENDED, report
    assert report.sentence == "8 shops: 6 ok, 1 guard stop, 1 failed"
    assert [outcome for outcome, _ in runs_of(folders[0])] == ["ok", "interrupted"]
    sequential.check(tmp_path)

    run, tasks, artifacts = last_flow_run()
    assert (run.state_type.value, run.state.message.endswith(report.sentence)) == ("FAILED", True)
    assert set(tasks) == set(NAMES)
    states = {name: task.state_name for name, task in tasks.items()}
    assert states == dict.fromkeys((*SOUND, "held"), "Completed") | {"broken": "Failed", "emptied": "Guard stop"}
    assert "goods created" in tasks["toys"].state.message
    assert "empty_extract" in tasks["emptied"].state.message
    assert " — next: " in tasks["emptied"].state.message
    rows = [line for line in artifacts["chain"].data.splitlines() if line.startswith("| ")][1:]
    assert [row.split(" | ")[0] for row in rows[:2]] == ["| broken", "| emptied"]
    assert len(rows) == 8
    assert any(row.startswith("| big | ok | 3000 | ") for row in rows)
    assert report.sentence in artifacts["chain"].data


@pytest.mark.prefect
def test_on_threads_the_flow_of_sound_shops_completes_and_returns_the_recap(tmp_path, prefect_server_url):
    from flows.chain import sync_chain

    folders = fleet(tmp_path, names=("toys", "tools"))
    report = sync_chain(folders, workers=2)
    assert (report.sentence, report.exit_code) == ("2 shops: 2 ok", 0)
    run, tasks, artifacts = last_flow_run()
    assert (run.state_name, run.name[:10]) == ("Completed", "chain · 20")
    assert {name: task.state_name for name, task in tasks.items()} == {"toys": "Completed", "tools": "Completed"}
    assert "2 at a time on this machine" in artifacts["chain"].data


def test_a_shop_whose_state_is_a_file_is_refused_on_dask_before_anything_is_read(tmp_path):
    from engine.chain.shop_run import run_one
    from flows.chain import check_shared

    (folder,) = fleet(tmp_path, names=("tools",))
    result = run_one(folder, check=check_shared)
    assert (result.outcome, result.exit_code) == ("wrong settings", 2)
    assert "keeps its state in a file" in result.did
    assert not Path(folder, "state.db").exists()


def test_without_prefect_dask_the_chain_says_what_to_install(monkeypatch):
    from flows.chain import INSTALL, dask_runner

    monkeypatch.setitem(sys.modules, "prefect_dask.task_runners", None)
    with pytest.raises(SettingsError, match="prefect-dask is not installed") as caught:
        dask_runner("tcp://127.0.0.1:1")
    assert INSTALL in caught.value.next_step
    documented = (Path(__file__).parents[2] / "docs" / "chain.md").read_text(encoding="utf-8")
    assert INSTALL in documented
