"""The page about feeds names every setting, profile and computed column."""

import re
from pathlib import Path

import pytest

from schemas.settings.feeds import COMPUTED, TABLE_COLUMNS, YML_PROFILES, CsvFeed, GoogleFeed, JsonFeed, YmlFeed

PAGE = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "model"), [("yml", YmlFeed), ("google", GoogleFeed), ("csv", CsvFeed), ("json", JsonFeed)]
)
def test_every_setting_stands_in_the_example_of_its_kind(kind, model) -> None:
    example = PAGE.split(f'## kind = "{kind}"')[1].split("```toml")[1].split("```")[0]
    keys = set(re.findall(r"^(?:# )?(\w+) = ", example, re.MULTILINE))
    assert keys - {"name", "kind", "target", "filename"} == set(model.model_fields)


@pytest.mark.parametrize("name", YML_PROFILES)
def test_every_profile_is_told_with_its_values(name) -> None:
    profile = YML_PROFILES[name]
    cells = (name and f"`{name}`", profile.hidden, profile.name_length or "", profile.quantity, profile.old_price)
    row = "".join(f"| {cell} ".replace("|  ", "| ") for cell in cells) + f"| {str(profile.varieties).lower()} |"
    assert row in PAGE


def test_every_computed_and_default_column_is_told() -> None:
    assert [f"| `{name}` | {text} |" for name, text in COMPUTED.items() if f"| `{name}` | {text} |" not in PAGE] == []
    assert " ".join(PAGE.split()).count(", ".join(f'"{name}"' for name in TABLE_COLUMNS)) == 2, "csv and json"
