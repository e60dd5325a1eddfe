"""Fills the run's report from what the run has found, also when it was stopped half way."""

from __future__ import annotations

from datetime import datetime

from engine.context import Run
from engine.sections import Decisions
from engine.stages import Decided, Findings, row_counts
from schemas.registry import Meaning
from schemas.report import NumberNote, OwnCatalogue, RuleResult, RunReport, UnmappedType
from transforms.carry_over import HELD
from transforms.values import missing


def fill_report(run: Run) -> None:
    """Counts, quarantine by reason, types without a section, rules, changed numbers and names, warnings."""
    report, found = run.report, run.findings
    started = datetime.fromisoformat(report.started_at)
    report.finished_at = datetime.now(started.tzinfo).isoformat("T", "milliseconds")
    report.warnings = list(found.warnings)
    if found.extract is not None:
        report.source = found.extract.source
        report.warnings += found.extract.notes
        report.counts |= row_counts(found.extract)
    if found.rejected is not None:
        report.counts["quarantined_rows"] = len(found.rejected[["table", "row_number"]].drop_duplicates())
        report.quarantine = {str(k): int(v) for k, v in found.rejected["reason"].value_counts().sort_index().items()}
    if found.decided is not None and found.decided.shop_wide.decisions is not None:
        _decisions(report, found.decided, found.decided.shop_wide.decisions)
    if found.plan is not None:
        report.plan = {
            store.store: {f"{entity} {kind}": n for (entity, kind), n in sorted(store.counts().items())}
            for store in found.plan.stores
        }
        for_all = {store.name for store in run.shop.stores} <= set(report.plan)
        report.only = [] if for_all else list(report.plan)
    if found.decided is not None:
        _catalogue(report, found.decided)
    report.own_catalogues = _separate_catalogues(found)
    for store in report.stores:
        report.warnings += [f"store {store.name}: {note}" for note in store.notes]
        refused = [f"store {store.name} does not hold {row}" for row in store.refused]
        report.warnings += [text for text in refused if text not in found.warnings]  # the plan may have told it


def _catalogue(report: RunReport, decided: Decided) -> None:
    catalogue = decided.shop_wide.catalogue
    categories, offers = catalogue.categories, catalogue.offers
    report.counts |= {
        "categories": len(categories),
        "empty_categories": int((categories["goods"] == 0).sum()),
        "depth": int(categories["depth"].max()) if len(categories) else 0,
        "goods_held": int((catalogue.assignments["decided_by"] == HELD).sum()),
        "goods_hidden": int(offers["category_number"].isna().sum()),
    }


def _separate_catalogues(found: Findings) -> dict[str, OwnCatalogue]:
    if found.plan is None or found.decided is None:
        return {}
    separate = {}
    for store in found.plan.stores:
        if store.own is not None and store.store in found.decided.separate:
            catalogue = found.decided.catalogues[store.store].catalogue
            separate[store.store] = OwnCatalogue(
                catalogue=store.own.catalogue,
                categories=len(catalogue.categories),
                goods_hidden=int(catalogue.offers["category_number"].isna().sum()),
            )
    return separate


def _decisions(report: RunReport, decided: Decided, decisions: Decisions) -> None:
    clean, catalogue = decisions.clean, decided.shop_wide.catalogue
    report.counts |= {"product_types": len(clean.product_types), "sections": len(decisions.numbered.sections)}
    report.name_changes = [f"{c.table} {c.key}: {c.before!r} → {c.after!r}" for c in clean.name_changes]
    paths = dict(zip(catalogue.categories["number"], catalogue.categories["path"], strict=True))
    numbers = {m.identity: m.number for m in decisions.numbered.meanings}
    report.unmapped_types = []
    for row in clean.product_types.to_dict("records"):
        decision = decisions.sections.decisions[int(row["type_id"])]
        if decision.decided_by in ("inherit", "create", "hide", "none"):
            number = numbers.get(decision.section or "")
            report.unmapped_types.append(
                UnmappedType(
                    type_id=decision.type_id, path=row["path"], goods=row["goods"], decided_by=decision.decided_by,
                    category_number=number, category_path=paths.get(number),
                )
            )  # fmt: skip
        key = row["section_key"]
        if not missing(key) and int(key) not in clean.sections and decision.decided_by != "rule":
            report.warnings.append(
                f"product type {row['type_id']} «{row['name']}» is linked to section {key}, "
                "which is unknown or in the quarantine: the policy decides"
            )
    report.unmapped_types.sort(key=lambda t: (-t.goods, t.path, t.type_id))
    for type_id, why in decisions.sections.unusable_names.items():
        report.warnings.append(f"no section could be made for product type {type_id}: {why}; it inherits one")
    for identity in decisions.sections.merged_away:
        report.warnings.append(f"section {identity} lost all its product types to rules and is no category any more")
    rules = decided.rules.rules if decided.rules is not None else ()
    by_store = {store: decided.catalogues[store].decisions for store in decided.stores}
    report.rules = [
        RuleResult(
            rule=use.index + 1, line=rules[use.index].line, reason=rules[use.index].reason,
            matched=len(use.matched), decided=len(use.decided), shadowed_by=[n + 1 for n in use.shadowed_by],
            store=store,
        )
        for store, each in by_store.items()
        if each is not None and (not store or each is not decisions)  # a shared catalogue was decided once
        for use in each.matching.uses
        if not store or rules[use.index].only_store
    ]  # fmt: skip
    report.number_changes = [
        NumberNote(number=c.number, kind=c.kind, before=_meaning(c.before), after=_meaning(c.after))
        for c in decided.number_changes
    ]


def _meaning(meaning: Meaning) -> str:
    parent = "a root" if meaning.parent_number is None else f"under {meaning.parent_number}"
    return f"«{meaning.name}», {parent} ({meaning.identity})"
