"""The report of a run as sentences, for the terminal and the log of the flow."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.report import RunReport, StoreResult

COUNTED = {
    "goods_in": "goods in Torgsoft",
    "goods_loaded": "goods in the catalogue",
    "goods_quarantined": "goods in quarantine",
    "goods_hidden": "goods without a category",
    "goods_held": "goods left as they were",
    "product_types": "product types",
    "categories": "categories",
    "empty_categories": "categories without goods",
    "depth": "levels",
}
"""The counts of a report that a person sees, with their words."""


def counted(report: RunReport) -> list[tuple[str, int]]:
    """Return the counts that a person sees, each with its word. A count of 0 held goods is left out."""
    counts = report.counts
    return [
        (word, counts[key])
        for key, word in COUNTED.items()
        if counts.get(key) or (key in counts and key != "goods_held")
    ]


def summary(report: RunReport, limit: int = 10, error: bool = True) -> str:
    """Return what the run did: outcome, warnings that need a look, goods, unmapped types, rules, and stores.

    ``error`` = False leaves out message and next step, for callers that print them elsewhere.
    """
    lines = [title(report)]
    if error and report.message:
        lines.append(f"  {report.message}")
    if error and report.next_step:
        lines.append(f"  next: {report.next_step}")
    lines += [f"  LOOK AT: {sentence}" for sentence in report.degraded]
    counts = report.counts
    if "goods_in" in counts:
        lines.append(
            f"  goods: {counts['goods_in']} in = {counts['goods_loaded']} loaded + "
            f"{counts['goods_quarantined']} in the quarantine; {counts['goods_hidden']} of the loaded have no category"
        )
        lines.append(
            f"  product types: {counts['product_types']}, sections: {counts['sections']}, "
            f"categories: {counts['categories']} (depth {counts['depth']}), {counts['empty_categories']} without goods"
        )
    if report.quarantine:
        reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(report.quarantine.items()))
        lines.append(f"  quarantine: {counts.get('quarantined_rows', 0)} rows ({reasons})")
    lines += _unmapped(report, limit)
    lines += _rules(report)
    for note in report.number_changes[:limit]:
        word = {"number_reused": "ANOTHER MEANING", "renamed": "renamed", "moved": "moved"}[note.kind]
        lines.append(f"  number {note.number} {word}: {note.before} → {note.after}")
    lines += [f"  warning: {text}" for text in report.warnings[:limit]]
    if len(report.warnings) > limit:
        lines.append(f"  … and {len(report.warnings) - limit} more warnings in report.json")
    lines += [f"  store {store.name}: {store_sentence(store)}" for store in report.stores]
    if report.outcome == "ok" and report.purpose in ("apply", "resume", "retry") and not wrote(report):
        lines.append("  nothing was left to do")
    if report.outcome == "ok" and report.purpose == "rollback" and report.stores:
        lines.append(
            "  the next sync loads the state of the base again: correct the base or the rules, or pause the schedule"
        )
    return "\n".join(lines)


def title(report: RunReport) -> str:
    """Return the title: ``household: ok`` for a sync, ``household: rollback to 20261123-…: ok`` for other purposes."""
    word = {"resume": "of", "retry": "of", "rollback": "to"}.get(report.purpose, "")
    purpose = "plan of a rollback to" if report.purpose == "plan" and report.continues else report.purpose
    what = "" if purpose == "sync" else " ".join(filter(None, [purpose, word, report.continues])) + ": "
    return f"{report.shop}: {what}{report.outcome}"


def wrote(report: RunReport) -> bool:
    """Tell whether the run changed any store."""
    return any(store.written or store.published for store in report.stores)


def phrase(report: RunReport) -> str:
    """Return what a run did in one line: its error, the changes of each store, or what it planned."""
    if report.message:
        return report.message.removesuffix("; nothing was changed in any store")
    if report.purpose == "plan":
        sentences = {store: _shown(counts) or "nothing to do" for store, counts in report.plan.items()}
        return f"would do: {_by_store(sentences)}" if any(report.plan.values()) else "nothing to do"
    if report.stores and not wrote(report):
        return "nothing to do, every store was up to date"
    return _by_store({s.name: (s.written and _shown(s.operations)) or store_sentence(s) for s in report.stores})


def _shown(operations: Mapping[str, int]) -> str:
    """Name the operations on categories and goods; those on redirects only where there are no others."""
    main = {what: number for what, number in operations.items() if not what.startswith("redirect")}
    return operations_sentence(main) or operations_sentence(operations)


def _by_store(sentences: Mapping[str, str]) -> str:
    """Group stores with the same sentence: ``web, site: 3 goods hidden``."""
    together: dict[str, list[str]] = {}
    for store, text in sentences.items():
        together.setdefault(text, []).append(store)
    return "; ".join(f"{', '.join(stores)}: {text}" for text, stores in together.items())


def _unmapped(report: RunReport, limit: int) -> list[str]:
    """List the types without a section, those with most goods first."""
    rescued = [t for t in report.unmapped_types if t.goods and t.category_number is not None]
    lost = [t for t in report.unmapped_types if t.goods and t.category_number is None]
    lines = []
    for types, text in ((rescued, "saved by the policy"), (lost, "WITHOUT A CATEGORY")):
        if types:
            lines.append(f"  {len(types)} types without a section, {sum(t.goods for t in types)} goods, {text}:")
            for t in types[:limit]:
                into = f" → {_path(t.category_path)} [{t.category_number}]" if t.category_path else ""
                lines.append(f"    {t.goods:5d}  {_path(t.path)}{into}")
            if len(types) > limit:
                lines.append(f"           … and {len(types) - limit} more in report.json")
    return lines


def _path(names: list[str]) -> str:
    """Return a path for one line of text; names over 50 characters are cut (the report has the full names)."""
    return " > ".join(name if len(name) <= 50 else name[:49] + "…" for name in names)


def _rules(report: RunReport) -> list[str]:
    lines = []
    for store in dict.fromkeys(rule.store for rule in report.rules):
        found = [rule for rule in report.rules if rule.store == store]
        what = f"rules for store {store} only" if store else "rules"
        lines.append(f"  {what}: {len(found)}, deciding {sum(rule.decided for rule in found)} types")
        for rule in found:
            if not rule.shadowed_by:
                continue
            by = ", ".join(str(n) for n in rule.shadowed_by)
            what = f"decides {rule.decided} of {rule.matched} types, rule {by} comes first"
            lines.append(f"    rule {rule.rule} (line {rule.line}) {what}")
    lines += [
        f"  store {store} has its own catalogue: {own.categories} categories, {own.goods_hidden} goods without one"
        for store, own in report.own_catalogues.items()
    ]
    return lines


def store_sentence(store: StoreResult) -> str:
    """Return what happened to one store, in one line."""
    if store.outcome != "ok":
        return f"{store.outcome.upper()} {store.message}".strip()
    done = operations_sentence(store.operations)
    if store.published is not None:
        if not store.published:
            return "unchanged"
        return f"{done + '; ' if done else ''}file published, {store.lines} goods"
    if store.refused:
        number = len(store.refused)
        return f"{done or 'nothing written'}; {number} {'row' if number == 1 else 'rows'} refused"
    return done or "nothing to write, it is up to date"


def operations_sentence(operations: Mapping[str, int]) -> str:
    """Return ``1 category renamed, 13 goods in another category``; files of feeds are not counted."""
    counts = {what: number for what, number in operations.items() if not what.startswith("feed")}
    return ", ".join(f"{number} {_operation(what, number)}" for what, number in counts.items())


_SINGULAR = {"category": "category", "offer": "good", "redirect": "redirect"}
_PLURAL = {"category": "categories", "offer": "goods", "redirect": "redirects"}
_DONE = {
    "create": "created",
    "restore": "shown again",
    "rename": "renamed",
    "move": "moved",
    "assign": "in another category",
    "update": "updated",
    "hide": "hidden",
    "retire": "retired",
    "redirect": "set",
    "unredirect": "forgotten",
}


def _operation(what: str, number: int) -> str:
    """``offer hide`` → ``goods hidden``."""
    entity, kind = what.split(" ")
    return f"{(_SINGULAR if number == 1 else _PLURAL)[entity]} {_DONE[kind]}"
