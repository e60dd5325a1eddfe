"""The queries of docs/storefront.md run on a store that torgsync loaded, and say what the page says."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.test_docs_citations import text

ROOT = Path(__file__).resolve().parent.parent


def query(heading: str) -> str:
    """The first SQL block below a heading."""
    _, found = text("docs/storefront.md").split(f"## {heading}\n")
    return re.search(r"```sql\n(.*?)```", found, re.DOTALL)[1]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The sample shop, loaded twice: in the second night a hand-made section has another name."""
    from typer.testing import CliRunner

    from cli.main import app

    folder = tmp_path_factory.mktemp("storefront") / "household"
    sample = ROOT / "data/samples/household"
    shutil.copytree(sample, folder, ignore=shutil.ignore_patterns("output"))

    def torgsync(*words: str) -> None:
        done = CliRunner().invoke(app, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output

    torgsync("base", "build", str(folder / "base.fdb"), "--from-csv", str(folder / "input"), "--quiet")
    torgsync("sync", str(folder), "--no-flow", "--quiet")
    renamed = '\n  - match: {type_id: 3}\n    do: {rename: "Каструлі та інше"}\n    reason: test\n'
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("rules:", f"rules:{renamed}", 1), encoding="utf-8")
    torgsync("sync", str(folder), "--no-flow", "--quiet")
    return folder


@pytest.fixture
def rows(shop):
    connection = sqlite3.connect(shop / "web.db")
    yield lambda sql, **values: connection.execute(sql, values).fetchall()
    connection.close()


def test_the_menu_shows_no_hidden_category_and_parents_first(rows):
    found = rows(query("Menu"))
    assert found
    seen: set[int | None] = {None}
    for number, parent, _, _ in found:
        assert parent in seen
        seen.add(number)
    assert len(found) == rows("SELECT COUNT(*) FROM categories WHERE NOT hidden")[0][0]


def test_a_branch_has_the_goods_of_all_its_categories_and_none_that_is_hidden(rows):
    counts = dict((number, goods) for number, _, goods in rows(query("Number of goods per category")))
    children: dict[int | None, list[int]] = {}
    for number, parent, _, _ in rows(query("Menu")):
        children.setdefault(parent, []).append(number)

    def total(number: int) -> int:
        return counts[number] + sum(total(child) for child in children.get(number, []))

    roots = children[None]
    assert sum(total(root) for root in roots) == rows("SELECT COUNT(*) FROM offers WHERE NOT hidden")[0][0] > 0
    for root in roots:
        assert len(rows(query("Goods of a category and of all below it"), number=root)) == total(root)


def test_a_good_without_a_category_is_hidden_and_so_is_what_is_retired(rows):
    assert rows("SELECT COUNT(*) FROM offers WHERE category_number IS NULL AND NOT hidden") == [(0,)]
    assert rows("SELECT COUNT(*) FROM offers WHERE category_number IS NULL")[0][0] > 0
    assert rows("SELECT COUNT(*) FROM offers WHERE retired AND NOT hidden") == [(0,)]


def test_one_good_is_found_by_its_id(rows):
    assert rows(query("The page of one good"), good_id=1001)[0][0] == 1001
    assert rows(query("The page of one good"), good_id=-1) == []


def test_an_old_address_leads_to_a_living_category_under_its_new_name(rows):
    found = rows(query("An address that is not found"))
    assert found
    for _, old_path, _, path in found:
        assert json.loads(old_path) != json.loads(path)
    assert any("Каструлі та інше" in json.loads(path) for *_, path in found)
