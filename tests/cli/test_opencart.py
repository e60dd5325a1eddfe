"""``torgsync opencart check``: the operator sees what is wrong in the store's tables, and nothing is written."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Torgsync
from tests.e2e.conftest import ShopFolder
from tests.opencart.conftest import databases, fill, make_shop  # noqa: F401 - fixtures, found by their names

STORE = '[[stores]]\nname = "shop-site"\nkind = "opencart"\nurl_env = "TORGSYNC_TEST_OPENCART"\n'


@pytest.fixture
def site(make_shop, local: ShopFolder, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    shop = fill(make_shop("4.1"))
    shop.sync()
    monkeypatch.setenv("TORGSYNC_TEST_OPENCART", shop.url)
    local.settings(more=STORE)
    return shop


def test_a_sound_shop_is_said_to_be_sound(torgsync: Torgsync, local: ShopFolder, site):
    done = torgsync("opencart", "check", local.folder)
    assert (done.code, done.out) == (0, "shop-site: the category tables have no faults\n")
    assert torgsync("opencart", "check", local.folder, "--json").json == {"shop-site": []}


def test_every_finding_says_whose_it_is_and_what_to_do_and_nothing_is_written(torgsync, local, site):
    site.run("DELETE FROM oc_category_to_store WHERE category_id = 2")
    site.run("INSERT INTO oc_category SET category_id = 900001, parent_id = 77, status = 1")
    before = site.image()
    done = torgsync("opencart", "check", local.folder, "--store", "shop-site")
    assert done.code == 1
    assert "in no store: its page answers 404: 2 (torgsync's); tick a store in the admin" in done.out
    assert "the parent category does not exist: 900001 (not torgsync's); give it a parent" in done.out
    told = torgsync("opencart", "check", local.folder, "--json")
    assert told.code == 1
    findings = told.json["shop-site"]
    assert {(f["code"], tuple(f["categories"]), f["ours"]) for f in findings} >= {
        ("no_store", (2,), True),
        ("parent_unknown", (900001,), False),
    }
    assert all(finding["next_step"] for finding in findings)
    assert site.image() == before


def test_a_shop_without_opencart_or_another_store_is_a_usage_error(torgsync, local, site):
    other = torgsync("opencart", "check", local.folder, "--store", "shop-sitee")
    assert (other.code, other.err) == (
        2,
        'torgsync: no OpenCart store "shop-sitee"\n  next: did you mean "shop-site"?\n',
    )
    local.settings()
    none = torgsync("opencart", "check", local.folder)
    assert none.code == 2
    assert 'add [[stores]] with kind = "opencart"' in none.err
