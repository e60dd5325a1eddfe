"""OpenCart 3's tables have no transactions: whatever statement fails, nobody sees a half, and the next run ends it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.opencart.conftest import Broken, Shop, count_writes, fill

EVERY = 400


def night(shop: Shop) -> None:
    """Every kind of change at once."""
    shop.sections = {
        1: (None, "Дім"),
        2: (4, "Посуд & скло"),  # moved and renamed
        3: (2, "Чашки"),
        4: (5, "Текстиль"),  # moved below a new one
        5: (1, "Новий"),
        6: (2, "Нові склянки"),
        7: (None, "Сад"),
    }
    shop.goods = {100 + n: (n % 4 + 1, f"Товар {n}") for n in range(10)}  # two are gone
    shop.goods[100] = (6, "Товар 0")
    shop.goods[101] = (None, "Товар 1")
    shop.goods[200], shop.goods[201] = (7, "Новий"), (3, "Новий 2")
    shop.fields[102] = {"retail_price": "99"}
    shop.settings["redirects"] = "maps"


def loaded(shop: Shop) -> Shop:
    """A loaded shop with a branch that the night takes out."""
    fill(shop)
    shop.sections |= {8: (1, "Меблі"), 9: (8, "Стільці")}
    shop.goods |= {300: (9, "Стілець")}
    shop.sync()
    return shop


def check_window(shop: Shop) -> None:
    """A category that is shown has name, closure, store, slug and shown parents; a good that is shown is whole."""
    paths = "`key` = 'path' AND (value = c.category_id OR value LIKE CONCAT('%\\_', c.category_id))"
    slug = paths if shop.version.startswith("4") else "query = CONCAT('category_id=', c.category_id)"
    faults = shop.rows(
        "SELECT c.category_id FROM oc_category c LEFT JOIN oc_category p ON p.category_id = c.parent_id"
        " WHERE c.status = 1 AND ("
        " (SELECT COUNT(*) FROM oc_category_description d WHERE d.category_id = c.category_id) < 2"
        " OR NOT EXISTS"
        "  (SELECT 1 FROM oc_category_path a WHERE a.category_id = c.category_id AND a.path_id = c.category_id)"
        " OR (c.parent_id <> 0 AND NOT EXISTS"
        "  (SELECT 1 FROM oc_category_path a WHERE a.category_id = c.category_id AND a.path_id = c.parent_id))"
        " OR NOT EXISTS (SELECT 1 FROM oc_category_to_store s WHERE s.category_id = c.category_id)"
        f" OR (SELECT COUNT(*) FROM oc_seo_url WHERE keyword <> '' AND {slug}) < 2"
        " OR (c.parent_id <> 0 AND (p.status IS NULL OR p.status = 0)))"
    )
    assert faults == []
    goods = shop.rows(
        "SELECT p.product_id FROM oc_product p WHERE p.status = 1 AND (p.model LIKE 'torgsync%'"
        " OR (SELECT COUNT(*) FROM oc_product_description d WHERE d.product_id = p.product_id) < 2"
        " OR NOT EXISTS (SELECT 1 FROM oc_product_to_store s WHERE s.product_id = p.product_id)"
        " OR NOT EXISTS (SELECT 1 FROM oc_product_to_category l WHERE l.product_id = p.product_id))"
    )
    assert goods == []


def maps(shop: Shop) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((shop.folder / "maps").glob("*"))}


@pytest.mark.parametrize(("version", "first"), [("3.0", True), ("ocstore", False)], ids=["first-load", "every-change"])
def test_every_statement_may_fail_and_the_same_plan_is_resumed(make_shop, tmp_path, version, first):
    """For every N: the N-th write fails; nothing half is shown; the plan still fits, and ends like an unbroken run."""
    before = make_shop(version)
    change = fill if first else night
    if not first:
        loaded(before)

    def begin(name: str) -> Shop:
        shop = make_shop(version).become(before)
        shop.folder = tmp_path / name
        shop.folder.mkdir()
        change(shop)
        return shop

    unbroken = begin("unbroken")
    unbroken.sync()
    unbroken.settle()
    wanted, files = unbroken.image(), maps(unbroken)
    assert bool(files) is not first
    for n in range(1, EVERY):
        shop = begin(str(n))
        _, planned, plan, kept = shop.plan()
        try:
            with count_writes(fail_at=n):
                shop.apply(planned, plan)
        except Broken:
            check_window(shop)
            shop.apply(planned, plan)  # resume RUN: the plan lists all that is needed
            shop.loaded, shop.redirects = planned.catalogue, kept
            assert (shop.image(), maps(shop)) == (wanted, files), n
            assert shop.sync() == {}
            shop.give_back()
            continue
        assert n > 20, "hardly anything was ever broken"
        return
    pytest.fail("the fault never stops")


def test_a_run_that_was_broken_off_may_be_followed_by_another_plan(make_shop):
    """For every seventh N: broken off, then Torgsoft takes everything back: the window is as it was."""
    before = loaded(make_shop("3.0"))
    window = before.seen(), before.seen_goods()
    for n in range(2, EVERY, 7):
        shop = make_shop("3.0").become(before)
        night(shop)
        try:
            with count_writes(fail_at=n):
                shop.sync()
        except Broken:
            shop.sections, shop.goods, shop.fields = dict(before.sections), dict(before.goods), {}
            shop.sync()
            assert (shop.seen(), shop.seen_goods()) == window, n
            check_window(shop)
            assert shop.sync() == {}, n
            night(shop)
            shop.sync()
            assert shop.sync() == {}, n
            shop.check_sound()
            shop.give_back()
            continue
        return
    pytest.fail("the fault never stops")


@pytest.mark.parametrize("version", ["3.0-innodb", "4.1"])
def test_with_transactions_a_failure_leaves_everything_as_it_was(make_shop, version):
    shop = loaded(make_shop(version))
    night(shop)
    before = shop.image()
    for n in range(1, EVERY, 9):
        try:
            with count_writes(fail_at=n):
                shop.sync()
        except Broken:
            assert shop.image() == before, n
            continue
        assert n > 20
        shop.settle()
        return
    pytest.fail("the fault never stops")


def test_a_product_that_an_editor_makes_in_the_very_moment_is_not_taken_for_ours(make_shop):
    shop = fill(make_shop("3.0", fresh=True))
    shop.sync()
    shop.goods[400] = (1, "Новий")
    with pytest.raises(Broken), count_writes(fail_at="INSERT INTO `oc_product` "):
        shop.sync()
    claimed = shop.rows("SELECT product_id FROM oc_torgsync_product WHERE good_id = 400")[0][0]
    shop.run("INSERT INTO oc_product SET product_id = :p, model = 'editor', status = 1, price = 7", p=claimed)
    with pytest.raises(Exception, match=f"an editor made product {claimed}"):
        shop.sync()
    shop.sync()
    row = shop.rows("SELECT model, status, price FROM oc_product WHERE product_id = :p", p=claimed)
    assert row == [("editor", 1, 7)]
    assert shop.seen_goods()[400] == ("Новий", (1,))
    shop.settle()


def test_two_runs_at_once_are_refused(make_shop):
    shop = fill(make_shop("3.0"))
    with shop.engine.connect() as connection:
        connection.execute(text("SELECT GET_LOCK(CONCAT('torgsync ', LEFT(DATABASE(), 30), 'oc_'), 0)"))
        with pytest.raises(Exception, match="another run"):
            shop.sync()
        connection.execute(text("SELECT RELEASE_ALL_LOCKS()"))
    shop.sync()
