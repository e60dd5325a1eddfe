"""What the Prefect UI shows of a run is safe, whole, and found again under the same key."""

from __future__ import annotations

import base64
import csv
import re
from io import StringIO
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reports.html import plan_page
from reports.keys import artifact_key
from reports.markdown import plain, plan_table, quarantine_table, summary_text, unmapped_table
from reports.outputs import csv_bytes
from reports.picture import MOST_ROWS, as_url, tree_picture
from reports.spreadsheet import from_people
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
        if character in "`*_[]<>#|~!{}&@":
            assert shown[place - 1] == "\\"
    assert "\n" not in shown


HOSTILE = [
    "[press](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "https://evil.example/a",
    "http://evil.example",
    "www.evil.example",
    "WWW.evil.example",
    "boss@evil.example",
    "<https://evil.example>",
    "<img src=x onerror=alert(1)>",
    "<b>bold</b>",
    "**bold**",
    "__bold__",
    "~~gone~~",
    "`code`",
    "a | b | c",
    "|",
    "# title",
    "> quote",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "---",
    "===",
    "&lt;b&gt;",
    "&#x3c;b>",
    "$x$",
    "a\n\n# title",
    "a  \nb",
    "\\",
    "\\*x*",
    "[x]: y",
    "```",
    "* * *",
    ":smile:",
    "C:\\base",
    "50 % - 70 %",
    "№ 5, 10.50 (x)",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_letter_by_letter_as_a_paragraph_and_in_a_table(name):
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    letters = " ".join(name.split())
    (_, inline, _) = reader.parse(plain(name))
    assert {child.type for child in inline.children} <= {"text"}
    assert "".join(child.content for child in inline.children) == letters
    cells = [t for t in reader.parse(f"| a | b |\n|---|---|\n| {plain(name)} | x |") if t.type == "inline"]
    assert len(cells) == 4
    assert "".join(child.content for child in cells[2].children) == letters
    # an address becomes a link without markup in GitHub's Markdown, which Prefect's reader speaks
    assert not re.search(r"https?://|www\.|\w@\w", plain(name), re.IGNORECASE)


def test_names_in_the_tables_of_prefect_are_text():
    """Prefect shows every cell of a table as Markdown: links and pictures in names became live."""
    name = "![x](https://evil.example/p.png)"
    many = (Operation("create", "category", 1, name, {"name": (None, name)}),)
    stores = StorePlan(store="web", kind="sql", operations=many), StorePlan(store="dead", kind="sql", error=name)
    unmapped = UnmappedType(
        type_id=1, path=[name], goods=9, decided_by="inherit", category_number=5, category_path=[name]
    )
    row = {"table": "raw_goods", "row_key": name, "row_number": 7, "reason": "name_empty", "detail": name}
    tables = [
        plan_table(Plan(shop="t", catalogue="c", settings="s", stores=stores)),
        unmapped_table([unmapped]),
        quarantine_table([row]),
    ]
    cells = [str(cell) for table in tables for line in table for cell in line.values()]
    assert sum("evil" in cell for cell in cells) == 6
    for cell in cells:
        kinds = {c.type for t in MarkdownIt("commonmark").parse(cell) if t.type == "inline" for c in t.children}
        assert kinds <= {"text"}, cell


def test_a_page_shows_a_hostile_name_as_text():
    name = "<script>alert(1)</script>"
    operations = (Operation("create", "category", 1, name, {"name": (None, name)}),)
    stores = (StorePlan(store="web", kind="sql", operations=operations),)
    shown = plan_page(Plan(shop=name, catalogue="c", settings="s", stores=stores), report(message=name))
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown


FORMULAS = [
    "=1+1",
    "+1",
    "-1+1",
    "-1-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "'=1",
    "''-x",
    '=HYPERLINK("https://evil.example";"x")',
]


@pytest.mark.parametrize(
    "text", [*FORMULAS, "plain", "-1", "-1.5", "'quoted'", "a=1", "a\rb", "a\r\nb", 'a"b', "a,b", ""]
)
def test_a_text_is_no_formula_in_a_table_for_people_and_every_reader_sees_the_same_rows(text):
    frame = pd.DataFrame({"good_id": pd.array([-5], "Int64"), "name": pd.array([text], "str")})
    written = csv_bytes(frame).decode()
    ((good, cell),) = list(csv.reader(StringIO(written, newline="")))[1:]
    assert good == "-5", "a number stays a number"
    assert text in ("-1", "-1.5") or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.startswith("'") == (text in FORMULAS or text.startswith("'"))
    assert from_people(cell) == text.replace("\r\n", "\n").replace("\r", "\n")
    assert "\r" not in written


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
