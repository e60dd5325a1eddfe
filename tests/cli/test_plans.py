"""What plan, apply, resume, retry and rollback promise (P2, P3)."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3

import pytest

from tests.cli.conftest import renamed, without
from tests.e2e.test_promises import GOODS

TWELVE = [good for good in range(1, 17) if good % 4 != 3]
"""Goods that are shown; ten may disappear in one run."""


def test_planning_twice_gives_the_same_bytes_and_changes_no_store(loaded, torgsync, tmp_path):
    loaded.goods(without(2))
    before = loaded.shop.store()
    assert torgsync("plan", loaded.folder, "-o", tmp_path / "a.json").code == 0
    assert torgsync("plan", loaded.folder, "-o", tmp_path / "b.json").code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert loaded.shop.store() == before


def test_a_plan_shows_removals_first_and_says_how_to_carry_it_out(loaded, torgsync):
    loaded.goods(renamed(5, "Тарілка «Ґ»")[lambda frame: frame["good_id"] != 2])
    shown = torgsync("plan", loaded.folder, "--detailed-exitcode")
    assert shown.code == 10
    assert shown.out.index("REMOVED: hide 1") < shown.out.index("\n    update 1")
    assert "good 2 «Товар №2 ґ є і ї»" in shown.out
    assert "name: Товар №5 ґ є і ї → Тарілка «Ґ»" in shown.out
    assert f"torgsync apply {loaded.plan}" in shown.out


def test_the_detailed_exit_code_is_0_where_nothing_would_change(loaded, torgsync):
    shown = torgsync("plan", loaded.folder, "--detailed-exitcode")
    assert (shown.code, "nothing to do" in shown.out) == (0, True)


def test_applying_a_plan_does_what_it_lists_and_nothing_else(loaded, torgsync):
    loaded.goods(without(2))
    planned = torgsync("plan", loaded.folder, "--json").json
    loaded.goods(without(2, 3))  # what the base says after the plan was made is not the plan's
    done = torgsync("apply", loaded.plan, "--json")
    assert (done.code, done.err) == (0, "")
    told = {store["name"]: store["operations"] for store in done.json["stores"]}
    assert told["web"] == {"offer hide": 1}
    assert len(planned["stores"][0]["operations"]) == 1
    assert loaded.hidden() == {2, *range(3, 41, 4)}, "good 3 and its like have no category"


def test_applying_a_plan_again_does_nothing_and_says_so(loaded, torgsync):
    loaded.goods(without(2))
    torgsync("plan", loaded.folder)
    torgsync("apply", loaded.plan)
    again = torgsync("apply", loaded.plan)
    assert (again.code, "nothing was left to do" in again.out) == (0, True)


def other_store_rows(loaded, torgsync, plan):
    with sqlite3.connect(loaded.folder / "web.db") as connection:
        connection.execute("update offers set name = 'x' where good_id = 9")


def settings_changed(loaded, torgsync, plan):
    path = loaded.folder / "shop.toml"
    path.write_text(path.read_text().replace("first_number = 1000", "first_number = 2000"))


def rules_changed(loaded, torgsync, plan):
    (loaded.folder / "rules.yaml").write_text("rules: []\n# another remark\n")


def a_run_in_between(loaded, torgsync, plan):
    loaded.goods(without(2, 3))
    assert torgsync("sync", loaded.folder).code == 0


def catalogue_kept_no_more(loaded, torgsync, plan):
    shutil.rmtree(loaded.folder / "history" / "catalogues" / json.loads(plan.read_text())["catalogue"][:20])


def edited_by_hand(loaded, torgsync, plan):
    plan.write_text(plan.read_text().replace("Товар №2", "Товар №22"))


def another_shop(loaded, torgsync, plan):
    path = loaded.folder / "shop.toml"
    path.write_text(path.read_text().replace('name = "test"', 'name = "other"'))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_store_rows, "store web is not as it was when the plan was made"),
        (settings_changed, "shop.toml or the rules were changed"),
        (rules_changed, "shop.toml or the rules were changed"),
        (a_run_in_between, "was loaded since the plan was made"),
        (catalogue_kept_no_more, "the history holds no catalogue"),
        (edited_by_hand, "was changed by hand"),
        (another_shop, "the plan is for shop test, not other"),
    ],
)
def test_a_stale_plan_is_refused_with_its_reason_and_nothing_is_written(loaded, torgsync, tmp_path, change, reason):
    if change is rules_changed:
        (loaded.folder / "rules.yaml").write_text("rules: []\n")
        loaded.shop.settings(more='rules = "rules.yaml"')
        assert torgsync("sync", loaded.folder).code == 0
    loaded.goods(without(2))
    plan = tmp_path / "plan.json"
    torgsync("plan", loaded.folder, "-o", plan)
    change(loaded, torgsync, plan)
    before, feed = loaded.shop.store(), (loaded.shop.output / "TSGoods.trs").read_bytes()
    done = torgsync("apply", plan, "--shop", loaded.folder)
    assert done.code == 1
    assert reason in done.err
    assert "next: " in done.err
    assert (loaded.shop.store(), (loaded.shop.output / "TSGoods.trs").read_bytes()) == (before, feed)


def test_a_guard_cannot_be_cut_out_of_a_plan_file(loaded, torgsync):
    loaded.goods(without(*TWELVE))
    assert torgsync("plan", loaded.folder).code == 3
    text = loaded.plan.read_text()
    cut = re.sub(r'"guards": \[\{.*\}\], "held"', '"guards": [], "held"', text)
    assert cut != text
    loaded.plan.write_text(cut)
    done = torgsync("apply", loaded.plan)
    assert (done.code, "was changed by hand" in done.err) == (1, True)


def test_a_file_that_is_no_plan_is_one_clear_error(loaded, torgsync, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    done = torgsync("apply", tmp_path / "x.json", "--shop", loaded.folder)
    assert (done.code, "is not a plan file" in done.err, done.out) == (1, True, "")


def test_allow_lets_a_guard_pass_up_to_its_number_and_is_recorded_where_one_looks(loaded, torgsync):
    loaded.goods(without(*TWELVE))
    before = loaded.shop.store()
    stopped = torgsync("sync", loaded.folder)
    assert stopped.code == 3
    flags = stopped.err.split(f"torgsync sync {loaded.folder} ")[1].split()
    measured = {pair.split("=")[0]: int(pair.split("=")[1]) for pair in flags if "=" in pair}
    guard = "hidden_offers"
    less = [f"--allow={name}={number - (name == guard)}" for name, number in measured.items()]
    assert torgsync("sync", loaded.folder, *less).code == 3, "one row fewer than measured is not enough"
    assert loaded.shop.store() == before
    enough = [f"--allow={name}={number}" for name, number in measured.items()]
    done = torgsync("sync", loaded.folder, *enough, "--json")
    assert (done.code, done.json["allowed"]) == (0, measured)
    assert f"allowed {guard}={measured[guard]}" in torgsync("runs", loaded.folder).out
    assert f"{guard}={measured[guard]}" in (loaded.shop.output / "report.html").read_text()
    assert torgsync("sync", loaded.folder).code == 0, "the next run needs no permission"


def test_a_guard_shows_in_the_plan_and_the_plan_can_be_applied_with_its_permission_only(loaded, torgsync):
    loaded.goods(without(*TWELVE))
    planned = torgsync("plan", loaded.folder)
    assert planned.code == 3
    assert "GUARD STOPS «hidden_offers»" in planned.out
    refused = torgsync("apply", loaded.plan)
    assert refused.code == 3
    assert f"torgsync apply {loaded.plan} --allow" in refused.err, "what it tells to type is the same command"
    flags = [
        f"--allow={violation['guard']}={violation['measured']}"
        for violation in json.loads(loaded.plan.read_text())["guards"]
    ]
    assert torgsync("apply", loaded.plan, *flags).code == 0


@pytest.mark.parametrize(
    ("text", "hint"), [("hidden_ofers=3", 'did you mean "hidden_offers"?'), ("hidden_offers", "not GUARD=N")]
)
def test_a_misspelt_permission_is_a_usage_error_that_starts_no_run(loaded, torgsync, text, hint):
    done = torgsync("sync", loaded.folder, "--allow", text)
    assert (done.code, hint in done.err, len(loaded.rows())) == (2, True, 1)


def test_rollback_gives_the_earlier_runs_catalogue_exactly_keeps_numbers_and_the_next_sync_goes_forward(
    loaded, torgsync
):
    then = loaded.shown()
    numbers = loaded.shop.categories
    loaded.goods(renamed(5, "Інша")[lambda frame: ~frame["good_id"].isin((2, 8))])
    assert torgsync("sync", loaded.folder).code == 0
    now = loaded.shown()
    assert now != then
    done = torgsync("rollback", loaded.folder, "--to", loaded.first)
    assert done.code == 0
    assert loaded.shown() == then
    assert loaded.shop.categories == numbers
    assert "the next sync loads the state of the base again" in done.out
    assert torgsync("sync", loaded.folder).code == 0
    assert loaded.shown() == now


def test_rollback_with_plan_only_changes_neither_stores_nor_outputs_and_its_plan_can_be_applied(loaded, torgsync):
    loaded.goods(without(2))
    torgsync("sync", loaded.folder)
    before, offers = loaded.shop.store(), loaded.shop.csv("offers.csv")
    shown = torgsync("rollback", loaded.folder, "--to", loaded.first, "--plan-only")
    assert (shown.code, "restore 1" in shown.out) == (0, True)
    assert (loaded.shop.store(), loaded.shop.csv("offers.csv")) == (before, offers)
    nothing = torgsync("resume", loaded.folder)
    assert nothing.code == 0
    assert loaded.shop.store() == before, "a rollback that was only looked at is nothing to resume"


def test_a_plan_of_a_rollback_is_applied_like_any_other(loaded, torgsync):
    then = loaded.shown()
    loaded.goods(without(2))
    torgsync("sync", loaded.folder)
    torgsync("rollback", loaded.folder, "--to", loaded.first, "--plan-only")
    assert torgsync("apply", loaded.plan).code == 0
    assert loaded.shown() == then


def test_retry_touches_only_the_store_that_failed(loaded, torgsync):
    loaded.goods(without(2))
    web = loaded.folder / "web.db"
    content = web.read_bytes()
    web.write_bytes(b"no database at all, " * 100)
    failed = torgsync("sync", loaded.folder)
    assert failed.code == 4
    assert "torgsync: 1 of 2 stores failed: web" in failed.err
    feed = loaded.shop.output / "TSGoods.trs"
    stamp = feed.stat().st_mtime_ns
    web.write_bytes(content)
    done = torgsync("retry", loaded.folder, "--json")
    assert done.code == 0, done.err
    assert {store["name"]: store["operations"] for store in done.json["stores"]} == {"web": {"offer hide": 1}}
    assert feed.stat().st_mtime_ns == stamp
    assert "last successful" in torgsync("runs", loaded.folder, "--limit", 1).out


def test_retry_finds_the_last_run_that_left_a_store_behind(loaded, torgsync):
    """Later runs that a guard stopped, that only planned or that were for another store hide nothing."""
    loaded.goods(without(2))
    web = loaded.folder / "web.db"
    content = web.read_bytes()
    web.write_bytes(b"no database at all, " * 100)
    assert torgsync("sync", loaded.folder).code == 4
    behind = loaded.rows()[0]["run"]
    web.write_bytes(content)
    loaded.goods(GOODS[:0])
    assert torgsync("sync", loaded.folder).code == 3
    torgsync("plan", loaded.folder)
    done = torgsync("retry", loaded.folder, "--json")
    assert (done.code, done.json["continues"]) == (0, behind), done.err
    assert {store["name"]: store["operations"] for store in done.json["stores"]} == {"web": {"offer hide": 1}}
    again = torgsync("retry", loaded.folder)
    assert (again.code, "there is nothing to retry" in again.err) == (2, True), "the store is up to date now"


def test_a_retry_that_failed_too_is_what_the_next_one_goes_on_with(loaded, torgsync):
    loaded.goods(without(2))
    web = loaded.folder / "web.db"
    content = web.read_bytes()
    web.write_bytes(b"no database at all, " * 100)
    torgsync("sync", loaded.folder)
    assert torgsync("retry", loaded.folder).code == 4
    second = loaded.rows()[0]["run"]
    web.write_bytes(content)
    done = torgsync("retry", loaded.folder, "--json")
    assert (done.code, done.json["continues"]) == (0, second), done.err
    assert 2 in loaded.hidden()


def test_there_is_nothing_to_retry_or_resume_after_a_good_run(loaded, torgsync):
    retried = torgsync("retry", loaded.folder)
    assert (retried.code, "there is nothing to retry" in retried.err) == (2, True)
    before = loaded.shop.store()
    resumed = torgsync("resume", loaded.folder)
    assert (resumed.code, "nothing was left to do" in resumed.out, loaded.shop.store()) == (0, True, before)


def test_a_refused_apply_is_not_what_resume_goes_on_with(loaded, torgsync, tmp_path):
    loaded.goods(without(2))
    torgsync("plan", loaded.folder, "-o", tmp_path / "p.json")
    torgsync("sync", loaded.folder)
    last = loaded.rows()[0]["run"]
    loaded.goods(without(2, 3))
    torgsync("sync", loaded.folder)
    newest = loaded.rows()[0]["run"]
    assert torgsync("apply", tmp_path / "p.json", "--shop", loaded.folder).code == 1
    assert torgsync("resume", loaded.folder, "--json").json["continues"] == newest != last


def test_an_ambiguous_or_unknown_run_is_a_usage_error_that_names_what_there_is(loaded, torgsync):
    torgsync("sync", loaded.folder)
    many = torgsync("rollback", loaded.folder, "--to", "20")
    assert (many.code, "several runs begin with" in many.err) == (2, True)
    none = torgsync("rollback", loaded.folder, "--to", loaded.first[:-1] + "zz")
    assert (none.code, f'did you mean "{loaded.first}"?' in none.err) == (2, True)


def test_json_is_all_that_stands_on_standard_output(loaded, torgsync):
    for words in (["sync"], ["plan"], ["resume"], ["runs"], ["report"], ["quarantine", "list"]):
        done = torgsync(*words, loaded.folder, "--json")
        assert (done.code, done.err, bool(json.loads(done.out))) == (0, "", True)
    loaded.goods(GOODS.iloc[:0])
    for word in ("sync", "plan"):
        done = torgsync(word, loaded.folder, "--json")
        assert (done.code, json.loads(done.out)["outcome"]) == (3, "guard stop")
        assert done.err.startswith("torgsync: guard «empty_extract»")


def test_quiet_prints_errors_only(loaded, torgsync):
    assert (torgsync("sync", loaded.folder, "-q").out, torgsync("plan", loaded.folder, "-q").err) == ("", "")
    loaded.goods(GOODS.iloc[:0])
    done = torgsync("sync", loaded.folder, "-q")
    assert (done.out, done.err.count("\n")) == ("", 2)
