"""Old addresses become 301s of the web server: OpenCart has no table for them."""

from __future__ import annotations

import re

import pytest

from tests.opencart.conftest import count_writes, fill


def pairs(shop) -> dict[str, str]:
    text = (shop.folder / "maps" / "redirects.nginx.map").read_text(encoding="utf-8")
    return dict(re.findall(r'^"(.*)" "(.*)";$', text, re.MULTILINE))


@pytest.fixture
def moved(shop):
    shop.settings["redirects"] = "maps"
    shop.sync()
    assert not (shop.folder / "maps").exists(), "nothing to redirect needs no file"
    shop.sections[2] = (4, "Посуд і скло")
    shop.sync()
    return shop


def test_a_moved_branch_leads_from_its_old_addresses_to_the_new_ones(moved):
    found = pairs(moved)
    lead = "/uk-ua/catalog" if moved.version.startswith("4") else ""
    assert found[f"{lead}/dim/posud"] == f"{lead}/dim/tekstyl/posud"
    assert found[f"{lead}/dim/posud/chashky"] == f"{lead}/dim/tekstyl/posud/chashky"
    assert found[f"{lead}/dim/posud/"] == f"{lead}/dim/tekstyl/posud"
    apache = (moved.folder / "maps" / "redirects.htaccess").read_text(encoding="utf-8")
    assert 'RedirectMatch 301 "^/dim/posud/?$" "/dim/tekstyl/posud"' in apache
    moved.settle()


def test_no_redirect_leads_to_another_or_away_from_a_living_address(moved):
    moved.sections[2] = (None, "Посуд")
    moved.sync()
    found = pairs(moved)
    assert not set(found) & set(found.values())
    lead = "/uk-ua/catalog" if moved.version.startswith("4") else ""
    assert found[f"{lead}/dim/posud"] == found[f"{lead}/dim/tekstyl/posud"] == f"{lead}/posud"
    moved.sections[2] = (1, "Посуд")
    moved.sync()
    assert f"{lead}/dim/posud" not in pairs(moved), "the category is back at its old address"
    moved.settle()


def test_a_rename_keeps_the_address_and_needs_no_redirect(make_shop):
    shop = fill(make_shop("4.0", redirects="maps"))
    shop.sync()
    shop.sections[2] = (1, "Тарілки")
    assert shop.sync()["category rename"] == 1
    assert not (shop.folder / "maps").exists()
    shop.settle()


def test_a_merged_category_leads_to_the_one_that_has_its_goods(make_shop):
    shop = fill(make_shop("ocstore", redirects="maps"))
    shop.sync()
    del shop.sections[3]
    shop.goods = {g: (2 if c == 3 else c, name) for g, (c, name) in shop.goods.items()}
    assert shop.sync()["redirect redirect"] == 1
    assert pairs(shop) == {"/dim/posud/chashky": "/dim/posud", "/dim/posud/chashky/": "/dim/posud"}
    shop.settle()


def test_a_map_that_is_gone_or_out_of_date_is_written_anew(moved):
    wanted = pairs(moved)
    path = moved.folder / "maps" / "redirects.nginx.map"
    path.unlink()
    assert moved.sync() == {"feed publish": 1}
    assert pairs(moved) == wanted
    moved.run("UPDATE oc_seo_url SET keyword = REPLACE(keyword, 'tekstyl', 'tkanyny')")
    assert moved.sync() == {"feed publish": 2}
    assert any("tkanyny" in new for new in pairs(moved).values())
    moved.settle()


def test_without_a_folder_there_are_no_redirects_and_that_is_declared(make_shop):
    shop = fill(make_shop("3.0"))
    assert set(shop.target().capabilities.gaps) == {"retire", "redirect", "unredirect"}
    shop.sync()
    shop.sections[2] = (4, "Посуд")
    assert "redirect redirect" not in shop.sync()
    with count_writes() as writes:
        assert shop.sync() == {}
    assert writes == []
