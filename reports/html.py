"""A plan as a page."""

from __future__ import annotations

from reports.plan import plan_text
from schemas.plan import Plan
from schemas.report import RunReport


def plan_page(plan: Plan, report: RunReport) -> str:
    """The plan as an HTML page."""
    return f"<pre>{plan_text(plan)}</pre>"
