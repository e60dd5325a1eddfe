"""The table of nights: each file of ``cases/`` and ``normal/`` says what happens to a base, and what must follow.

README.md tells how to add one. A file is read by ``Case``; ``Case.change`` makes the second night's tables.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator
from ruamel.yaml import YAML

from schemas.extract import Extract
from schemas.tables import RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, conform
from tests.transforms.nights import Night, shop, turned, with_column

HERE = Path(__file__).parent
SIZES = (8, 40, 600, 1864)
TABLES = {
    "types": (RAW_PRODUCT_TYPES, "type_id", "parent_id"),
    "sections": (RAW_SECTIONS, "section_key", "parent_key"),
    "goods": (RAW_GOODS, "good_id", ""),
}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Rows(_Model):
    """Which rows: the keys given here that are set, one after the other. None set: all rows."""

    where: dict[str, Any] = Field(default_factory=dict)
    above: dict[str, int] = Field(default_factory=dict)
    every: int = 1
    first: int | None = None
    last: int | None = None
    share: float = 1

    def of(self, frame: pd.DataFrame) -> list[int]:
        """The positions of the rows."""
        found = frame
        for column, value in self.where.items():
            found = found[found[column].isin(value if isinstance(value, list) else [value]).fillna(False)]
        for column, value in self.above.items():
            found = found[(found[column] > value).fillna(False)]
        found = found.iloc[:: self.every]
        found = found.iloc[: self.first] if self.first is not None else found
        found = found.iloc[-self.last :] if self.last is not None else found
        return [int(row) for row in found.index[: int(len(found) * self.share)]]


class Change(_Model):
    """One thing that happens to some rows of a table; exactly one of the last keys is set."""

    table: Literal["types", "sections", "goods"]
    column: str = ""
    rows: Rows = Rows()
    empty: bool = False
    value: int | str | None = Field(None, alias="set")
    times: str | int | float | None = None
    add: int | None = None
    text: str | None = None
    misread: tuple[str, str] | None = None
    copy_of: str | None = None
    rotate: int | None = None
    turn: bool = False
    remove: bool = False
    double: int | None = None
    new: int | None = None

    @model_validator(mode="after")
    def _one(self) -> Change:
        verbs = self.model_fields_set - {"table", "column", "rows"}
        if len(verbs) != 1:
            raise ValueError(f"one thing at a time, not {sorted(verbs)}")
        return self

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The table after it."""
        schema, key, parent = TABLES[self.table]
        rows = self.rows.of(frame)
        if self.remove:
            return frame.drop(frame.index[rows]).reset_index(drop=True)
        if self.turn:
            return turned(frame, key, parent)
        if self.double is not None:
            copies = frame.iloc[rows].assign(**{key: frame.iloc[rows][key] + self.double})
            return conform(pd.concat([frame, copies], ignore_index=True), schema)
        if self.new is not None:
            return conform(pd.concat([frame, self._new(frame, key, self.new)], ignore_index=True), schema)
        return with_column(frame, self.column, [self._value(frame, row, rows) for row in rows], rows)

    def _new(self, frame: pd.DataFrame, key: str, count: int) -> pd.DataFrame:
        """Copies of the first row under the next keys, with names of their own."""
        first = int(frame[key].max()) + 1
        made = frame.iloc[[0] * count].reset_index(drop=True)
        name = "good_name" if self.table == "goods" else "name"
        keys = range(first, first + count)
        return made.assign(**{key: keys, name: [f"Новинка №{n}" for n in keys]})

    def _value(self, frame: pd.DataFrame, row: int, rows: list[int]) -> Any:
        old = frame[self.column].iloc[row]
        if self.rotate is not None:
            return frame[self.column].iloc[rows[(rows.index(row) + self.rotate) % len(rows)]]
        if self.copy_of is not None:
            return frame[self.copy_of].iloc[row]
        if self.text is not None:
            return self.text.format(old=old, row=row)
        if self.empty:
            return pd.NA
        if "value" in self.model_fields_set:
            return self.value
        if pd.isna(old):
            return old
        if self.times is not None:
            return round(Decimal(str(old)) * Decimal(str(self.times)), 4)
        if self.add is not None:
            return old + self.add
        assert self.misread is not None
        written, read = self.misread
        return str(old).encode(written, "replace").decode(read, "replace")


class Expected(_Model):
    """``stop``: guards that must stop the night; ``quarantine``: it stops at the quarantine; ``tell``: guards that note
    it, or words of a warning. Nothing set: the night is loaded without a word of the guards.
    """

    stop: tuple[str, ...] = ()
    quarantine: bool = False
    tell: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        return bool(self.stop) or self.quarantine


class Case(_Model):
    """A night. ``unmapped`` is the shop's policy; ``first``: there was no night before.

    ``only`` are the sizes of shops in which it is damage at all; ``sizes`` expects something else of some of them.
    """

    says: str
    unmapped: Literal["inherit", "create", "hide"] = "inherit"
    first: bool = False
    do: tuple[Change, ...]
    expect: Expected = Expected()
    only: tuple[int, ...] = SIZES
    sizes: dict[int, Expected] = Field(default_factory=dict)

    def expected(self, size: int) -> Expected:
        return self.sizes.get(size, self.expect)

    def change(self, size: int) -> Extract:
        """The base of the night, in a shop of this many goods."""
        return extract(self.night(size))

    def night(self, size: int) -> Night:
        """The tables of the night."""
        night = shop(size, self.unmapped)
        for change in self.do:
            night = night.but(**{change.table: change.apply(getattr(night, change.table))})
        return night


def extract(night: Night) -> Extract:
    return Extract(night.types, night.sections, night.goods)


def read_cases(folder: str) -> dict[str, Case]:
    """Every case of a folder by its file's name."""
    return {
        path.stem: Case.model_validate(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
        for path in sorted((HERE / folder).glob("*.yaml"))
    }
