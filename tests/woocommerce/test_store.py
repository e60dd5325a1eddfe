"""Promises of the WooCommerce store."""

from __future__ import annotations

import html

import pytest

from schemas.errors import SettingsError, StoreError
from schemas.plan import KINDS
from tests.woocommerce.standin import UNCATEGORIZED, Fault

NASTY = "ґ є і ї ’ № & < > \" ' \\ 50%ab <b>Їжак</b> &amp; A&copy"


def test_a_first_load_makes_everything_and_a_second_sends_no_write(night):
    night.small()
    assert night.sync().operations == {"category create": 4, "offer create": 8}
    night.check()
    image = night.server.image()
    night.server.forget()
    assert night.sync().operations == {}
    assert night.server.count("POST") == 0
    assert night.server.image() == image


def test_parents_are_made_before_their_children(night):
    night.categories = {9: ("Новий", None), 5: ("Під ним", 9), 7: ("Ще глибше", 5)}
    night.sync()
    assert [night.term(n)["parent"] for n in (9, 5, 7)] == [0, night.term(9)["id"], night.term(5)["id"]]


def test_a_rename_keeps_id_and_slug(night):
    night.small().sync()
    before = {key: dict(night.term(key)) for key in night.categories}, dict(night.product(1))
    night.categories[2] = ("Посуд і кухня", 1)
    night.goods[1] = (2, "Товар 1, новий")
    assert night.sync().operations == {"category rename": 1, "offer update": 1}
    night.check()
    assert (night.term(2)["id"], night.term(2)["slug"]) == (before[0][2]["id"], "posud")
    assert (night.product(1)["id"], night.product(1)["slug"]) == (before[1]["id"], before[1]["slug"])


def test_a_branch_moves_with_all_below_it(night):
    night.small().sync()
    slugs = [night.term(n)["slug"] for n in night.categories]
    night.categories = {1: ("Дім", None), 4: ("Текстиль", 1), 2: ("Посуд", 4), 3: ("Чашки", 2)}
    assert night.sync().operations == {"category move": 1}
    night.check()
    assert [night.term(n)["slug"] for n in (1, 2, 3, 4)] == slugs


def test_parent_and_child_change_places_without_a_loop(night):
    night.categories = {1: ("А", None), 2: ("Б", 1), 3: ("В", 2)}
    night.sync()
    night.categories = {3: ("В", None), 2: ("Б", 3), 1: ("А", 2)}
    assert night.sync().operations == {"category move": 3}
    night.check()


def test_what_disappears_is_hidden_and_comes_back_as_it_was(night):
    night.small().sync()
    terms, products = set(night.server.shop.terms), set(night.server.shop.products)
    kept = night.categories.pop(3), {good: row for good, row in night.goods.items() if row[0] == 3}
    night.goods = {good: row for good, row in night.goods.items() if row[0] != 3}
    assert night.sync().operations == {"category hide": 1, "offer hide": 2}
    assert {night.product(good)["status"] for good in kept[1]} == {"draft"}
    _, shown = night.look()
    assert set(shown) == set(night.goods)
    night.categories[3] = kept[0]
    night.goods |= kept[1]
    assert night.sync().operations == {"category restore": 1, "offer restore": 2}
    night.check()
    assert (set(night.server.shop.terms), set(night.server.shop.products)) == (terms, products)


def test_a_hidden_good_is_never_made_and_a_made_one_is_hidden(night):
    night.small()
    night.goods[50] = (None, "Без розділу")
    assert night.sync().operations["offer create"] == 8
    night.goods[1] = (None, "Товар 1")
    night.fields[2] = {"hidden": True}  # Display = 0, in its category
    assert night.sync().operations == {"offer hide": 2}
    night.goods[1] = (4, "Товар 1")
    night.fields.clear()
    assert night.sync().operations == {"offer restore": 2}
    night.check()


def test_hidden_goods_can_stay_published_but_out_of_the_catalogue(night):
    night.settings["hidden"] = "catalog"
    night.small().sync()
    del night.goods[1]
    night.sync()
    assert (night.product(1)["status"], night.product(1)["catalog_visibility"]) == ("publish", "hidden")
    night.goods[1] = (2, "Товар 1")
    night.sync()
    night.check()


def test_a_good_goes_into_another_category(night):
    night.small().sync()
    night.goods[1] = (4, "Товар 1")
    assert night.sync().operations == {"offer assign": 1}
    night.check()


def test_prices_discounts_and_stock_arrive_and_are_taken_back(night):
    night.small()
    night.fields[1] = {"retail_price": "99.995", "retail_price_with_discount": "80", "warehouse_quantity": "2.9"}
    night.fields[2] = {"retail_price": "0", "warehouse_quantity": "-3"}
    night.sync()
    one, two = night.product(1), night.product(2)
    assert (one["regular_price"], one["sale_price"], one["stock_quantity"]) == ("100", "80", 2)
    assert (two["regular_price"], two["stock_quantity"], two["stock_status"]) == ("", 0, "outofstock")
    night.fields[1] = {"retail_price": "100"}
    assert night.sync().operations == {"offer update": 1}
    assert (night.product(1)["sale_price"], night.product(1)["stock_quantity"]) == ("", 5)


def test_stock_as_a_status_and_stock_left_alone(night):
    night.settings["stock"] = "status"
    night.small()
    night.fields[1] = {"warehouse_quantity": "0"}
    night.sync()
    assert [night.product(n)["stock_status"] for n in (1, 2)] == ["outofstock", "instock"]
    night.settings["stock"] = "none"
    night.fields[1] = {"warehouse_quantity": "7"}
    assert night.sync().operations == {}


def test_names_pass_whole_with_every_sign_that_wordpress_trips_over(night):
    night.categories = {1: (NASTY, None), 2: (NASTY, 1)}
    night.goods = {1: (2, NASTY), 2: (2, "  два   слова\t")}
    night.sync()
    assert [html.unescape(night.term(n)["name"]) for n in (1, 2)] == [NASTY, NASTY]
    assert html.unescape(night.product(1)["name"]) == NASTY
    assert "<" not in night.product(1)["name"], "nothing of it may be markup"
    assert night.term(1)["slug"].isascii()


def test_a_name_is_cut_to_what_a_category_holds(night):
    night.categories = {1: ("я" * 300, None), 2: ("& " * 90, 1)}
    night.sync()
    assert len(night.term(1)["name"]) == 200
    assert len(night.term(2)["name"]) <= 200


def test_slugs_are_latin_unique_and_frozen(night):
    night.categories = {1: ("Щастя", None), 2: ("Сукні", 1), 3: ("Сукні", None), 4: ("№", None)}
    night.goods = {1: (2, "Згода"), 2: (2, "Згода"), 3: (2, "!!!")}
    night.sync()
    assert [night.term(n)["slug"] for n in night.categories] == ["shchastia", "sukni-2", "sukni", "no"]
    assert [night.product(n)["slug"] for n in night.goods] == ["zghoda", "zghoda-2", "product-3"]
    assert night.bindings["category", 2][1] == "sukni-2"


def test_a_slug_that_the_shop_changed_is_kept_and_told(night):
    night.small()

    def steal(method, path, body):
        if method == "POST" and path == "/products/categories/batch" and 900 not in night.server.shop.terms:
            night.server.shop.terms[900] = night.server.shop._term(900, "Чужа", "dim", 0)

    night.server.before = steal
    result = night.sync()
    assert night.term(1)["slug"] == "dim-2"
    assert night.bindings["category", 1] == (str(night.term(1)["id"]), "dim-2")
    assert any("dim became dim-2" in note for note in result.notes)


def test_terms_and_products_of_others_stay_byte_for_byte(night):
    shop = night.server.shop
    foreign = shop._create_term({"name": "Акції", "slug": "aktsii"})
    inside = shop._create_term({"name": "Літо", "slug": "lito", "parent": foreign["id"]})
    product = shop._create_product({"name": "Чужий", "sku": "own-1", "categories": [{"id": inside["id"]}]})
    night.small().sync()
    before = [dict(row) for row in (shop.terms[UNCATEGORIZED], foreign, inside, product)]
    night.categories[2] = ("Посуд і кухня", 4)
    night.categories.pop(3)
    night.categories = {1: night.categories[1], 4: night.categories[4], 2: night.categories[2]}
    night.goods = {good: row for good, row in night.goods.items() if row[0] != 3}
    night.goods[20] = (2, "Чужий")
    night.sync()
    assert [shop.terms[UNCATEGORIZED], foreign, inside, product] == before


def test_an_editors_categories_of_a_product_stay_and_ours_follow_the_base(night):
    night.small().sync()
    sale = night.server.shop._create_term({"name": "Розпродаж", "slug": "sale"})["id"]
    one = night.product(1)
    one["categories"].append({"id": sale})
    one["categories"].append({"id": night.term(3)["id"]})  # one of ours, but it was an editor who put it there
    assert night.sync().operations == {}
    night.goods[1] = (4, "Товар 1")
    assert night.sync().operations == {"offer assign": 1}
    assert {c["id"] for c in one["categories"]} == {sale, night.term(3)["id"], night.term(4)["id"]}


def test_a_good_that_an_editor_put_elsewhere_comes_back_and_stays_there_too(night):
    night.small().sync()
    ours, other = night.term(2)["id"], night.term(3)["id"]
    night.product(1)["categories"] = [{"id": other}]  # in place of the category that we put it into
    night.sync()
    assert {category["id"] for category in night.product(1)["categories"]} == {ours, other}
    night.sync()
    assert {category["id"] for category in night.product(1)["categories"]} == {ours, other}


def test_an_editors_texts_pictures_and_slugs_stay(night):
    night.small()
    night.fields[1] = {"description": "Опис <з бази>"}
    night.sync()
    assert night.product(1)["short_description"] == "Опис &lt;з бази&gt;"
    night.product(1).update(short_description="Кращий опис", images=[{"id": 5}], slug="krashchyi")
    night.term(2).update(description="Про посуд", display="both", image={"id": 6}, menu_order=3, slug="posud-2026")
    night.categories[2] = ("Посуд і кухня", 1)
    night.goods[1] = (2, "Товар 1, новий")
    night.sync()
    assert night.product(1)["short_description"] == "Кращий опис"
    assert (night.product(1)["images"], night.product(1)["slug"]) == ([{"id": 5}], "krashchyi")
    term = night.term(2)
    assert (term["description"], term["display"], term["menu_order"], term["slug"]) == (
        "Про посуд", "both", 3, "posud-2026",
    )  # fmt: skip


def test_fields_that_are_the_editors_are_sent_once(night):
    night.settings["only_on_create"] = ["category_name", "name", "price", "stock"]
    night.small().sync()
    night.term(2)["name"] = "Посуд для дому"
    night.product(1).update(name="Назва редактора", regular_price="77", stock_quantity=1)
    night.categories[2] = ("Посуд із бази", 1)
    night.goods[1] = (2, "Товар із бази")
    assert night.sync().operations == {}
    night.goods[1] = (4, "Товар із бази")
    assert night.sync().operations == {"offer assign": 1}
    assert (night.term(2)["name"], night.product(1)["name"]) == ("Посуд для дому", "Назва редактора")
    assert (night.product(1)["regular_price"], night.product(1)["stock_quantity"]) == ("77", 1)


def test_a_category_that_was_there_is_taken_over_once(night):
    there = night.server.shop._create_term({"name": "Дім", "slug": "home"})["id"]
    night.categories = {1: ("Дім", None), 2: ("Дім", None)}
    result = night.sync()
    assert night.term(1)["id"] == there
    assert night.term(1)["slug"] == "home"
    assert night.term(2)["id"] != there, "two sections never share a term"
    assert any("taken over" in note for note in result.notes)


def test_a_category_of_another_is_left_alone_where_nothing_shall_be_taken_over(night):
    night.settings["adopt"] = False
    there = night.server.shop._create_term({"name": "Дім", "slug": "dim"})
    before = dict(there)
    night.categories = {1: ("Дім", None)}
    night.sync()
    assert night.term(1)["slug"] == "dim-1"
    assert there == before


def test_ours_may_stand_below_a_category_of_the_shop(night):
    root = night.server.shop._create_term({"name": "Каталог", "slug": "catalog"})["id"]
    night.settings["root_category"] = root
    night.small().sync()
    assert night.term(1)["parent"] == root
    night.term(2)["parent"] = UNCATEGORIZED  # an editor put it under a category of the shop
    assert night.sync().operations == {"category move": 1}


def test_what_was_deleted_in_the_shop_is_made_anew_and_a_product_comes_out_of_the_bin(night):
    night.small().sync()
    shop, old = night.server.shop, night.product(1)["id"]
    shop._delete(True, night.term(3)["id"], force=True)
    night.product(1)["status"] = "trash"
    gone = night.product(2)["id"]
    del shop.products[gone]
    result = night.sync()
    night.check()
    assert night.product(1)["id"] == old
    assert night.product(2)["id"] != gone
    assert any("deleted in the store" in note for note in result.notes)
    assert any("bin" in note for note in result.notes)


def test_a_lost_state_finds_everything_again(night):
    night.small().sync()
    image = night.server.image()
    night.bindings.clear()
    assert {(op.entity, op.kind) for op in night.plan().operations} == {("category", "create"), ("offer", "assign")}
    night.sync()
    night.check()
    after = night.server.image()
    assert [set(rows) for rows in after] == [set(rows) for rows in image]


def test_a_tree_that_the_shop_changes_without_a_word_is_an_error_that_names_it(night):
    night.small().sync()
    night.categories = {1: ("Дім", None), 4: ("Текстиль", 1), 2: ("Посуд", 4), 3: ("Чашки", 2)}
    real = night.server.shop._update_term
    night.server.shop._update_term = lambda term, body: real(term, {**body, "parent": 0})
    plan = night.plan()
    with pytest.raises(StoreError, match="without error") as told:
        night.apply(plan)
    assert "move category 2 «Посуд»" in str(told.value)
    assert "1 of 1 operations failed" in told.value.message
    night.server.shop._update_term = real
    night.sync()
    night.check()


def test_a_product_that_lands_in_uncategorized_without_a_word_is_an_error_that_names_it(night):
    night.small().sync()
    night.goods[1] = (4, "Товар 1")
    plan, real = night.plan(), night.server.shop._update_product
    night.server.shop._update_product = lambda row, body: real(row, {**body, "categories": [{"id": 999}]})
    with pytest.raises(StoreError, match=rf"assign offer 1 «Товар 1»: .*categories \[{UNCATEGORIZED}\] instead"):
        night.apply(plan)
    night.server.shop._update_product = real
    night.sync()
    assert night.term(4)["id"] in [c["id"] for c in night.product(1)["categories"]]


def test_one_refused_row_leaves_the_others_done_and_its_children_wait(night):
    night.small()
    real = night.server.shop._create_term

    def refuse(body):
        from tests.woocommerce.standin import Refusal

        if body["name"] == "Посуд":
            raise Refusal(400, "plugin_says_no", "Not this one.")
        return real(body)

    night.server.shop._create_term = refuse
    with pytest.raises(StoreError, match="plugin_says_no: Not this one") as told:
        night.apply(night.plan())
    assert "6 of 12 operations failed" in told.value.message  # the category, its child, and four goods in them
    assert night.look()[0] == {1: ("Дім", None), 4: ("Текстиль", 1)}
    night.server.shop._create_term = real
    night.sync()
    night.check()


def test_a_shop_that_does_not_manage_stock_says_what_to_set(night):
    night.server.shop.stock = False
    night.small()
    with pytest.raises(StoreError, match='set stock = "status"'):
        night.apply(night.plan())
    night.settings["stock"] = "status"
    night.sync()
    night.check()


def test_a_run_notes_once_before_its_first_request_that_it_writes_and_counts_what_it_read_back(night):
    night.small()
    plan = night.plan()
    begun: list[bool] = []
    night.begun = lambda: begun.append(True)
    seen: list[tuple[str, int, int]] = []
    night.server.before = lambda method, path, body: seen.append(
        (method, len(begun), night.told[-1][0] if night.told else 0)
    )
    night.apply(plan)
    writes = [(noted, done) for method, noted, done in seen if method == "POST"]
    assert writes == [(1, 0), (1, 1), (1, 3), (1, 4)]  # three levels of the tree, then the goods
    assert night.told[-1] == (12, 12)
    night.apply(plan)  # it finds nothing to do any more
    assert begun == [True]


def test_old_addresses_of_folded_categories_become_a_file_for_a_plugin(night):
    night.small().sync()
    night.redirects = {"a": (3, ["Дім", "Посуд", "Чашки"], 2), "b": (2, ["Дім", "Старе"], 2), "c": (99, ["Ні"], 2)}
    night.categories.pop(3)
    night.goods = {good: (2 if category == 3 else category, name) for good, (category, name) in night.goods.items()}
    result = night.sync()
    text = (night.folder / "redirects-woo.csv").read_text(encoding="utf-8")
    assert text == "/product-category/dim/posud/chashky/,/product-category/dim/posud/,0,301\n"
    assert any("redirects-woo.csv" in note for note in result.notes)


def test_the_address_of_a_category_whose_number_means_another_section_is_not_redirected_as_it_still_lives(night):
    night.small().sync()
    night.redirects = {"a": (3, ["Дім", "Посуд", "Чашки"], 2)}
    moved = {good: (2 if category == 3 else category, name) for good, (category, name) in night.goods.items()}
    living, night.goods = night.categories.pop(3), moved
    night.sync()
    assert "chashky" in (night.folder / "redirects-woo.csv").read_text(encoding="utf-8")
    night.categories[3] = ("Свічки", living[1])
    night.goods[900] = (3, "Свічка")
    result = night.sync()
    assert not (night.folder / "redirects-woo.csv").exists()
    assert any("redirects-woo.csv is removed" in note for note in result.notes)


def test_a_hidden_category_with_goods_of_others_is_told(night):
    night.small().sync()
    night.server.shop._create_product({"name": "Чужий", "categories": [{"id": night.term(3)["id"]}]})
    night.categories.pop(3)
    night.goods = {good: row for good, row in night.goods.items() if row[0] != 3}
    assert any("themes show it" in note for note in night.sync().notes)


def test_what_the_store_cannot_do_is_declared(night):
    capabilities = night.target.capabilities
    assert set(capabilities.gaps) == {"redirect", "retire"}
    assert set(capabilities.gaps) <= set(KINDS)


def test_reading_and_planning_never_write(night):
    night.small()
    night.plan()
    assert night.server.count("POST") == 0
    assert night.bindings == {}


def test_a_missing_key_names_its_variable(night, monkeypatch):
    monkeypatch.delenv("WOO_SECRET")
    with pytest.raises(SettingsError, match="WOO_SECRET is not set"):
        night.plan()


def test_no_key_reaches_a_message(night, monkeypatch, caplog):
    from tests.woocommerce.standin import KEY, SECRET

    caplog.set_level("DEBUG")
    night.small()
    night.settings["tries"] = 1
    echo = f'{{"code":"x","message":"no rights for {KEY}:{SECRET}"}}'
    told = []
    for fault in (Fault(401, text=echo), Fault(500, text=echo), Fault(200, text=f"<p>{SECRET}</p>"), Fault(cut=True)):
        night.server.forget()
        night.server.faults[1] = fault
        with pytest.raises(StoreError) as error:
            night.plan()
        told.append(f"{error.value} {error.value!r} {error.value.__cause__!r}")
    text = " ".join([*told, caplog.text, repr(night.target), str(vars(night.target))])
    assert KEY not in text
    assert SECRET not in text
    assert "no rights for" in text
