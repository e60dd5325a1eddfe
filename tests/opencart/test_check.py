"""``check`` finds what OpenCart itself never tells, in anybody's categories, and says nothing of a sound shop."""

from __future__ import annotations

import pytest

from stores.opencart.check import FINDINGS, check
from tests.opencart.conftest import Broken, count_writes, fill
from tests.opencart.test_nights import plant

FAULTS = {
    "parent_unknown": ("UPDATE oc_category SET parent_id = 77 WHERE category_id = 3", (3,)),
    "cycle": ("UPDATE oc_category SET parent_id = 3 WHERE category_id = 2", (2, 3)),
    "path_wrong": ("DELETE FROM oc_category_path WHERE category_id = 3 AND level = 0", (3,)),
    "path_orphan": ("INSERT INTO oc_category_path VALUES (55, 55, 0)", (55,)),
    "no_description": ("DELETE FROM oc_category_description WHERE category_id = 4 AND language_id = 1", (4,)),
    "no_store": ("DELETE FROM oc_category_to_store WHERE category_id = 4", (4,)),
    "parent_hidden": ("UPDATE oc_category SET status = 0 WHERE category_id = 2", (3,)),
    "name_raw": ("UPDATE oc_category_description SET name = '<b>' WHERE category_id = 4", (4,)),
    "no_slug": ("DELETE FROM oc_seo_url WHERE keyword LIKE '%tekstyl' AND language_id = 2", (4,)),
    "slug_twice": ("UPDATE oc_seo_url SET keyword = REPLACE(keyword, 'tekstyl', 'posud')", (2, 4)),
    "slug_sign": ("UPDATE oc_seo_url SET keyword = REPLACE(keyword, 'tekstyl', 'tek_styl')", (4,)),
    "slug_path": ("UPDATE oc_seo_url SET value = '2_3' WHERE value = '1_2_3'", (3,)),
}


@pytest.mark.parametrize("version", ["ocstore", "4.1"])
def test_every_fault_is_found_with_the_categories_it_is_about(make_shop, version):
    for code, (fault, numbers) in FAULTS.items():
        if code in ("slug_sign", "slug_path") and version == "ocstore":
            continue
        shop = fill(make_shop(version))
        shop.sync()
        shop.run(fault)
        with count_writes() as writes:
            found = {finding.code: finding for finding in check(shop.store)}
        assert writes == []
        assert found[code].categories == numbers, code
        assert found[code].ours is (code != "path_orphan")
        shop.give_back()


def test_an_interrupted_run_is_told(make_shop):
    shop = fill(make_shop("3.0"))
    with count_writes(fail_at=12), pytest.raises(Broken):
        shop.sync()
    assert "interrupted" in {finding.code for finding in check(shop.store)}
    assert set(FAULTS) | {"interrupted"} == set(FINDINGS), "every finding has a test"


def test_an_editors_faults_are_told_apart_and_a_shop_that_we_never_wrote_to_can_be_checked(make_shop):
    shop = fill(make_shop("ocstore", fresh=True))
    plant(shop)
    told = [str(finding) for finding in check(shop.store) if finding.code == "name_raw"]
    assert told == [
        "a name that the page would show as markup: 900, 901, 902 (not torgsync's); "
        "save it in the admin; the next run repairs those that are torgsync's; "
        "a hidden one that Torgsoft no longer has may be deleted"
    ]
