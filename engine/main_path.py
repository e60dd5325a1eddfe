"""The nightly sync of one shop, in the order of the picture; the flow and the command both run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from engine.apply import carry_out
from engine.memory import last_loaded
from engine.planning import held_keys, make_plan
from engine.run import Run
from engine.sections import decide_sections, names_policy, shop_rules
from engine.session import AS_USUAL, Setting, run_session
from engine.steps import PlainSteps, Steps
from engine.store_catalogues import build_own
from schemas.extract import Extract
from schemas.report import RunReport
from schemas.settings.shop import Shop, SourceSettings
from sources.firebird.extract import read_base
from transforms.carry_over import carry_over
from transforms.catalogue import build_catalogue, check_conservation
from transforms.clean import clean
from transforms.guards import check_extract, check_quarantine, check_violations

Reader = Callable[[SourceSettings, Path], Extract]
Ask = Callable[[Run], None]


def nobody(run: Run) -> None:
    """Ask nobody whether a plan that passed the guards may be carried out."""


def sync(
    shop: Shop,
    steps: PlainSteps | None = None,
    do: Steps | None = None,
    allow: Mapping[str, int] | None = None,
    read: Reader | None = None,
    ask: Ask = nobody,
    setting: Setting = AS_USUAL,
) -> RunReport:
    """Read the shop's base, decide every good's category and bring every store up to date.

    ``steps`` measures, ``do`` runs each step (default: plainly), ``allow`` lets guards pass up to so many rows, ``ask``
    may raise NotApproved once the plan has passed the guards. Returns the run's report, also when the run was stopped:
    ``outcome`` and ``exit_code`` tell. Raises ShopBusy when another run holds the shop. Nothing is written to any store
    unless the whole plan was made and passed the guards.
    """
    steps = steps or PlainSteps()

    def body(run: Run) -> None:
        build(run, do or steps, read)
        guard(run)
        ask(run)
        carry_out(run, do or steps)

    return run_session(shop, steps, body, allow=allow, setting=setting)


def plan(
    shop: Shop,
    steps: PlainSteps | None = None,
    allow: Mapping[str, int] | None = None,
    do: Steps | None = None,
    read: Reader | None = None,
    setting: Setting = AS_USUAL,
) -> RunReport:
    """The same up to the plan, which is written to ``output/plan.json``; no store is changed."""
    steps = steps or PlainSteps()

    def body(run: Run) -> None:
        build(run, do or steps, read)
        guard(run)

    return run_session(shop, steps, body, purpose="plan", allow=allow, setting=setting)


def build(run: Run, do: Steps, read: Reader | None = None) -> None:
    """Extract, validate, decide, build the catalogue, plan."""
    shop = run.shop
    read = read or partial(read_base, progress=lambda table, done, total: run.progress("extract", done, total))
    rules = run.rules = shop_rules(shop)
    raw = run.raw = do("extract", read, shop.source, shop.folder)
    check_extract(raw)
    run.extract = run.history.save_extract(raw)
    run.state.note_extract(run.report.run, run.extract)
    run.cleaned = do("validate", clean, raw, names_policy(shop))
    decided = do("sections", decide_sections, shop, run.cleaned, raw.sections, rules, run.state.registry())
    run.decided = decided
    run.catalogue = do(
        "catalogue", build_catalogue,
        decided.clean.product_types, decided.clean.goods, decided.plan, decided.numbered.sections,
    )  # fmt: skip
    run.report.counts |= check_conservation(raw.goods, run.catalogue.offers, decided.clean.quarantine)
    accepted = [(row["table"], row["row_key"], row["reason"]) for row in run.state.accepted()]
    quarantine = decided.clean.quarantine
    check_quarantine(quarantine, run.sizes, shop.quarantine.max_rows, shop.quarantine.max_share, accepted)
    held = held_keys(run, run.catalogue)
    _, previous = last_loaded(run)
    if previous is not None:
        run.catalogue = carry_over(run.catalogue, previous, held)
    build_own(run, do)
    run.plan = do("plan", make_plan, run, held)


def guard(run: Run) -> None:
    """Keep the plan, then stop at the guards that it violations. Raises GuardStop."""
    assert run.plan is not None
    run.history.save_plan(run.report.run, run.plan)
    passed = {
        violation.guard for violation in run.plan.guards if violation.measured <= run.allow.get(violation.guard, -1)
    }
    granted = {guard: number for guard, number in run.allow.items() if guard in passed}
    run.state.note_plan(run.report.run, run.plan.catalogue, run.plan.extract, granted)
    for violation in check_violations(run.plan.guards, run.allow, run.command):
        run.report.allowed[violation.guard] = max(violation.measured, run.report.allowed.get(violation.guard, 0))
        run.warnings.append(f"guard «{violation.guard}» was allowed to pass: {violation.text}")
