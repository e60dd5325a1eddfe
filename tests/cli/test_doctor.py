"""``torgsync doctor``: all that is wrong with a shop, at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

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


def test_faulty_settings_are_all_that_can_be_told(local: ShopFolder, torgsync):
    local.settings(more='unmaped = "hide"')
    done = torgsync("doctor", local.folder)
    assert done.code == 1
    assert 'did you mean "unmapped"?' in done.out
    assert "1 check: 1 failed" in done.out


def test_looking_changes_nothing_and_takes_the_shop_from_nobody(local: ShopFolder, torgsync):
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    before = content(local.folder)
    with hold(load_shop(local.folder)):
        done = torgsync("doctor", local.folder)
        assert "another run of the shop is active" in done.out
    assert done.code == 0
    assert content(local.folder) == before
