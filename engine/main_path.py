"""The nightly sync of one shop, in the order of the picture in docs/architecture.md.

The command line and the Prefect flow both run it; the flow hands in steps that are Prefect tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from engine.apply import apply_plan
from engine.context import Run, RunKind, RunOptions
from engine.guards import stop_at_guards
from engine.planning import make_plan, refuse_incomplete
from engine.sections import shop_rules
from engine.session import run_session
from engine.stages import Extracted, Planned
from engine.steps import Steps
from engine.store_catalogues import decide
from schemas.extract import Extract
from schemas.report import RunReport
from schemas.settings.shop import Shop, SourceSettings
from sources.firebird.extract import read_base
from transforms.clean import clean
from transforms.guards import check_extract

Reader = Callable[[SourceSettings, Path], Extract]
Ask = Callable[[Run, Planned], None]


def nobody(run: Run, planned: Planned) -> None:
    """Ask nobody whether a plan that passed the guards may be applied."""


def sync(
    shop: Shop,
    options: RunOptions | None = None,
    steps: Steps | None = None,
    read: Reader | None = None,
    ask: Ask = nobody,
) -> RunReport:
    """Read the shop's base, decide every good's category and bring every store up to date.

    ``steps`` runs and measures each step. ``read`` reads the base in place of Firebird. ``ask`` may raise NotApproved
    once the plan has passed the guards. Returns the run's report, also when the run was stopped: ``outcome`` and
    ``exit_code`` say how. Raises ShopBusy when another run holds the shop. Nothing is written to any store unless the
    whole plan was made and passed the guards.
    """

    def body(run: Run) -> None:
        extracted = extract_base(run, read)
        decided = decide(run, extracted)
        planned = run.steps("plan", make_plan, run, decided)
        stop_at_guards(run, planned)
        ask(run, planned)
        apply_plan(run, planned)

    return run_session(shop, body, RunKind("sync"), options, steps)


def plan(
    shop: Shop, options: RunOptions | None = None, steps: Steps | None = None, read: Reader | None = None
) -> RunReport:
    """The same up to the plan, which is written to ``output/plan.json``. No store is changed.

    Exit code 4 when a store could not be read or planned; the plan has the others.
    """

    def body(run: Run) -> None:
        planned = run.steps("plan", make_plan, run, decide(run, extract_base(run, read)))
        stop_at_guards(run, planned)
        refuse_incomplete(planned)

    return run_session(shop, body, RunKind("plan"), options, steps)


def extract_base(run: Run, read: Reader | None = None) -> Extracted:
    """Read the base in one snapshot, keep what was read, and reject the rows that are no good.

    Raises GuardStop for an empty extract, SourceError where the base cannot be read.
    """
    rules = shop_rules(run.shop)
    read = read or partial(read_base, progress=lambda table, done, total: run.steps.progress("extract", done, total))
    extract = run.steps("extract", read, run.shop.source, run.shop.folder)
    run.findings.extract = extract
    check_extract(extract)
    fingerprint = run.history.save_extract(extract)
    run.state.note_extract(run.name, fingerprint)
    cleaned = run.steps("validate", clean, extract, run.shop.names)
    run.findings.rejected = cleaned.quarantine
    return Extracted(extract, fingerprint, rules, cleaned)
