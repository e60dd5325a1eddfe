"""Stores that rules with ``only_store`` name: each has a catalogue of its own beside the shop-wide one (docs/adr/0010).

A catalogue of its own has a past of its own: what it was loaded last, tombstones and redirects stand in the state under
the store's name. A store that no rule names any more goes on with that past until nothing of it is left to remember.
"""

from __future__ import annotations

from engine.memory import last_loaded
from engine.planning import held_keys
from engine.run import OwnCatalogue, Run
from engine.sections import Decided, decide_sections
from engine.steps import Steps
from schemas.catalogue import Catalogue
from schemas.errors import RulesError
from schemas.plan import Plan
from schemas.registry import Registry
from transforms.carry_over import carry_over
from transforms.catalogue import build_catalogue, check_conservation


def build_own(run: Run, do: Steps) -> None:
    """Decide and build the catalogue of every store that a rule names, in the order of shop.toml.

    The registry is one for the whole shop: a section has the number that the shop-wide catalogue, or a store before
    this one, gave it. Raises RulesError where a rule would give it another one.
    """
    assert run.rules is not None
    assert run.decided is not None
    named = run.rules.named_stores()
    all_decided = {"": run.decided}
    for settings in run.shop.stores if named else ():
        store = settings.name
        if store in named:
            decided, catalogue = do(f"catalogue of {store}", _build, run, store, list(all_decided.values()))
            all_decided[store] = decided
            _one_number_each(run, all_decided, store)
            held = held_keys(run, catalogue)
            _, previous = last_loaded(run, store)
            if previous is not None:
                catalogue = carry_over(catalogue, previous, held)
            run.own[store] = OwnCatalogue(catalogue, held, decided)


def _build(run: Run, store: str, before: list[Decided]) -> tuple[Decided, Catalogue]:
    assert run.cleaned is not None
    assert run.raw is not None
    assert run.rules is not None
    given = {meaning.number: meaning for decided in reversed(before) for meaning in decided.numbered.meanings}
    registry = Registry({**given, **run.state.registry().meanings})
    decided = decide_sections(run.shop, run.cleaned, run.raw.sections, run.rules, registry, store)
    clean = decided.clean
    catalogue = build_catalogue(clean.product_types, clean.goods, decided.plan, decided.numbered.sections)
    check_conservation(run.raw.goods, catalogue.offers, clean.quarantine)
    return decided, catalogue


def _one_number_each(run: Run, found: dict[str, Decided], store: str) -> None:
    """A section has one number in all stores, and a number one section."""
    assert run.rules is not None
    own = {meaning.identity: meaning for meaning in found[store].numbered.meanings}
    for other, decided in found.items():
        for meaning in decided.numbered.meanings:
            same = own.get(meaning.identity)
            if same is not None and same.number != meaning.number:
                where = f"in store {other}" if other else "shop-wide"
                raise RulesError(
                    f"{run.rules.file}: section «{same.name}» would have number {same.number} in store {store} and "
                    f"{meaning.number} {where}",
                    f"a section has one number in all stores: let the rules for {store} give the same one",
                )


def take_own(run: Run, plan: Plan) -> None:
    """The catalogues of their own that stores had in a kept plan. Raises StalePlan when one is kept no more."""
    stores = {store.name for store in run.shop.stores}
    for store in plan.stores:
        if store.own is not None and store.store in stores:
            run.own[store.store] = OwnCatalogue(run.history.catalogue(store.own.catalogue), store.own.held)
