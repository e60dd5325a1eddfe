"""The pages of a plan and of a run need nothing but themselves, and show names as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd

from reports.html import plan_page, run_page, tree
from schemas.plan import GuardViolation, Operation, Plan, StorePlan
from schemas.report import RunReport, StoreResult, UnmappedType
from tests.cli.conftest import renamed, without

NASTY = '<script>alert("x")</script> & <b>«дім»</b>'


class Reader(HTMLParser):
    """The text of a page, its tags, and whether every tag that was opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def report(**more) -> RunReport:
    return RunReport(run="20261124-023000-1a2b", shop="test", started_at="2026-11-24T02:30:00.000+02:00", **more)


def plan(*operations: Operation) -> Plan:
    violation = GuardViolation(guard="hidden_offers", store="web", measured=3, limit=1, message=NASTY)
    store = StorePlan(store="web", kind="sql", operations=operations)
    return Plan(shop="test", catalogue="c" * 64, settings="s" * 64, guards=(violation,), stores=(store,))


def test_names_from_the_base_are_text_and_never_become_part_of_a_page():
    operations = [
        Operation("hide", "offer", 1, NASTY, {"hidden": (False, True)}),
        Operation("rename", "category", 2, NASTY, {"name": (NASTY, "x")}),
        *(Operation("assign", "offer", n, NASTY, {"category_number": (2, 3)}) for n in (3, 4)),
    ]
    unmapped = UnmappedType(
        type_id=1, path=[NASTY], goods=2, decided_by="inherit", category_number=2, category_path=[NASTY]
    )
    told = report(
        outcome="failed", message=NASTY, next_step=NASTY, warnings=[NASTY], name_changes=[NASTY],
        unmapped_types=[unmapped], stores=[StoreResult(name="web", kind="sql", outcome="failed", message=NASTY)],
    )  # fmt: skip
    rejected = [{"table": "raw_goods", "row_number": 1, "row_key": NASTY, "reason": "name_empty", "detail": NASTY}]
    categories = pd.DataFrame(
        {"number": [2], "name": [NASTY], "parent_number": [pd.NA], "path": [[NASTY]], "depth": [1], "goods": [3]}
    )
    made = plan(*operations)
    for page, times in ((run_page(told, made, {2: NASTY}, rejected, categories), 12), (plan_page(made, told), 5)):
        read = Reader(page)
        assert read.open == []
        assert {"script", "b"} & set(read.tags[: read.tags.index("body")]) == set()
        assert "script" not in read.tags
        assert read.text.count(NASTY) >= times


def test_a_page_needs_no_network(loaded, torgsync, tmp_path):
    loaded.goods(without(2))
    assert torgsync("plan", loaded.folder, "--html", tmp_path / "plan.html").code == 0
    assert torgsync("sync", loaded.folder).code == 0
    assert torgsync("report", loaded.folder, "--html", tmp_path / "run.html").code == 0
    for path in (tmp_path / "plan.html", tmp_path / "run.html", loaded.shop.output / "report.html"):
        page = path.read_text(encoding="utf-8")
        assert Reader(page).addresses == []
        assert not re.search(r"url\(|@import|https?://", page)
        assert "prefers-color-scheme: dark" in page
        assert 'name="viewport"' in page


def test_a_runs_page_says_what_was_removed_what_to_do_and_shows_the_tree(loaded, torgsync, tmp_path):
    loaded.goods(renamed(5, " ")[lambda frame: frame["good_id"] != 2])
    assert torgsync("sync", loaded.folder).code == 0
    text = Reader((loaded.shop.output / "report.html").read_text(encoding="utf-8")).text
    assert "good 2 «Товар №2 ґ є і ї»" in text
    assert "give it a name in Torgsoft" in text
    assert re.search(r"Посуд\s+\[10\]", text)
    assert re.search(r"Тарілки\s+\[20\]", text)


def test_a_stopped_runs_page_says_what_stopped_it_and_what_to_do(loaded, torgsync):
    loaded.goods(without(*range(1, 31)))
    stopped = torgsync("sync", loaded.folder)
    assert stopped.code == 3
    text = Reader((loaded.shop.output / "report.html").read_text(encoding="utf-8")).text
    assert "guard stop" in text
    assert "What to do: look at the plan" in text
    assert "hidden_offers" in text


def test_the_tree_is_right_where_siblings_share_a_name_and_however_deep_it_is():
    twins = {"number": [1, 2, 3], "name": ["a", "a", "b"], "parent_number": [pd.NA, pd.NA, 1]}
    frame = pd.DataFrame({**twins, "path": [["a"], ["a"], ["a", "b"]], "depth": [1, 1, 2], "goods": [1, 2, 4]})
    found = [(item["kind"], item.get("number"), item.get("below")) for item in tree(frame)]
    assert found == [("open", 1, 5), ("leaf", 3, 4), ("close", None, None), ("leaf", 2, 2)]
    deep = 3000
    chain = pd.DataFrame(
        {
            "number": range(1, deep + 1),
            "name": ["x"] * deep,
            "parent_number": [pd.NA, *range(1, deep)],
            "path": [["x"] * n for n in range(1, deep + 1)],
            "depth": range(1, deep + 1),
            "goods": [1] * deep,
        }
    )
    assert tree(chain)[0]["below"] == deep
    assert Reader(run_page(report(), categories=chain)).open == []
