"""Fills the run's report from what the run has gathered, also when it was stopped half way."""

from __future__ import annotations

from datetime import datetime

from engine.run import Run
from engine.sections import Decided
from schemas.registry import Meaning
from schemas.report import NumberNote, OwnCatalogue, RuleResult, UnmappedType
from transforms.carry_over import HELD
from transforms.values import missing


def fill_report(run: Run) -> None:
    """Counts, quarantine by reason, types without a section, rules, changed numbers and names, warnings."""
    report = run.report
    report.finished_at = datetime.now().astimezone().isoformat("T", "milliseconds")
    report.warnings = list(run.warnings)
    if run.raw is not None:
        report.source = run.raw.source
        report.warnings += run.raw.notes
        report.counts |= run.sizes
    rejected = run.quarantine
    if rejected is not None:
        report.counts["quarantined_rows"] = len(rejected[["table", "row_number"]].drop_duplicates())
        report.quarantine = {str(k): int(v) for k, v in rejected["reason"].value_counts().sort_index().items()}
    if run.decided is not None:
        _decisions(run, run.decided)
    if run.plan is not None:
        report.plan = {
            store.store: {f"{entity} {kind}": n for (entity, kind), n in sorted(store.counts().items())}
            for store in run.plan.stores
        }
        for_all = {store.name for store in run.shop.stores} <= set(report.plan)
        report.only = [] if for_all else list(report.plan)
    if run.catalogue is not None:
        categories, offers = run.catalogue.categories, run.catalogue.offers
        report.counts |= {
            "categories": len(categories),
            "empty_categories": int((categories["goods"] == 0).sum()),
            "depth": int(categories["depth"].max()) if len(categories) else 0,
            "goods_held": int((run.catalogue.assignments["decided_by"] == HELD).sum()),
            "goods_hidden": int(offers["category_number"].isna().sum()),
        }
    report.own_catalogues = {
        store.store: OwnCatalogue(
            catalogue=store.own.catalogue, categories=len(own.catalogue.categories),
            goods_hidden=int(own.catalogue.offers["category_number"].isna().sum()),
        )
        for store in (run.plan.stores if run.plan else ())
        if store.own is not None and (own := run.own.get(store.store)) is not None
    }  # fmt: skip
    for store in report.stores:
        report.warnings += [f"store {store.name}: {note}" for note in store.notes]


def _decisions(run: Run, decided: Decided) -> None:
    report, types = run.report, decided.clean.product_types
    report.counts |= {"product_types": len(types), "sections": len(decided.numbered.sections)}
    report.name_changes = [f"{c.table} {c.key}: {c.before!r} → {c.after!r}" for c in decided.clean.name_changes]
    paths = {} if run.catalogue is None else dict(
        zip(run.catalogue.categories["number"], run.catalogue.categories["path"], strict=True)
    )  # fmt: skip
    numbers = {m.identity: m.number for m in decided.numbered.meanings}
    report.unmapped_types = []
    for row in types.to_dict("records"):
        decision = decided.plan.decisions[int(row["type_id"])]
        if decision.decided_by in ("inherit", "create", "hide", "none"):
            number = numbers.get(decision.section or "")
            report.unmapped_types.append(
                UnmappedType(
                    type_id=decision.type_id, path=row["path"], goods=row["goods"], decided_by=decision.decided_by,
                    category_number=number, category_path=paths.get(number),
                )
            )  # fmt: skip
        key = row["section_key"]
        if not missing(key) and int(key) not in decided.clean.sections and decision.decided_by != "rule":
            report.warnings.append(
                f"product type {row['type_id']} «{row['name']}» is linked to section {key}, "
                "which is unknown or in the quarantine: the policy decides"
            )
    report.unmapped_types.sort(key=lambda t: (-t.goods, t.path, t.type_id))
    for type_id, why in decided.plan.unusable_names.items():
        report.warnings.append(f"no section could be made for product type {type_id}: {why}; it inherits one")
    for identity in decided.plan.merged_away:
        report.warnings.append(f"section {identity} lost all its product types to rules and is no category any more")
    assert run.rules is not None
    found = {"": decided} | {store: own.decided for store, own in run.own.items() if own.decided is not None}
    report.rules = [
        RuleResult(
            rule=use.index + 1, line=run.rules.rules[use.index].line, reason=run.rules.rules[use.index].reason,
            matched=len(use.matched), decided=len(use.decided), shadowed_by=[n + 1 for n in use.shadowed_by],
            store=store,
        )
        for store, each in found.items()
        for use in each.matching.uses
        if not store or run.rules.rules[use.index].only_store
    ]  # fmt: skip
    report.number_changes = [
        NumberNote(number=c.number, kind=c.kind, before=_meaning(c.before), after=_meaning(c.after))
        for c in decided.numbered.changes
    ]


def _meaning(meaning: Meaning) -> str:
    parent = "a root" if meaning.parent_number is None else f"under {meaning.parent_number}"
    return f"«{meaning.name}», {parent} ({meaning.identity})"
