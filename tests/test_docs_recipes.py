"""The recipes of the pages, typed as they are shown: from a sync file to the first sync, and restoring copies."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from schemas.rules import parse_rules
from tests.test_docs_citations import text

ROOT = Path(__file__).resolve().parent.parent
SYNC_FILE = ROOT / "data/samples/household/output/TSGoods.trs"


def recipe(page: str, after: str) -> list[str]:
    """The lines of the first indented block of a page behind a text."""
    _, found = text(page).split(after, 1)
    block = re.search(r"(?:^ {4}.*\n)+", found, re.MULTILINE)[0]
    return [line.strip() for line in block.splitlines()]


def do(line: str) -> str:
    """Do one line as the shell would, in the folder where one stands; the command itself runs in this process."""
    words = shlex.split(line, comments=True)
    while words[0] != "torgsync":
        words.pop(0)
    done = CliRunner().invoke(app, words[1:], catch_exceptions=False)
    assert done.exit_code == 0, f"{line}\n{done.output}"
    return done.output


@pytest.mark.parametrize(("page", "after"), [("docs/first-shop.md", "## A. "), ("README.md", "## Your own shop")])
def test_a_sync_file_alone_leads_to_a_first_sync(page, after, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    shutil.copy(SYNC_FILE, tmp_path / "TSGoods.trs")
    lines = recipe(page, after)
    assert len(lines) >= 4
    for line in lines:
        do(line)
    for promised in ("output/tree.txt", "output/report.html", "output/TSGoods.trs", "web.db"):
        assert (tmp_path / "shops/myshop" / promised).stat().st_size > 0


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """The sample shop after its first night, and the folder where one stands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    folder = tmp_path / "shops" / "myshop"
    shutil.copytree(ROOT / "data/samples/household", folder, ignore=shutil.ignore_patterns("output"))
    do(f"torgsync base build {folder}/base.fdb --from-csv {folder}/input --quiet")
    do("torgsync sync shops/myshop --quiet")
    return folder


def categories(folder: Path) -> list[tuple]:
    with sqlite3.connect(folder / "web.db") as connection:
        return connection.execute("SELECT number, name, hidden FROM categories ORDER BY number").fetchall()


def test_a_state_and_a_history_that_are_older_than_the_stores_are_restored_as_the_page_says(shop, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    source, target = sqlite3.connect(shop / "state.db"), sqlite3.connect(copy / "state.db")
    source.backup(target)
    source.close()
    target.close()
    shutil.copytree(shop / "history", copy / "history")
    rules = shop / "rules.yaml"
    old = rules.read_text(encoding="utf-8")
    rename = '\n  - match: {type_id: 3}\n    do: {rename: "Каструлі та інше"}\n    reason: test\n'
    rules.write_text(old.replace("rules:", f"rules:{rename}", 1), encoding="utf-8")
    do("torgsync sync shops/myshop --quiet")
    after = categories(shop)

    shutil.rmtree(shop / "history")
    shutil.copytree(copy / "history", shop / "history")
    shutil.copy(copy / "state.db", shop / "state.db")
    assert "0 failed" in do("torgsync doctor shops/myshop")
    do("torgsync plan shops/myshop --quiet")
    do("torgsync sync shops/myshop --quiet")
    assert categories(shop) == after


def test_a_sqlite_store_that_is_lost_is_loaded_again(shop):
    before = categories(shop)
    (shop / "web.db").unlink()
    do("torgsync sync shops/myshop --quiet")
    assert categories(shop) == before


def test_who_decided_is_one_of_the_documented_values(shop):
    told = {row.strip("`") for row in re.findall(r"^\| (`[a-z N]+`) \| ", text("docs/outputs.md"), re.MULTILINE)}
    assert {"none", "held", "rule N", "link", "inherit"} <= told
    lines = (shop / "output/assignments.csv").read_text(encoding="utf-8").splitlines()[1:]
    found = {re.sub(r"^rule \d+$", "rule N", line.rsplit(",", 1)[1]) for line in lines}
    assert found <= told
    hidden = [line for line in lines if line.endswith(",none")]
    assert hidden
    assert all(line.split(",")[2] == "" for line in hidden)


def test_the_example_of_a_rules_file_can_be_loaded():
    (block,) = re.findall(r"```yaml\n(.*?)```", text("docs/rules.md"), re.DOTALL)
    (rule,) = parse_rules(block).rules
    assert rule.expect == 1


def test_a_plan_file_and_a_report_have_the_documented_fields_and_no_other(shop):
    for name in ("report", "plan"):
        _, table = text("docs/outputs.md").split(f"<!-- begin {name}.json, generated -->")
        told = set(re.findall(r"^\| `([a-z_]+)` \|", table.partition("<!-- end")[0], re.MULTILINE))
        assert set(json.loads((shop / "output" / f"{name}.json").read_text(encoding="utf-8"))) == told
