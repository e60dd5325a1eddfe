"""What the Prefect UI shows of a run is safe, whole, and found again under the same key."""

from __future__ import annotations

import base64
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.keys import artifact_key
from reports.markdown import plain, plan_table, quarantine_table, summary_text, unmapped_table
from reports.picture import MOST_ROWS, as_url, tree_picture
from schemas.plan import Operation, Plan, StorePlan
from schemas.report import RunReport, UnmappedType


def report(**more: object) -> RunReport:
    return RunReport(run="r", shop="test", started_at="2026-11-24T02:30:00", outcome="ok", **more)


def categories(*rows: tuple[int, int | None, str, int]) -> pd.DataFrame:
    """From (number, parent, name, goods), parents first."""
    paths: dict[int, list[str]] = {}
    out = []
    for number, parent, name, goods in rows:
        paths[number] = [*(paths[parent] if parent else []), name]
        out.append({"number": number, "parent_number": parent, "name": name, "path": paths[number],
                    "depth": len(paths[number]), "goods": goods})  # fmt: skip
    return pd.DataFrame(out).astype({"parent_number": "Int64"})


@given(st.text(max_size=40))
def test_a_name_out_of_a_base_becomes_no_markup(name):
    shown = plain(name)
    for place, character in enumerate(shown):
        if character in "`*_[]<>#|~!{}":
            assert shown[place - 1] == "\\"
    assert "\n" not in shown


def test_the_summary_says_what_stopped_a_run_and_what_to_do_before_all_else():
    stopped = report(message="guard «short_extract»: 20 rows", next_step="look at the plan", counts={"goods_in": 20})
    lines = [line for line in summary_text(stopped, "http://127.0.0.1/r").splitlines() if line]
    assert lines[1:3] == ["**guard «short\\_extract»: 20 rows**", "What to do: look at the plan"]
    assert "| goods in Torgsoft | 20 |" in lines
    assert "The whole report: http://127.0.0.1/r" in lines


def test_a_plan_of_many_goods_is_cut_and_says_how_many_more_there_are():
    many = tuple(Operation("update", "offer", n, f"Товар {n}", {"price": ("1", "2")}) for n in range(250))
    stores = StorePlan(store="web", kind="sql", operations=many), StorePlan(store="dead", kind="sql", error="gone")
    found = plan_table(Plan(shop="t", catalogue="c", settings="s", stores=stores))
    assert sum(row["rows"] for row in found) == 250
    assert found[-2] == {"store": "web", "what": "update", "rows": 50, "of": "more in plan.json"}
    assert found[-1]["what"] == "CANNOT BE READ"
    assert {tuple(row) for row in found} == {("store", "what", "rows", "of")}, "a table has the same columns everywhere"


def test_types_whose_goods_are_hidden_come_first_and_every_rejected_row_says_what_to_do():
    types = [
        UnmappedType(type_id=1, path=["A"], goods=9, decided_by="inherit", category_number=5, category_path=["C"]),
        UnmappedType(type_id=2, path=["B"], goods=1, decided_by="none", category_number=None, category_path=None),
        UnmappedType(type_id=3, path=["empty"], goods=0, decided_by="none", category_number=None, category_path=None),
    ]
    assert [row["product type"] for row in unmapped_table(types)] == ["B", "A"]
    row = {"table": "raw_goods", "row_key": "", "row_number": 7, "reason": "name_empty", "detail": ""}
    (shown,) = quarantine_table([row])
    assert (shown["row"], shown["what to do"]) == ("row 7", "give it a name in Torgsoft")


def test_the_picture_is_an_image_of_every_category_with_the_goods_below_it():
    frame = categories((1, None, "Посуд <&> ґ", 2), (2, 1, "Тарілки", 3), (3, None, "Пусто", 0))
    svg = tree_picture(frame, "test")
    texts = [text.text for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert texts[2:] == ["Посуд <&> ґ  [1]", "5", "Тарілки  [2]", "3", "Пусто  [3]", "0"]
    assert base64.b64decode(as_url(svg).split(",")[1]).decode() == svg


def test_a_picture_of_very_many_categories_is_cut_and_says_so():
    svg = tree_picture(categories(*((n, None, f"C{n:04}", 1) for n in range(1, MOST_ROWS + 11))), "test")
    assert svg.count("<text") == 2 + 2 * MOST_ROWS + 1
    assert "and 10 more categories" in svg


@given(st.lists(st.from_regex(r"[\w.-]{1,12}", fullmatch=True), min_size=2, max_size=2, unique=True))
def test_shops_of_different_names_have_different_keys_that_prefect_takes(names):
    one, other = (artifact_key(name, "plan") for name in names)
    assert one != other
    assert all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in one + other)
    assert one == artifact_key(names[0], "plan")


@pytest.mark.parametrize(("shop", "key"), [("household", "household-plan"), ("my-shop2", "my-shop2-plan")])
def test_a_plain_name_is_its_own_key(shop, key):
    assert artifact_key(shop, "plan") == key
