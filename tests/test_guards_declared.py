"""One table declares the guards: settings, --allow, messages and documents come from it."""

from __future__ import annotations

import json
from pathlib import Path
from string import Formatter

import pytest
from pydantic import ValidationError

from schemas.guards import GUARD_SETTINGS, GUARD_TABLE, GUARDS, guard_stores, guards_table, guards_toml
from schemas.plan import GuardViolation, Plan
from schemas.settings.shop import GuardsSettings
from transforms.guards import Limits

DOCS = Path(__file__).parent.parent / "docs"
WORDS = {
    "measured", "size", "what", "names", "roots", "runs", "evidence", "before", "after", "newest", "examples",
    "stores", "nights", "told", "categories",
}  # fmt: skip


def test_the_settings_have_the_declared_keys_defaults_and_descriptions():
    fields = GuardsSettings.model_fields
    assert list(fields) == list(GUARD_SETTINGS)
    for key, setting in GUARD_SETTINGS.items():
        assert (fields[key].default, fields[key].description) == (setting.default, setting.description)
    assert dict(Limits(**GuardsSettings().model_dump()).values) == dict(Limits().values)


@pytest.mark.parametrize(
    "wrong",
    [{"max_moved_share": True}, {"max_moved_share": 1.1}, {"max_moved_share": -0.1}, {"max_moved_share": "0.3"},
     {"max_removed": 1.5}, {"max_removed": True}, {"max_removed": -1}, {"drift_factor": 0.5},
     {"max_moved_share": float("nan")}, {"max_everything": 1}],
)  # fmt: skip
def test_a_setting_out_of_its_bounds_is_refused(wrong):
    with pytest.raises(ValidationError):
        GuardsSettings.model_validate(wrong)


def test_the_bounds_themselves_and_whole_numbers_are_taken():
    taken = GuardsSettings.model_validate({"max_moved_share": 1, "max_renamed_share": 0, "drift_factor": 1})
    assert (taken.max_moved_share, taken.max_renamed_share, taken.drift_factor) == (1, 0, 1)


def test_every_limit_names_a_setting_and_every_setting_is_a_limit():
    named = {key for guard in GUARD_TABLE.values() for text in (guard.stop, guard.tell) for key in text.split(", ")}
    assert {key for key in named if key.startswith(("max_", "tell_"))} == set(GUARD_SETTINGS) - {"drift_factor"}
    assert "drift_factor" in GUARD_TABLE["drift"].stop


def test_every_template_uses_known_words_only():
    for guard in GUARD_TABLE.values():
        for text in (guard.message, guard.drift, *(message for _, message in guard.messages)):
            assert {name for _, name, _, _ in Formatter().parse(text) if name} <= WORDS, guard.name


def test_every_guard_can_be_allowed_but_an_empty_extract_and_what_only_tells():
    assert set(GUARD_TABLE) - set(GUARDS) == {"empty_extract", "first_night"}


def test_the_page_of_guards_holds_the_table_and_shop_toml_its_settings():
    assert guards_table() in (DOCS / "guards.md").read_text(encoding="utf-8")
    shop = (DOCS / "shop.md").read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(shop) if line.startswith("[guards]"))
    assert shop[start + 1 : start + 1 + len(GUARD_SETTINGS)] == guards_toml()
    assert shop[start + 1 + len(GUARD_SETTINGS)] == ""


def test_the_stores_follow_the_message_in_the_guards_own_words():
    assert guard_stores("hidden_offers", ["web", "site"]) == " from store web, site"
    assert guard_stores("moved_goods", ["web"]) == " (store web)"
    assert guard_stores("a guard of an older version", ["web"]) == " (store web)"
    assert guard_stores("moved_goods", []) == ""
    found = GuardViolation(guard="moved_goods", store="web", measured=3, limit=1, message="3 moved")
    assert found.text == "3 moved (store web)"


def test_a_plan_file_of_an_older_version_still_loads_and_its_guards_stop():
    old = {"guard": "moved_goods", "store": "", "measured": 3, "limit": 1, "message": "3 moved"}
    plan = Plan.model_validate_json(json.dumps({"shop": "x", "catalogue": "c", "settings": "s", "guards": [old]}))
    assert [violation.level for violation in plan.guards] == ["stop"]
