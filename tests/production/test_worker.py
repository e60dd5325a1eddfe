"""What becomes of runs whose worker dies, that fail, or that meet another run of the same shop."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from engine.shops import load_shop
from state.database import State
from state.url import state_url
from tests.e2e.conftest import ShopFolder
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES
from tests.patience import PATIENCE
from tests.production.conftest import ROOT, Served, far_from_now, free_port, wait_for

pytestmark = [pytest.mark.prefect]


def rows_of(shop: ShopFolder) -> list[dict[str, Any]]:
    """The shop's runs, newest first."""
    settings = load_shop(shop.folder)
    state = State(state_url(settings), settings.name)
    try:
        return state.runs()
    finally:
        state.close()


def runs_of(shop: ShopFolder) -> list[tuple[str, str]]:
    """(purpose, outcome) of the shop's runs, newest first."""
    return [(row["purpose"], row["outcome"]) for row in rows_of(shop)]


def slow_down(shop: ShopFolder) -> None:
    """Let the store's database work for many seconds when good 2 is changed."""
    many = ", ".join(f"offers o{n}" for n in range(5))
    with sqlite3.connect(shop.folder / "web.db") as store:
        store.execute(
            f"CREATE TRIGGER slow AFTER UPDATE ON offers WHEN NEW.good_id = 2 BEGIN SELECT count(*) FROM {many}; END"
        )


def speed_up(shop: ShopFolder) -> None:
    with sqlite3.connect(shop.folder / "web.db") as store:
        store.execute("DROP TRIGGER slow")


def test_every_night_of_the_next_days_is_scheduled_once_by_the_clock_of_kyiv(served: Served):
    id_ = served.deployment("form-nightly")["id"]

    def scheduled() -> list[datetime]:
        found = served.post("/flow_runs/filter", {"deployments": {"id": {"any_": [id_]}}})
        return [datetime.fromisoformat(run["expected_start_time"]) for run in found if run["auto_scheduled"]]

    wait_for(lambda: len(scheduled()) >= 3, told="the scheduler makes runs of the cron schedule")
    local = sorted(moment.astimezone(ZoneInfo("Europe/Kyiv")) for moment in scheduled())
    assert {moment.strftime("%H:%M") for moment in local} == {load_shop(served.shops["form"].folder).schedule.at}
    assert len({moment.date() for moment in local}) == len(local)


def test_a_worker_killed_in_the_middle_leaves_a_crashed_run_a_free_shop_and_no_process(served: Served):
    shop = served.shops["killed"]
    assert shop.run().outcome == "ok"
    before = shop.store()
    slow_down(shop)
    shop.base(TYPES, SECTIONS, GOODS[GOODS["good_id"] != 2])
    run = served.start("killed-manual")
    running = {"flow_runs": {"id": {"any_": [run]}}, "task_runs": {"state": {"name": {"any_": ["Running"]}}}}
    wait_for(
        lambda: any(step["name"].startswith("load web") for step in served.post("/task_runs/filter", running)),
        told="the store is being written",
    )  # fmt: skip
    (worker,) = served.children("worker start")
    below = worker.children(recursive=True)
    assert below
    worker.send_signal(signal.SIGKILL)
    assert served.ended(run)["type"] == "CRASHED"
    psutil.wait_procs(below, timeout=PATIENCE)
    assert [child for child in below if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    assert runs_of(shop)[0] == ("sync", "interrupted")
    wait_for(lambda: served.children("worker start"), told="serve has started the worker again")
    speed_up(shop)
    again = served.start("killed-manual")  # the shop is free, and the next run makes good what is missing
    assert served.ended(again)["name"] == "Completed"
    assert sum(row != old for row, old in zip(shop.store()["offers"], before["offers"], strict=True)) == 1
    feed = (shop.output / "TSGoods.trs").read_text("cp1251")
    assert len(feed.splitlines()) == 40 - 1


def test_a_failed_run_that_is_retried_goes_on_from_its_plan(served: Served):
    shop = served.shops["mended"]
    target = shop.folder.parent / "mended-feeds"
    path = shop.folder / "shop.toml"
    path.write_text(path.read_text().replace('target = "output"', f'target = "{target}"'))
    run = served.start("mended-manual")
    assert served.ended(run)["name"] == "Some stores failed"
    target.mkdir()  # what failed is mended
    served.post(f"/flow_runs/{run}/set_state", {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True})
    wait_for(lambda: served.state(run)["name"] == "Completed", told="the retry ends")
    assert runs_of(shop)[:2] == [("resume", "ok"), ("sync", "some stores failed")]
    assert len((target / "TSGoods.trs").read_text("cp1251").splitlines()) == 40
    steps = served.post("/task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
    assert sum(step["name"].startswith("extract") for step in steps) == 1, "what was read is not read again"


def test_deploy_registers_a_shop_by_its_settings_and_a_worker_runs_it(served: Served):
    shop = served.shops["declared"]
    path = shop.folder / "shop.toml"
    path.write_text(path.read_text().replace(f'at = "{far_from_now()}"', 'at = "13:45"'))  # serve does not know of it
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | {
        "PREFECT_API_URL": f"{served.url}/api", "PREFECT_HOME": str(served.folder / "elsewhere"), "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    words = [sys.executable, "-c", "from cli.main import main; main()", "deploy", "declared", "--pool", "torgsync"]
    done = subprocess.run(words, cwd=served.folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (schedule,) = [found["schedule"] for found in served.deployment("declared-nightly")["schedules"]]
    assert (schedule["cron"], schedule["timezone"]) == ("45 13 * * *", "Europe/Kyiv")
    assert served.deployment("declared-plan-only")["parameters"] == {"shop": "declared", "dry_run": True}
    assert served.deployment("declared-rollback", "rollback-shop")["enforce_parameter_schema"]
    state = served.ended(served.start("declared-manual", {"wait_minutes": 1}))
    assert (state["type"], state["name"]) == ("COMPLETED", "Degraded")  # a first night, with goods without a category
    assert len(served.shops["declared"].store()["offers"]) == 40


def left_behind(served: Served, *states: str) -> list[str]:
    """Flow runs of the pool in these states, as a worker leaves them that is killed with all that it started."""
    later = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00:00Z"}}}
    id_ = served.deployment("form-manual")["id"]
    runs = []
    for state in states:
        runs.append(str(served.post(f"/deployments/{id_}/create_flow_run", later)["id"]))
        served.post(f"/flow_runs/{runs[-1]}/set_state", {"state": {"type": state}, "force": True})
    return runs


def test_what_ran_when_the_machine_went_down_is_marked_as_crashed(served: Served):
    (run,) = left_behind(served, "RUNNING")
    code = "import flows.sync; from flows.dead_runs import DeadRuns; print(DeadRuns('torgsync').end())"
    env = {**os.environ, "PREFECT_API_URL": f"{served.url}/api", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert int(done.stdout) > 0  # all that seem to run: a test before this one may have left one
    assert served.state(run)["type"] == "CRASHED"
    assert "Retry goes on from its plan" in served.state(run)["message"]


def test_runs_that_a_killed_worker_left_are_ended_when_serve_starts_it_again_and_one_that_lives_when_it_ends(
    served: Served,
):
    """They take all three places of the pool: no night would begin any more."""
    pending, running, paused, living = left_behind(served, "PENDING", "RUNNING", "PAUSED", "RUNNING")
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; print('here', flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PREFECT__FLOW_RUN_ID": living},
    )  # fmt: skip
    try:
        process.stdout.readline()
        (worker,) = served.children("worker start")
        worker.send_signal(signal.SIGKILL)
        for run in (pending, running, paused):
            assert served.ended(run)["type"] == "CRASHED"
            assert "Retry goes on from its plan" in served.state(run)["message"]
        assert served.ended(served.start("form-plan-only"))["type"] == "COMPLETED", "there is a place again"
        assert served.state(living)["type"] == "RUNNING", "its process is there"
    finally:
        process.kill()
        process.communicate()
    assert served.ended(living)["type"] == "CRASHED"


def test_a_second_serve_on_the_same_folder_is_refused_and_leaves_the_runs_of_the_first_alone(served: Served):
    (run,) = left_behind(served, "PAUSED")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    words = ["serve", "form", "--port", str(free_port()), "--reports-port", "0"]
    done = subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", *words],
        cwd=served.folder, env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"torgsync serve is running already with {served.folder / '.prefect'}" in done.stderr
    assert "Traceback" not in done.stderr
    assert served.state(run)["type"] == "PAUSED"
    served.post(f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLED"}, "force": True})


def test_prefect_forgets_what_ended_more_than_sixty_days_ago_with_its_logs_and_artifacts(served: Served):
    old, young = "", ""
    for _ in range(2):  # one after the other, as the second would find the shop busy
        old, young = young, served.start("form-plan-only")
        assert served.ended(young)["type"] == "COMPLETED"

    def kept(run: str) -> dict[str, int]:
        """Rows of Prefect's database that belong to a flow run."""
        asked = {table: "flow_run_id" for table in ("log", "artifact", "task_run", "flow_run_state")} | {
            "flow_run": "id"
        }
        with closing(sqlite3.connect(served.folder / ".prefect" / "prefect.db", timeout=PATIENCE)) as database:
            return {
                table: database.execute(f"select count(*) from {table} where {column} = ?", [run]).fetchone()[0]
                for table, column in asked.items()
            }

    wait_for(lambda: all(kept(old).values()), told="logs reach the server a moment after the run")
    wait_for(lambda: all(kept(young).values()), told="logs reach the server a moment after the run")
    with closing(sqlite3.connect(served.folder / ".prefect" / "prefect.db", timeout=PATIENCE)) as database:
        for run, days in ((old, 61), (young, 59)):
            ended = f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d %H:%M:%S.%f}"
            database.execute("update flow_run set end_time = ? where id = ?", [ended, run])
        week = f"{datetime.now(UTC) - timedelta(days=8):%Y-%m-%d %H:%M:%S.%f}"
        (event,) = database.execute("select id from events order by occurred limit 1").fetchone()
        database.execute("update events set occurred = ? where id = ?", [week, event])
        database.execute("update event_resources set occurred = ? where event_id = ?", [week, event])
        database.commit()
    wait_for(lambda: not any(kept(old).values()), told="the old run goes, with all that belongs to it")
    assert all(kept(young).values())

    def events() -> int:
        with closing(sqlite3.connect(served.folder / ".prefect" / "prefect.db", timeout=PATIENCE)) as database:
            return database.execute("select count(*) from events where id = ?", [event]).fetchone()[0]

    wait_for(lambda: events() == 0, told="an event of last week goes, too")


TRIES = 50 if os.environ.get("TORGSYNC_SWEEP_STEP") else 5
RUNNER = """
import sys
for line in sys.stdin:
    shop, how = line.split()
    if how == "ui":
        from flows.sync import run_as_flow
        from schemas.errors import TorgsyncError
        try: code = run_as_flow(shop).exit_code
        except TorgsyncError as error: code = error.exit_code
    else:
        from cli.run import run_sync
        from schemas.errors import TorgsyncError
        try: run_sync(shop, {}, False, False, True)
        except SystemExit as end: code = end.code
        except TorgsyncError as error: code = error.exit_code
    print("code", code, flush=True)
"""


def test_of_a_run_in_prefect_and_one_by_the_command_line_at_once_exactly_one_works(served: Served):
    shop = served.shops["busy"].folder
    api = {"PREFECT_API_URL": f"{served.url}/api", "PREFECT_LOGGING_LEVEL": "ERROR"}
    env = {**os.environ, "PYTHONPATH": str(ROOT), **api}
    both = {
        how: subprocess.Popen(
            [sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        for how in ("ui", "command")
    }

    def ask(how: str, codes: dict[str, int]) -> None:
        process = both[how]
        process.stdin.write(f"{shop} {how}\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith("code "):
                codes[how] = int(line.split()[1])
                return

    found = []
    try:
        for how in both:
            ask(how, {})  # imports and the first load are done, alone
        for number in range(TRIES):
            codes: dict[str, int] = {}
            threads = [threading.Thread(target=ask, args=(how, codes)) for how in both]
            for thread in sorted(threads, key=lambda thread: number % 2):
                thread.start()
            for thread in threads:
                thread.join()
            found.append(tuple(sorted(codes.values())))
    finally:
        for process in both.values():
            process.stdin.close()
            process.wait(PATIENCE)
    assert set(found) <= {(0, 6), (0, 0)}, "one works; the other ends with 6, or its turn comes in time"
    worked = sorted((row["started_at"], row["finished_at"]) for row in rows_of(served.shops["busy"]))
    assert len(worked) == 2 + sum(codes.count(0) for codes in found), "every run that worked is on record"
    assert all(end <= begin for (_, end), (begin, _) in pairwise(worked)), "no two runs had the shop at once"


def test_no_request_leaves_the_machine(served: Served):
    """Written down by a hook in every Python process that serve started, and by the browser: all tests before this."""
    run = served.start("form-nightly")
    assert served.ended(run)["type"] == "COMPLETED"
    assert served.audit.read_text() == ""
