"""Asks a person in the Prefect UI whether a plan above the shop's soft limits may be carried out."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Literal
from uuid import UUID

import httpx
from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.input.run_input import keyset_from_base_key
from prefect.runtime import flow_run
from pydantic import Field

from engine.alerts.alerts import announce_asked
from engine.context import Run
from engine.runs.pages import category_names
from engine.stages import Planned
from flows.outcome import publish_plan
from reports.markdown import approval_text
from schemas.errors import NotApproved, TorgsyncError
from schemas.plan import Plan
from transforms.approval import not_approved, to_approve

_POLL = 3
"""Seconds between two looks whether somebody has answered."""
_LONGER = 600
"""Seconds by which Prefect's own pause outlives our time, for a server that does not answer just then."""


class Approval(RunInput):
    """The answer: an empty form is a no."""

    answer: Literal["refuse", "approve"] = Field(
        "refuse", description="approve: do exactly this; refuse: change nothing"
    )
    note: str = Field("", max_length=500, description="Why: it is recorded with the run")


def _say_no(run: str, late: threading.Event) -> None:
    """Answer for a person who did not. Let to run out, Prefect's own pause would end as a plain failure."""
    late.set()
    with get_client(sync_client=True) as client:
        client.resume_flow_run(UUID(run), run_input={"answer": "refuse"})


def _key(run: str, plan: Plan) -> str:
    """Under which Prefect keeps the question and its answer: another one for each run, and for each plan."""
    return f"{run}-{plan.fingerprint[:16]}"


def _approved(run: Run) -> list[Plan]:
    """The plans of earlier runs of this flow run that a person approved. Prefect keeps the answers, we keep the plans.

    A plan that is kept no more, or is not the one that was shown, counts as not approved.
    """
    found = []
    with get_client(sync_client=True) as client:
        for row in run.state.runs():
            if not run.options.flow_run or row["flow_run"] != run.options.flow_run or row["run"] == run.name:
                continue
            with suppress(TorgsyncError, httpx.HTTPStatusError, ValueError):  # no such plan, no such answer
                plan = run.history.plan(row["run"])
                if plan is None:
                    continue
                key = keyset_from_base_key(f"paused-{_key(row['run'], plan)}")["response"]
                answer = Approval.model_validate_json(client.read_flow_run_input(UUID(run.options.flow_run), key))
                if answer.answer == "approve":
                    found.append(plan)
    return found


def ask(run: Run, planned: Planned) -> None:
    """Pause the flow run until somebody answers, where the plan is above a soft limit.

    A flow run that is retried does not ask again while it writes nothing but what was approved. The shop stays held
    meanwhile, so that the plan stays true. Raises NotApproved for a no, and for no answer within ``approval.hours``. On
    Prefect's temporary server nobody could answer: there only the guards hold.
    """
    plan = planned.plan
    told = to_approve(plan, run.shop.approval)
    if not told or not os.environ.get("PREFECT_API_URL"):
        return
    if (approved := _approved(run)) and not not_approved(plan, approved):
        run.warn(f"was approved in Prefect before, and nothing else is written: {'; '.join(told)}")
        return
    hours = run.shop.approval.hours
    publish_plan(plan, category_names(run.history, run.state, plan), f"waits for approval, run {run.report.run}")
    address = flow_run.ui_url or "the Prefect UI"
    get_run_logger().warning("waits for approval: press Resume at %s", address)
    run.warn(*announce_asked(run, told, hours, address))
    form = Approval.with_initial_data(description=approval_text(plan, told, hours))
    again = f"look at the plan, then run again and approve it: {run.command}"
    late = threading.Event()
    timer = threading.Timer(hours * 3600, _say_no, (flow_run.id, late))
    timer.daemon = True
    timer.start()
    try:
        given = pause_flow_run(
            wait_for_input=form, timeout=round(hours * 3600) + _LONGER, poll_interval=_POLL, key=_key(run.name, plan)
        )
    finally:
        timer.cancel()
    if late.is_set() and given.answer != "approve":
        raise NotApproved(
            f"nobody approved the plan within {hours:g} hours: {'; '.join(told)}; nothing was changed in any store",
            again,
        )
    note = f" («{given.note}»)" if given.note else ""
    if given.answer != "approve":
        raise NotApproved(f"the plan was refused{note}: {'; '.join(told)}; nothing was changed in any store", again)
    run.warn(f"approved in Prefect{note}: {'; '.join(told)}")
