"""Decides the catalogue of every store: one shop-wide, and one for each store that rules name (docs/adr/0010).

A separate catalogue comes with a separate memory: what the store was loaded with last, its tombstones and redirects. A
store that no rule names any more keeps that memory until nothing in it is left to remember.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from engine.context import Run
from engine.sections import Decisions, decide_sections
from engine.stages import SHOP_WIDE, Decided, Extracted, Held, StoreCatalogue, row_counts
from schemas.catalogue import Catalogue
from schemas.errors import RulesError
from schemas.extract import Extract
from schemas.plan import Plan
from schemas.registry import Registry
from transforms.carry_over import carry_over
from transforms.catalogue import build_catalogue, check_conservation
from transforms.guards import check_quarantine
from transforms.sections import SectionPlan


def decide(run: Run, extracted: Extracted) -> Decided:
    """Decide section, number and category of everything that was extracted, shop-wide and for each named store.

    Raises QuarantineLimit where too many rows are rejected, RulesError where rules contradict each other.
    """
    extract, rules = extracted.extract, extracted.rules
    decisions = run.steps(
        "sections", decide_sections, run.shop, extracted.clean, extract.sections, rules, run.state.registry()
    )
    rejected = run.findings.rejected = decisions.clean.quarantine
    catalogue = run.steps("catalogue", build_catalogue, *_catalogue_input(decisions))
    run.report.counts |= check_conservation(extract.goods, catalogue.offers, rejected)
    run.findings.decided = _of_all(run, extracted, StoreCatalogue(catalogue, {}, decisions), {})
    accepted = [(row["table"], row["row_key"], row["reason"]) for row in run.state.accepted()]
    limits = run.shop.quarantine
    check_quarantine(rejected, row_counts(extract), limits.max_rows, limits.max_share, accepted)
    shared = _carried_over(run, SHOP_WIDE, catalogue, decisions, _held_keys(run, extract, rejected, catalogue))
    separate = _separate_catalogues(run, extracted, decisions)
    decided = run.memory.with_number_changes(_of_all(run, extracted, shared, separate))
    run.findings.decided = decided
    return decided


def _of_all(run: Run, extracted: Extracted, shared: StoreCatalogue, separate: Mapping[str, StoreCatalogue]) -> Decided:
    return Decided(
        catalogues=_by_store(run, shared, separate),
        separate=frozenset(separate),
        extract=extracted.extract,
        fingerprint=extracted.fingerprint,
        rules=extracted.rules,
    )


def _by_store(run: Run, shared: StoreCatalogue, separate: Mapping[str, StoreCatalogue]) -> dict[str, StoreCatalogue]:
    return {SHOP_WIDE: shared, **{store.name: separate.get(store.name, shared) for store in run.shop.stores}}


def decided_before(run: Run, plan: Plan) -> Decided:
    """What was decided for a kept plan, out of the history. Raises StalePlan where it is not kept any more."""
    shared = StoreCatalogue(run.history.catalogue(plan.catalogue), plan.held)
    separate = {
        store.store: StoreCatalogue(run.history.catalogue(store.own.catalogue), store.own.held)
        for store in plan.stores
        if store.own is not None and store.store in {settings.name for settings in run.shop.stores}
    }
    decided = Decided(
        catalogues=_by_store(run, shared, separate),
        separate=frozenset(separate),
        extract=run.history.extract(plan.extract) if plan.extract else None,
        fingerprint=plan.extract,
    )
    return run.memory.with_number_changes(decided)


def _catalogue_input(decisions: Decisions) -> tuple[pd.DataFrame, pd.DataFrame, SectionPlan, pd.DataFrame]:
    clean = decisions.clean
    return clean.product_types, clean.goods, decisions.sections, decisions.numbered.sections


def _carried_over(run: Run, store: str, catalogue: Catalogue, decisions: Decisions, held: Held) -> StoreCatalogue:
    """The catalogue with what is in the quarantine tonight in its old place."""
    _, previous = run.memory.last_loaded(store)
    if previous is not None:
        catalogue = carry_over(catalogue, previous, held)
    return StoreCatalogue(catalogue, held, decisions)


def _separate_catalogues(run: Run, extracted: Extracted, shop_wide: Decisions) -> dict[str, StoreCatalogue]:
    """The catalogue of each store that a rule names, in the order of shop.toml.

    The registry is one for the whole shop: a section has the number that the shop-wide catalogue, or a store before
    this one, gave it. Raises RulesError where a rule would give it another one.
    """
    named = extracted.rules.named_stores()
    found: dict[str, StoreCatalogue] = {}
    decisions = {SHOP_WIDE: shop_wide}
    for store in [store.name for store in run.shop.stores if store.name in named]:
        decisions[store], catalogue = run.steps(
            f"catalogue of {store}", _decide_for, run, extracted, store, list(decisions.values())
        )
        _check_one_number_each(extracted.rules.file, decisions, store)
        held = _held_keys(run, extracted.extract, shop_wide.clean.quarantine, catalogue)
        found[store] = _carried_over(run, store, catalogue, decisions[store], held)
    return found


def _decide_for(run: Run, extracted: Extracted, store: str, before: Iterable[Decisions]) -> tuple[Decisions, Catalogue]:
    given = {meaning.number: meaning for each in reversed(list(before)) for meaning in each.numbered.meanings}
    registry = Registry({**given, **run.state.registry().meanings})
    decisions = decide_sections(run.shop, extracted.clean, extracted.extract.sections, extracted.rules, registry, store)
    catalogue = build_catalogue(*_catalogue_input(decisions))
    check_conservation(extracted.extract.goods, catalogue.offers, decisions.clean.quarantine)
    return decisions, catalogue


def _check_one_number_each(file: str, found: Mapping[str, Decisions], store: str) -> None:
    """A section has one number in all stores, and a number one section."""
    own = {meaning.identity: meaning for meaning in found[store].numbered.meanings}
    for other, decisions in found.items():
        for meaning in decisions.numbered.meanings:
            same = own.get(meaning.identity)
            if same is not None and same.number != meaning.number:
                where = f"in store {other}" if other else "shop-wide"
                raise RulesError(
                    f"{file}: section «{same.name}» would have number {same.number} in store {store} and "
                    f"{meaning.number} {where}",
                    f"a section has one number in all stores: let the rules for {store} give the same one",
                )


def _held_keys(run: Run, extract: Extract, rejected: pd.DataFrame, catalogue: Catalogue) -> Held:
    """Keys whose source row is in the quarantine tonight: what a store holds of them stays as it is.

    Goods by their id; categories by the number of a rejected section, or by the type that a rejected product type's own
    section was made for.
    """
    goods = rejected.loc[rejected["table"] == "raw_goods", "row_key"]
    offers = {int(key) for key in goods if str(key).lstrip("-").isdigit()}
    types = {f"type:{key}" for key in rejected.loc[rejected["table"] == "raw_product_types", "row_key"]}
    sections = rejected.loc[rejected["table"] == "raw_sections"]
    keys = {f"torgsoft:{key}" for key in sections["row_key"]}
    numbers = extract.sections["number"].iloc[sorted(set(sections["row_number"] - 1))].dropna()
    by_number = {int(number) for number in numbers if str(number).strip().isdecimal()}
    by_identity = {m.number for m in run.state.registry().meanings.values() if m.identity in types | keys}
    living = {int(n) for n in catalogue.categories["number"]}
    return {"category": sorted((by_number | by_identity) - living), "offer": sorted(offers)}
