"""The pure part of the main path on small tables, without Firebird, stores or Prefect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pandera.pandas import DataFrameSchema

from engine.sections import Decisions, decide_sections
from schemas.catalogue import Catalogue
from schemas.extract import Extract
from schemas.registry import NumberChange, Registry
from schemas.rules import Rules, parse_rules
from schemas.settings.shop import Shop
from schemas.tables import RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, conform
from transforms.catalogue import build_catalogue, check_conservation
from transforms.clean import clean
from transforms.numbers import number_changes


def empty_frame(schema: DataFrameSchema) -> pd.DataFrame:
    """An empty frame with the schema's columns and dtypes, in its order."""
    return pd.DataFrame({name: pd.Series(dtype=column.dtype.type) for name, column in schema.columns.items()})


@dataclass(frozen=True)
class Result:
    raw: Extract
    decided: Decisions
    catalogue: Catalogue
    counts: dict[str, int]
    known: Registry

    @property
    def changes(self) -> tuple[NumberChange, ...]:
        """The numbers that mean something else than the registry knew, whatever goods they have."""
        return number_changes(self.decided.numbered.meanings, self.known)

    @property
    def paths(self) -> dict[int, tuple[str, ...]]:
        """Category number → path."""
        rows = zip(self.catalogue.categories["number"], self.catalogue.categories["path"], strict=True)
        return {int(number): tuple(path) for number, path in rows}

    @property
    def category_of(self) -> dict[int, tuple[str, ...] | None]:
        """Good → path of its category, None for a hidden good."""
        assignments = self.catalogue.assignments
        pairs = zip(assignments["good_id"], assignments["category_number"], strict=True)
        return {int(good): None if number is pd.NA else self.paths[int(number)] for good, number in pairs}

    @property
    def reasons(self) -> set[tuple[str, str, str]]:
        """(table, row key, reason) of every quarantined row."""
        rows = self.decided.clean.quarantine
        return set(zip(rows["table"], rows["row_key"], rows["reason"], strict=True))


def types_frame(*rows: tuple) -> pd.DataFrame:
    """Raw product types from (type_id, parent_id, name[, section_key])."""
    padded = [(*row, None)[:4] for row in rows]
    return conform(pd.DataFrame(padded, columns=["type_id", "parent_id", "name", "section_key"]), RAW_PRODUCT_TYPES)


def sections_frame(*rows: tuple) -> pd.DataFrame:
    """Raw sections from (section_key, parent_key, name, number)."""
    texts = [(*row[:3], None if row[3] is None else str(row[3])) for row in rows]
    return conform(pd.DataFrame(texts, columns=["section_key", "parent_key", "name", "number"]), RAW_SECTIONS)


def goods_frame(*rows: tuple) -> pd.DataFrame:
    """Raw goods from (good_id, type_id[, good_name])."""
    padded = [(*row, f"good {row[0]}")[:3] for row in rows]
    frame = pd.DataFrame(padded, columns=["good_id", "type_id", "good_name"])
    return conform(frame.assign(position=range(1, len(frame) + 1)), RAW_GOODS)


def decide(
    types: pd.DataFrame,
    sections: pd.DataFrame,
    goods: pd.DataFrame,
    rules: str | Rules = "",
    registry: Registry | None = None,
    **settings: object,
) -> Result:
    """Clean, decide, number and catalogue; ``settings`` go to ``[sections]``."""
    parsed = parse_rules(rules) if isinstance(rules, str) else rules
    shop = Shop.model_validate({"name": "test", "folder": Path(), "source": {"dsn": "none.fdb"}, "sections": settings})
    raw = Extract(types, sections, goods)
    cleaned = clean(raw, shop.names)
    decided = decide_sections(shop, cleaned, raw.sections, parsed, registry or Registry())
    catalogue = build_catalogue(
        decided.clean.product_types, decided.clean.goods, decided.sections, decided.numbered.sections
    )
    counts = check_conservation(raw.goods, catalogue.offers, decided.clean.quarantine)
    return Result(raw, decided, catalogue, counts, registry or Registry())


def registry_after(result: Result, before: Registry | None = None) -> Registry:
    """What the state database would hold after a good run."""
    meanings = dict((before or Registry()).meanings)
    return Registry(meanings | {m.number: m for m in result.decided.numbered.meanings})
