"""The steps between extract and load, composed of pure transforms: sections with numbers, then the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from schemas.errors import RulesError, SchemaError
from schemas.registry import Registry
from schemas.rules import Rules, parse_rules
from schemas.settings.shop import Shop
from transforms import quarantine
from transforms.clean import Clean
from transforms.matching import Matching, match_rules
from transforms.numbers import Numbered, assign_numbers, taken_numbers
from transforms.sections import SectionPlan, build_sections
from transforms.tree import check_tree


@dataclass(frozen=True)
class Decisions:
    """Sections of all product types, their numbers, what the rules did, and the clean tables they came from."""

    clean: Clean
    sections: SectionPlan
    numbered: Numbered
    matching: Matching


def shop_rules(shop: Shop) -> Rules:
    """The shop's rules. Raises RulesError for a faulty file, and for a rule that is for an unknown store."""
    if not shop.sections.rules:
        return Rules()
    path = shop.path(shop.sections.rules)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise RulesError(f"{path}: no such file", "write it, or remove sections.rules from shop.toml") from error
    except OSError as error:
        raise RulesError(f"{path}: cannot be read: {error.strerror or error}", "correct its rights") from error
    except UnicodeDecodeError as error:
        raise RulesError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})", "save it as UTF-8") from error
    return parse_rules(text, path.name, [store.name for store in shop.stores])


def rules_text(shop: Shop) -> str:
    """The text of the shop's rules; empty where it has none."""
    path = shop.path(shop.sections.rules) if shop.sections.rules else None
    return path.read_text(encoding="utf-8") if path is not None and path.is_file() else ""


def decide_sections(
    shop: Shop, clean: Clean, raw_sections: pd.DataFrame, rules: Rules, registry: Registry, store: str = ""
) -> Decisions:
    """Sections and numbers for every clean product type, shop-wide or by the rules that hold for one store.

    Raises RulesError for faulty rules, SchemaError when the tree has another number of roots than the shop expects.
    """
    roots = clean.product_types[clean.product_types["depth"] == 1]
    if shop.sections.expected_roots not in (None, len(roots)):
        raise SchemaError(
            f"the product types have {len(roots)} roots, {shop.sections.expected_roots} expected: "
            f"{', '.join(map(str, roots['name'][:10]))}",
            "mend the tree in Torgsoft, or set sections.expected_roots; nothing was changed in any store",
        )
    clean = _without_taken(clean, raw_sections, registry)
    matching = match_rules(clean.product_types, rules, store)
    known = {meaning.number: meaning.identity for meaning in registry.meanings.values()}
    sections = build_sections(
        clean.product_types, clean.sections, rules, matching, shop.sections.unmapped, shop.names, known
    )
    numbered = assign_numbers(sections.sections, registry, shop.sections.first_number, clean.reserved)
    return Decisions(clean, sections, numbered, matching)


def _without_taken(clean: Clean, raw_sections: pd.DataFrame, registry: Registry) -> Clean:
    """Reject sections whose number the registry gave to another one, with the sections below them."""
    taken = taken_numbers(clean.sections, registry)
    if not taken:
        return clean
    kept = {key: section for key, section in clean.sections.items() if key not in taken}
    checked = check_tree({key: section.parent for key, section in kept.items()}, taken)
    raw = raw_sections.reset_index(drop=True)
    label = {int(key): n for n, key in enumerate(raw["section_key"]) if key is not pd.NA}
    rejects = quarantine.reject(
        "raw_sections", raw, "section_key", {label[key]: why for key, why in (taken | checked.bad).items()}
    )
    sound = {key: kept[key] for key in checked.order}
    return replace(clean, sections=sound, quarantine=quarantine.join(clean.quarantine, rejects))
