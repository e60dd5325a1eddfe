"""``torgsync doctor``: all that is wrong with a shop, at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from engine.lock import hold
from engine.shops import load_shop
from tests.e2e.conftest import ShopFolder
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES

FAULTS = """
[alerts]
urls_env = "TORGSYNC_NOBODY"
[[stores]]
name = "share"
kind = "csv"
target = "/mnt/not/mounted"
[[stores]]
name = "woo"
kind = "woocommerce"
url = "https://shop.example"
key_env = "TORGSYNC_NO_KEY"
secret_env = "TORGSYNC_NO_SECRET"
"""


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".torgsync."))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_shop_that_is_ready_has_no_fault_before_and_after_its_first_run(local: ShopFolder, torgsync):
    local.base(TYPES, SECTIONS, GOODS)
    before = torgsync("doctor", local.folder, "--json")
    assert before.code == 0
    found = {finding["check"]: finding for finding in before.json}
    assert [name for name, finding in found.items() if finding["status"] != "ok"] == ["alerts"]
    assert "4 product types, 2 sections, 40 goods" in found["base"]["told"]
    assert not (local.folder / "state.db").exists(), "it is the first run's to make"
    assert local.run().outcome == "ok"
    after = torgsync("doctor", local.folder)
    assert after.code == 0
    assert "runs: 1; section numbers: " in after.out
    assert "of ours: categories 2, goods 40" in after.out
    assert "10 checks: 0 failed, 1 with a warning" in after.out


def test_every_fault_is_told_at_once_each_with_what_to_do(local: ShopFolder, torgsync, monkeypatch):
    local.settings(more='rules = "rules.yaml"')
    with (local.folder / "shop.toml").open("a", encoding="utf-8") as stream:
        stream.write(FAULTS)
    (local.folder / "rules.yaml").write_text("rules:\n  - mach: {}\n", encoding="utf-8")
    (local.folder / "web.db").write_bytes(b"no database" * 500)
    done = torgsync("doctor", local.folder, "--json")
    assert done.code == 1
    failed = {finding["check"]: finding for finding in done.json if finding["status"] == "failed"}
    assert set(failed) == {"base", "rules", "store web", "store share", "store woo", "alerts"}
    assert all(finding["told"] and finding["next_step"] for finding in failed.values())
    assert "there is no such base" in failed["base"]["told"]
    assert "TORGSYNC_NO_KEY" in failed["store woo"]["told"]


def test_a_base_without_goods_is_a_fault_and_one_without_sections_a_warning(local: ShopFolder, torgsync):
    local.base(TYPES, SECTIONS.head(0), GOODS)
    assert torgsync("doctor", local.folder).out.count("warning ") == 2
    local.base(TYPES, SECTIONS, GOODS.head(0))
    done = torgsync("doctor", local.folder)
    assert done.code == 1
    assert "failed   base" in done.out


def test_a_faulty_table_of_the_settings_is_told_and_the_rest_is_looked_at(local: ShopFolder, torgsync):
    local.settings(more='unmaped = "hide"')
    local.base(TYPES, SECTIONS, GOODS)
    done = torgsync("doctor", local.folder)
    assert done.code == 1
    assert 'did you mean "unmapped"?' in done.out
    assert "40 goods" in done.out
    assert "ok       store web" in done.out
    assert "9 checks: 1 failed" in done.out


BROKEN = [
    ('name = "test"', 'name = ".."', "is not a name"),
    ('name = "test"', "name = 5", "name: "),
    ('name = "web"', 'name = ".."', "is not a name"),
    ('name = "web"', 'name = "site"', "same name"),
    ('url = "sqlite:///web.db"', 'url = "sqlite:///../web.db\\u0000"', "stores.0.url: holds"),
    ('url = "sqlite:///web.db"', 'url = "nothing://x"', "web"),
    ('url = "sqlite:///web.db"', "url = 5", "stores.0.url"),
    ('url = "sqlite:///web.db"', 'url = "sqlite:///../base.fdb"', "would write the Torgsoft base"),
    ('kind = "sql"', 'kind = "sqll"', "stores.0"),
    ("[source]", "[guards]\nmax_removed_share = true\n[source]", "guards.max_removed_share"),
    ("[source]", "[guards]\nmax_removed_share = nan\n[source]", "guards.max_removed_share"),
    ("[source]", "guards = 5\n[source]", "guards: "),
    ("[source]", "stores = 5\n[source]", "TOML"),
    ("[source]", "[state]\nurl = 5\n[source]", "state.url"),
    ("[source]", '[state]\nurl = "sqlite:///a\\u0000b"\n[source]', "state.url: holds"),
    ("[source]", '[state]\nurl = "://"\n[source]', "state"),
    ("[source]", '[schedule]\ntimezone = "Nowhere/City"\n[source]', "schedule"),
    ("[source]", '[schedule]\ntimezone = "../../etc/passwd"\n[source]', "schedule"),
    ("[source]", '[alerts]\nurls_env = "A=B"\n[source]', "A=B"),
    ("[source]", "x = " + "[" * 3000 + "]" * 3000 + "\n[source]", "brackets"),
    ("[source]", "x = " + "9" * 5000 + "\n[source]", "digits"),
    ('charset = "WIN1251"', 'charset = "WIN\\u0000"', ""),
    ('charset = "WIN1251"', 'map = "no such map"', "map"),
    ('charset = "WIN1251"', "map = 7", "source.map"),
    ("[sections]", '[sections]\nrules = "."', "directory"),
    ("[sections]", '[sections]\nrules = "a\\u0000b"', ""),
    ('target = "output"', 'target = "a\\u0000b"', ""),
    ('target = "output"', 'target = "~nobody/x"', ""),
    ('target = "output"', 'target = "ftp://[::1"', "URL"),
    ("layout = 48", 'layout = ["x"]', "layout"),
    ("layout = 48", 'profile = "x"', "profile"),
]


@pytest.mark.parametrize(("old", "new", "told"), BROKEN)
def test_any_broken_setting_is_one_sentence_and_the_other_checks_go_on(local: ShopFolder, torgsync, old, new, told):
    local.base(TYPES, SECTIONS, GOODS)
    text = (local.folder / "shop.toml").read_text(encoding="utf-8")
    assert old in text
    (local.folder / "shop.toml").write_text("\ufeff" + text.replace(old, new, 1), encoding="utf-8")
    done = torgsync("doctor", local.folder, "--json")
    assert done.code == 1, done
    assert "Traceback" not in done.out + done.err
    failed = [finding for finding in done.json if finding["status"] == "failed"]
    assert failed
    assert any(told in finding["told"] for finding in failed), failed
    assert all(finding["next_step"] for finding in failed), failed
    assert all(len(line) < 1000 for finding in failed for line in finding["told"].splitlines())
    readable = "not valid TOML" not in done.out
    assert len(done.json) >= (7 if readable else 1), done.json


def test_looking_changes_nothing_and_takes_the_shop_from_nobody(local: ShopFolder, torgsync):
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    before = content(local.folder)
    with hold(load_shop(local.folder)):
        done = torgsync("doctor", local.folder)
        assert "another run of the shop is active" in done.out
    assert done.code == 0
    assert content(local.folder) == before
