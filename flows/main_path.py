"""The nightly sync of one shop, in the order of the picture; the flow and the command both run it."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pandas as pd

from flows.decide import decide_sections, names_policy
from flows.load import check_stores, load_stores, write_outputs
from flows.lock import hold
from flows.report import fill_report
from flows.run import Run
from flows.steps import PlainSteps, Steps
from schemas.errors import StoreError, TorgsyncError
from schemas.report import Outcome, RunReport
from schemas.rules import load_rules
from schemas.shop import Shop
from sources.firebird import read_base
from state.store import State
from transforms.catalogue import build_catalogue, check_conservation
from transforms.clean import clean
from transforms.guards import check_extract, check_quarantine


def sync(shop: Shop, steps: PlainSteps | None = None, do: Steps | None = None) -> RunReport:
    """Read the shop's base, decide every good's category and bring every store up to date.

    ``steps`` measures, ``do`` runs each step (default: plainly). Returns the run's report, also when the run was
    stopped: ``outcome`` and ``exit_code`` tell. Raises ShopBusy when another run holds the shop. Nothing is written to
    any store unless the whole catalogue was built, conserved every good and passed the guards.
    """
    steps = steps or PlainSteps()
    with hold(shop):
        now = datetime.now().astimezone()
        name = f"{now:%Y%m%d-%H%M%S}-{uuid4().hex[:4]}"
        run = Run(shop, RunReport(run=name, shop=shop.name, started_at=now.isoformat("T", "seconds")))
        state = State(shop.state_url)
        try:
            state.start_run(run.report)
            try:
                _sync(run, state, do or steps)
                run.report.outcome = "ok"
            except TorgsyncError as error:
                run.report.outcome = _OUTCOMES.get(error.exit_code, "failed")
                run.report.exit_code, run.report.message = error.exit_code, error.message
                run.report.next_step = error.next_step
            except BaseException as error:
                run.report.outcome, run.report.exit_code = "failed", 1
                run.report.message = f"{type(error).__name__}: {error}"
                raise
            finally:
                run.report.seconds = steps.seconds
                fill_report(run)
                rejected = run.quarantine
                write_outputs(run)
                state.finish_run(run.report, pd.DataFrame() if rejected is None else rejected)
        finally:
            state.close()
    return run.report


_OUTCOMES: dict[int, Outcome] = {3: "guard stop", 4: "some stores failed", 5: "quarantine over its limit"}


def _sync(run: Run, state: State, do: Steps) -> None:
    shop = run.shop
    rules = run.rules = load_rules(shop.path(shop.sections.rules) if shop.sections.rules else None)
    raw = run.raw = do("extract", read_base, shop.source, shop.folder)
    check_extract(raw)
    run.cleaned = do("validate", clean, raw, names_policy(shop))
    decided = do("sections", decide_sections, shop, run.cleaned, raw.sections, rules, state.registry())
    run.decided = decided
    catalogue = do(
        "catalogue", build_catalogue,
        decided.clean.product_types, decided.clean.goods, decided.plan, decided.numbered.sections,
    )  # fmt: skip
    run.report.counts |= check_conservation(raw.goods, catalogue.offers, decided.clean.quarantine)
    run.catalogue = catalogue
    sizes = {
        "raw_product_types": len(raw.product_types), "raw_sections": len(raw.sections), "raw_goods": len(raw.goods),
    }  # fmt: skip
    check_quarantine(decided.clean.quarantine, sizes, shop.quarantine.max_rows, shop.quarantine.max_share)
    check_stores(run)
    # numbers are given before a store sees them: a crash in between gives the same ones again
    state.give_numbers(decided.numbered.meanings, run.report.run)
    run.report.stores = load_stores(run, do)
    failed = [store.name for store in run.report.stores if store.outcome == "failed"]
    if failed:
        raise StoreError(
            f"{len(failed)} of {len(run.report.stores)} stores failed: {', '.join(failed)}",
            "mend them and run again: the others are up to date",
        )
    state.remember_meanings(decided.numbered.meanings, run.report.run)
