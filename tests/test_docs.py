"""Documents that cannot lie: what the code declares stands in them."""

import re
import tomllib
from pathlib import Path

import pytest

from schemas.reasons import REASONS
from schemas.rules import Do, Match, Rule
from schemas.settings.alerts import ALERT_KINDS, AlertsSettings
from schemas.settings.names import NamesSettings
from schemas.settings.schedule import ApprovalSettings, ScheduleSettings
from schemas.settings.shop import (
    GuardsSettings,
    HistorySettings,
    QuarantineSettings,
    RedirectsSettings,
    RemovalsSettings,
    SectionsSettings,
    SourceSettings,
    StateSettings,
)
from schemas.settings.stores import TRS_PROFILES, SqlStore, TrsStore, trs_dialect
from schemas.trs import ALL_COLUMNS

DOCS = Path(__file__).parent.parent / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def rows(name: str, head: str) -> list[list[str]]:
    """The cells of a document's one table whose first column has this head."""
    _, found = text(name).split(f"\n| {head} |")
    lines = found.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def keys(name: str, head: str) -> list[str]:
    return [row[0].strip("`") for row in rows(name, head)]


def test_the_quarantine_reasons_that_are_documented_are_those_that_there_are_each_with_what_to_do():
    assert rows("quarantine.md", "reason") == [[f"`{code}`", *told] for code, told in REASONS.items()]


def test_the_columns_of_the_sync_file_that_are_documented_are_those_that_there_are():
    found = keys("trs.md", "column")
    assert len(found) == len(set(found))
    assert set(found) <= set(ALL_COLUMNS)
    assert [column for column in ALL_COLUMNS if f"`{column}`" not in text("trs.md")] == []


def test_the_profiles_that_are_documented_are_those_that_there_are():
    assert keys("trs.md", "profile") == list(TRS_PROFILES)


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_no_table_of_a_document_has_a_row_twice(path):
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        found = [line for line in block.splitlines() if line.startswith("|")]
        assert len(found) == len(set(found)), [line for line in found if found.count(line) > 1]


@pytest.mark.parametrize(
    "model",
    [
        SourceSettings,
        SectionsSettings,
        NamesSettings,
        QuarantineSettings,
        GuardsSettings,
        RemovalsSettings,
        RedirectsSettings,
        HistorySettings,
        AlertsSettings,
        StateSettings,
        ScheduleSettings,
        ApprovalSettings,
        SqlStore,
        TrsStore,
    ],
)
def test_every_setting_is_documented(model):
    shop = text("shop.md")
    missing = [key for key in model.model_fields if not re.search(rf"\b{key}\b", shop)]
    assert missing == []


def test_every_alert_and_its_settings_are_described():
    alerts = text("alerts.md")
    assert [kind for kind in ALERT_KINDS if f"| `{kind}` |" not in alerts] == []
    assert [key for key in AlertsSettings.model_fields if f"`{key}`" not in alerts] == []


@pytest.mark.parametrize("model", [Match, Do, Rule])
def test_every_part_of_a_rule_is_documented(model):
    rules = text("rules.md")
    assert [key for key in model.model_fields if not re.search(rf"\b{key}\b", rules) and key != "line"] == []


def test_the_recipe_for_torgsoft_online_market_is_a_store_that_can_be_loaded():
    blocks = re.findall(r"```toml\n(.*?)```", text("tom.md"), re.DOTALL)
    (block,) = [tomllib.loads(block)["stores"] for block in blocks]
    dialect = trs_dialect(TrsStore.model_validate(block[0]))
    assert isinstance(dialect.layout, int)
    assert dialect.layout >= 48, "the section columns"
    assert block[0]["target"].startswith("ftp://")


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md") if path.name != "index.md"))
def test_every_page_can_be_reached_from_the_readme_through_the_index(page):
    assert "(docs/index.md)" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert f"]({page}" in text("index.md")
