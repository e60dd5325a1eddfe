"""Nights that are each below every limit, one after the other, through the whole sync of the engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path

import pandas as pd
import pytest

import engine.session
from engine.main_path import sync
from schemas.report import RunReport
from tests.nights.damage.cells import image, new_shop
from tests.nights.damage.table import extract
from tests.transforms.nights import Night, shop, with_column

BEGIN = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
Change = Callable[[Night], Night]


class Week:
    """A shop that is loaded every night of a week; each night changes what the night before has left."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, size: int = 600) -> None:
        self.shop, self.monkeypatch = new_shop(folder, "inherit"), monkeypatch
        self.tables, self.number = shop(size), 0
        assert self.run().outcome == "ok"

    def run(self) -> RunReport:
        begin = BEGIN + timedelta(days=self.number)
        self.monkeypatch.setattr(engine.session, "now", lambda: begin)
        self.number += 1
        return sync(self.shop, read=lambda *_: extract(self.tables))

    def night(self, change: Change) -> RunReport:
        self.tables = change(self.tables)
        return self.run()


def without_a_twelfth(night: Night) -> Night:
    """The oldest twelfth of what is left is gone; that the newest are gone, another guard would say."""
    return night.but(goods=night.goods.iloc[len(night.goods) // 12 :].reset_index(drop=True))


def renamed(first: int) -> Change:
    """Names of 170 goods of 600 are others, below the limit of a third."""

    def change(night: Night) -> Night:
        rows = range(first, first + 170)
        return night.but(goods=with_column(night.goods, "good_name", [f"Інше ім'я {n}" for n in rows], rows))

    return change


def moved(first: int) -> Change:
    """170 goods of 600 hang on the next type."""

    def change(night: Night) -> Night:
        kinds = sorted(night.goods["type_id"].unique())
        rows = range(first, first + 170)
        next_type = {kind: kinds[(n + 1) % len(kinds)] for n, kind in enumerate(kinds)}
        values = [next_type[kind] for kind in night.goods.loc[rows, "type_id"]]
        return night.but(goods=with_column(night.goods, "type_id", values, rows))

    return change


@pytest.mark.parametrize(
    ("nights", "told"),
    [
        ([without_a_twelfth] * 6, "in 3 nights 137 of 600 goods are gone"),
        ([renamed(n) for n in (0, 170, 340)], "in 3 nights 510 of 600 goods have another name"),
        ([moved(n) for n in (0, 170, 340)], "of 600 goods changed their category"),
    ],
    ids=["a twelfth of the goods is gone every night", "every third good is renamed every night",
         "every third good is moved every night"],
)  # fmt: skip
def test_what_passes_every_night_is_stopped_when_the_week_adds_up(tmp_path, monkeypatch, nights, told):
    week = Week(tmp_path, monkeypatch)
    for change in nights:
        before = image(tmp_path)
        report = week.night(change)
        if report.outcome != "ok":
            break
    assert report.outcome == "guard stop"
    assert "guard «drift»" in report.message
    assert told in report.message
    assert image(tmp_path) == before
    assert week.number == 4, "the night that made it too much"


def test_a_week_that_a_person_has_allowed_begins_anew(tmp_path, monkeypatch):
    from engine.context import RunOptions

    week = Week(tmp_path, monkeypatch)
    for first in (0, 170):
        assert week.night(renamed(first)).outcome == "ok"
    week.tables = renamed(340)(week.tables)
    assert week.run().outcome == "guard stop"
    assert sync(week.shop, read=lambda *_: extract(week.tables), options=RunOptions({"drift": 510})).outcome == "ok"
    assert week.night(renamed(0)).outcome == "ok"


def _sale(night: Night) -> Night:
    rows = range(0, len(night.goods), 10)
    cheaper = [price * 3 / 4 for price in night.goods.loc[list(rows), "retail_price"]]
    return night.but(goods=with_column(night.goods, "retail_price", [round(price, 2) for price in cheaper], list(rows)))


def _delivery(night: Night) -> Night:
    new = night.goods.iloc[:25].assign(good_id=night.goods["good_id"].iloc[:25] + int(night.goods["good_id"].max()))
    return night.but(goods=pd.concat([night.goods, new.astype(night.goods.dtypes)], ignore_index=True))


def _sold(night: Night) -> Night:
    rows = list(range(5, len(night.goods), 12))
    return night.but(goods=with_column(night.goods, "warehouse_quantity", 0, rows))


def test_a_week_of_sales_deliveries_and_goods_that_are_sold_passes_in_silence(tmp_path, monkeypatch):
    week = Week(tmp_path, monkeypatch)
    for changes in ((_sale,), (_delivery, _sold), (_sold,), (_delivery,), (_sale, _sold), (_delivery,), ()):
        report = week.night(lambda night, changes=changes: reduce(lambda made, change: change(made), changes, night))
        assert (report.outcome, report.guard_notes) == ("ok", []), report.message
