"""Documents that cannot lie: what the code declares stands in them."""

import re
import tomllib
from pathlib import Path

import pytest

from schemas.reasons import REASONS
from schemas.rules import Do, Match, Rule
from schemas.shop import (
    GuardsSettings,
    HistorySettings,
    NamesSettings,
    QuarantineSettings,
    RedirectsSettings,
    RemovalsSettings,
    SectionsSettings,
    SourceSettings,
    StateSettings,
)
from schemas.stores import TRS_PROFILES, SqlStore, TrsStore, trs_dialect
from schemas.trs import ALL_COLUMNS

DOCS = Path(__file__).parent.parent / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", REASONS)
def test_every_quarantine_reason_is_documented_with_what_to_do(reason):
    assert f"| `{reason}` | {REASONS[reason][0]} | {REASONS[reason][1]} |" in text("quarantine.md")


@pytest.mark.parametrize("column", ALL_COLUMNS)
def test_every_column_of_the_sync_file_is_documented(column):
    assert f"`{column}`" in text("trs.md")


@pytest.mark.parametrize("profile", TRS_PROFILES)
def test_every_profile_is_documented(profile):
    assert f"| `{profile}` |" in text("trs.md")


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
        StateSettings,
        SqlStore,
        TrsStore,
    ],
)
def test_every_setting_is_documented(model):
    shop = text("shop.md")
    missing = [key for key in model.model_fields if key not in shop]
    assert missing == []


@pytest.mark.parametrize("model", [Match, Do, Rule])
def test_every_part_of_a_rule_is_documented(model):
    rules = text("rules.md")
    assert [key for key in model.model_fields if key not in rules and key != "line"] == []


def test_the_recipe_for_torgsoft_online_market_is_a_store_that_can_be_loaded():
    blocks = re.findall(r"```toml\n(.*?)```", text("tom.md"), re.DOTALL)
    (block,) = [tomllib.loads(block)["stores"] for block in blocks]
    dialect = trs_dialect(TrsStore.model_validate(block[0]))
    assert isinstance(dialect.layout, int)
    assert dialect.layout >= 48, "the section columns"
    assert block[0]["target"].startswith("ftp://")


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_page_can_be_reached_from_the_readme(page):
    assert f"docs/{page}" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
