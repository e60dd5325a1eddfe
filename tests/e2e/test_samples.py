"""The sample shops: what they promise, and that their committed outputs are fresh."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from engine.setup.samples import read_input, run_sample, samples_folder, stale_files
from engine.shops import load_shop
from schemas.reasons import REASONS
from sources.stand_in.csv_input import read_csv_dir

SAMPLES = ("cosmetics", "household", "hostile", "trade-equipment")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_committed_outputs_of_a_sample_are_what_a_run_gives_today(name, tmp_path):
    source = samples_folder() / name
    report = run_sample(source, tmp_path / name)
    assert report.outcome == "ok", report.message
    assert stale_files(source, tmp_path / name) == [], "run: sh run samples"


def test_the_vendors_example_is_three_categories_and_10_lite_hangs_in_product():
    output = samples_folder() / "trade-equipment" / "output"
    paths = [json.loads(row["path"]) for row in rows(output / "categories.csv")]
    names = ["Trade Equipment", "Torgsoft", "Product"]
    assert sorted(paths, key=len) == [names[:1], names[:2], names]
    product = next(row["number"] for row in rows(output / "categories.csv") if row["name"] == "Product")
    lite = [row for row in rows(output / "offers.csv") if row["name"].endswith(" 10 Lite")]
    assert lite
    assert {row["category_number"] for row in lite} == {product}


def test_the_rules_of_the_twin_save_a_forgotten_root_and_hide_what_only_the_till_needs():
    output = samples_folder() / "cosmetics" / "output"
    categories = {row["number"]: row["goods"] for row in rows(output / "categories.csv")}
    assert len(categories) == 79, "78 sections and the one of the rule"
    saved = [row for row in rows(output / "offers.csv") if row["category_number"] == "90"]
    assert len(saved) == 34
    hidden = [row["articul"] for row in rows(output / "offers.csv") if not row["category_number"]]
    types, _, goods = read_input(samples_folder() / "cosmetics" / "input")
    root = types.loc[types["name"] == "Гіґенолня", "type_id"].item()
    bags = types.loc[types["parent_id"] == root, "type_id"]
    assert sorted(hidden) == sorted(goods.loc[goods["type_id"].isin(bags), "articul"])
    assert len(hidden) == 2


def test_every_row_of_the_hostile_shop_is_used_or_in_the_quarantine_with_a_known_reason(tmp_path):
    source = samples_folder() / "hostile"
    report = run_sample(source, tmp_path)
    quarantine = rows(tmp_path / "output" / "quarantine.csv")
    assert {row["reason"] for row in quarantine} <= set(REASONS)
    types, _, goods = read_csv_dir(source / "input")
    rejected = {
        table: len({row["row_number"] for row in quarantine if row["table"] == table})
        for table in ("raw_product_types", "raw_goods")
    }
    assert len(types) == report.counts["product_types"] + rejected["raw_product_types"]
    assert len(goods) == len(rows(tmp_path / "output" / "offers.csv")) + rejected["raw_goods"]
    assert min(rejected.values()) >= 15


def test_the_hostile_shop_ends_with_exit_code_5_under_the_default_limits_and_loads_nothing(tmp_path):
    from engine.main_path import sync
    from engine.setup.samples import set_up

    set_up(samples_folder() / "hostile", tmp_path)
    settings = tmp_path / "shop.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text("\n".join(line for line in text.splitlines() if not line.startswith("max_")), encoding="utf-8")
    report = sync(load_shop(tmp_path))
    assert (report.exit_code, report.outcome) == (5, "quarantine over its limit")
    assert not (tmp_path / "web.db").exists() or not rows_of(tmp_path / "web.db")
    left = sorted(path.name for path in (tmp_path / "output").iterdir())
    assert left == ["quarantine.csv", "report.html", "report.json"]


def rows_of(base: Path) -> list[object]:
    import sqlite3

    with sqlite3.connect(base) as connection:
        return connection.execute("select name from sqlite_master").fetchall()
