"""What one can do with rejected rows (P5): look, accept, take back, judge again."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Loaded, renamed
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES

BROKEN = renamed(5, "   ")


@pytest.fixture
def broken(loaded: Loaded) -> Loaded:
    """One good without a name and one of a type that does not exist; at most one rejected row is allowed."""
    loaded.goods(BROKEN.assign(type_id=BROKEN["type_id"].mask(BROKEN["good_id"] == 6, 77)))
    loaded.shop.settings(more="[quarantine]\nmax_rows = 1\nmax_share = 1.0")
    assert loaded.shop.run().exit_code == 5
    return loaded


def test_rejected_rows_are_listed_by_table_and_reason_with_what_to_do(broken, torgsync):
    shown = torgsync("quarantine", "list", broken.folder)
    assert "2 rows in the quarantine" in shown.out
    assert "raw_goods  name_empty  1 row" in shown.out
    assert "to do: give it a name in Torgsoft" in shown.out
    rows = torgsync("quarantine", "list", broken.folder, "--json").json["rows"]
    assert {(row["row_key"], row["reason"]) for row in rows} == {("5", "name_empty"), ("6", "type_unknown")}


def test_a_row_is_shown_with_its_values_and_since_when_it_is_there(broken, torgsync):
    first = broken.rows()[0]["run"]
    broken.shop.run()
    shown = torgsync("quarantine", "show", broken.folder, "6", "--json").json
    assert shown[0]["since"]["run"] == first
    assert shown[0]["row"]["type_id"] == 77
    assert shown[0]["accepted"] is None
    assert f"in the quarantine since run {first}" in torgsync("quarantine", "show", broken.folder, "6").out
    assert torgsync("quarantine", "show", broken.folder, "66").code == 2


def test_an_accepted_row_counts_no_more_stays_rejected_and_counts_again_when_taken_back(broken, torgsync):
    accept = ("quarantine", "accept", broken.folder, "goods", "5", "--note", "an old remnant")
    assert torgsync(*accept, "--json").json["changed"] is True
    assert torgsync(*accept, "--json").json["changed"] is False, "twice is once"
    report = broken.shop.run()
    assert (report.exit_code, report.quarantine) == (0, {"name_empty": 1, "type_unknown": 1})
    assert "an old remnant" in torgsync("quarantine", "show", broken.folder, "5").out
    assert torgsync("quarantine", "unaccept", broken.folder, "goods", "5").code == 0
    assert broken.shop.run().exit_code == 5
    assert torgsync("quarantine", "unaccept", broken.folder, "goods", "5").code == 2


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("goods", "55"), "did you mean 5?"),
        (("good", "5"), 'did you mean "goods"?'),
        (("sections", "5"), 'no row "5"'),
        (("goods", "5", "--reason", "name_emty"), 'did you mean "name_empty"?'),
        (("goods", "5", "--reason", "type_unknown"), "its reasons are: name_empty"),
    ],
)
def test_what_is_not_in_the_quarantine_cannot_be_accepted(broken, torgsync, words, hint):
    done = torgsync("quarantine", "accept", broken.folder, *words, "--note", "x")
    assert (done.code, hint in done.err, done.out) == (2, True, "")


def test_a_row_without_an_id_cannot_be_accepted_as_the_next_run_would_not_know_it(loaded, torgsync):
    loaded.goods(GOODS.assign(good_id=GOODS["good_id"].mask(GOODS["good_id"] == 7)))
    loaded.shop.run()
    done = torgsync("quarantine", "accept", loaded.folder, "goods", "row:7", "--note", "x")
    assert (done.code, "has no id" in done.err) == (2, True)
    assert "id_missing" in torgsync("quarantine", "show", loaded.folder, "row:7").out


def test_replay_judges_the_kept_rows_by_todays_settings_and_touches_nothing(loaded, torgsync):
    types = TYPES.assign(name=TYPES["name"].mask(TYPES["type_id"] == 1, "Посуд та інше для дому"))
    sections = SECTIONS.assign(name=SECTIONS["name"].mask(SECTIONS["section_key"] == 20, "Т" * 40))
    loaded.shop.settings(more="[names]\nmax_length = 30\n[quarantine]\nmax_share = 0")
    loaded.shop.base(types, sections, GOODS)
    assert loaded.shop.run().exit_code == 5, "a run that was stopped over its limit has kept its rows"
    (loaded.folder / "base.fdb").unlink(missing_ok=True)
    for path in loaded.folder.parent.glob("*.fdb"):
        path.unlink()
    loaded.shop.settings(more="[names]\nmax_length = 50\n[quarantine]\nmax_share = 0")
    before, runs = loaded.shop.store(), len(loaded.rows())
    found = torgsync("quarantine", "replay", loaded.folder, "--json").json
    assert [(row["table"], row["reason"]) for row in found["passes"]] == [("raw_sections", "name_too_long")]
    assert (found["still"], found["new"], found["over_limit"]) == ([], [], "")
    loaded.shop.settings(more="[names]\nmax_length = 4\n[quarantine]\nmax_share = 0")
    found = torgsync("quarantine", "replay", loaded.folder, "--json").json
    assert [row["row_key"] for row in found["still"]] == ["20"]
    assert [row["row_key"] for row in found["new"]] == ["10"]
    assert "more than quarantine.max_share" in found["over_limit"]
    assert (loaded.shop.store(), len(loaded.rows())) == (before, runs)


def test_a_run_that_judged_no_rows_is_no_run_to_replay(loaded, torgsync):
    torgsync("resume", loaded.folder)
    resumed = loaded.rows()[0]["run"]
    done = torgsync("quarantine", "replay", loaded.folder, "--run", resumed)
    assert (done.code, "validated no rows" in done.err) == (2, True)
    assert torgsync("quarantine", "replay", loaded.folder).code == 0, "last is the last one that did"
