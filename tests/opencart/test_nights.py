"""What a night does to a shop of every version: exactly the plan, once, and nothing that is not ours."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from schemas.errors import StoreError
from stores.opencart.adapter import OpenCartAdapter
from stores.opencart.text import unescape
from tests.opencart.conftest import count_writes, fill

NASTY = "ґ є і ї ’ № & <b> \"лапки\" 'Їжак' &amp; 100%"
STORED = "ґ є і ї ’ № &amp; &lt;b&gt; &quot;лапки&quot; 'Їжак' &amp;amp; 100%"


def test_a_first_night_creates_everything_and_a_second_writes_nothing(shop):
    assert shop.sync() == {"category create": 4, "offer create": 12}
    assert shop.seen() == {1: ("Дім", 0), 2: ("Посуд", 1), 3: ("Чашки", 2), 4: ("Текстиль", 1)}
    assert shop.seen_goods() == {100 + n: (f"Товар {n}", (n % 4 + 1,)) for n in range(12)}
    shop.settle()


def test_every_enabled_language_has_a_name_and_a_disabled_one_has_none(shop):
    shop.sync()
    for table, key in (("category", "category_id"), ("product", "product_id")):
        languages = shop.rows(f"SELECT DISTINCT language_id FROM oc_{table}_description ORDER BY 1")
        missing = shop.rows(f"SELECT {key} FROM oc_{table}_description GROUP BY {key} HAVING COUNT(*) <> 2")
        assert (languages, missing) == ([(1,), (2,)], [])


def test_slugs_are_ukrainian_and_stand_as_the_version_wants_them(shop):
    shop.sync()
    if shop.version.startswith("4"):
        rows = shop.rows("SELECT value, keyword FROM oc_seo_url WHERE `key` = 'path' AND language_id = 2 ORDER BY 1")
        assert rows == [("1", "dim"), ("1_2", "dim/posud"), ("1_2_3", "dim/posud/chashky"), ("1_4", "dim/tekstyl")]
    else:
        rows = shop.rows("SELECT query, keyword FROM oc_seo_url WHERE language_id = 2 ORDER BY 1")
        assert rows == [(f"category_id={n + 1}", slug) for n, slug in enumerate(["dim", "posud", "chashky", "tekstyl"])]


def test_a_rename_changes_the_name_and_keeps_id_and_slug(shop):
    shop.sync()
    slugs = shop.image()["oc_seo_url"]
    shop.sections[2] = (1, "Кухонний посуд")
    assert shop.sync() == {"category rename": 1}
    assert shop.seen()[2] == ("Кухонний посуд", 1)
    assert shop.image()["oc_seo_url"] == slugs
    shop.settle()


def test_a_moved_branch_takes_its_closure_and_its_address_with_it(shop):
    shop.sync()
    shop.sections[2] = (4, "Посуд")
    moved = shop.sync()
    assert moved["category move"] == 1
    assert shop.rows("SELECT path_id, level FROM oc_category_path WHERE category_id = 3 ORDER BY 2") == [
        (1, 0), (4, 1), (2, 2), (3, 3),
    ]  # fmt: skip
    if shop.version.startswith("4"):
        rows = shop.rows("SELECT keyword FROM oc_seo_url WHERE value = '1_4_2_3'")
        assert rows == [("dim/tekstyl/posud/chashky",)] * 2
    shop.settle()


def test_parent_and_child_can_change_places(shop):
    shop.sync()
    shop.sections[3], shop.sections[2] = (1, "Чашки"), (3, "Посуд")
    shop.sync()
    assert {n: parent for n, (_, parent) in shop.seen().items()} == {1: 0, 2: 3, 3: 1, 4: 1}
    shop.settle()


def test_a_child_becomes_a_root_and_stands_in_the_menu(shop):
    shop.sync()
    shop.sections[2] = (None, "Посуд")
    shop.sync()
    if shop.version != "4.1":
        assert shop.rows("SELECT top FROM oc_category WHERE category_id = 2") == [(1,)]
    shop.settle()


def test_what_is_absent_is_hidden_and_comes_back_with_id_slug_and_pictures(shop):
    shop.sync()
    shop.run("UPDATE oc_category SET image = 'catalog/cups.jpg' WHERE category_id = 3")
    before = shop.image()
    kept, goods = shop.sections.pop(3), {g: shop.goods.pop(g) for g, (c, _) in list(shop.goods.items()) if c == 3}
    assert shop.sync() == {"category hide": 1, "offer hide": 3}
    assert set(shop.seen()) == {1, 2, 4}
    assert not set(goods) & set(shop.seen_goods())
    shop.settle()
    shop.sections[3], shop.goods = kept, {**shop.goods, **goods}
    assert shop.sync() == {"category restore": 1, "offer restore": 3}
    assert shop.image() == before
    shop.settle()


def test_a_branch_is_hidden_from_the_leaves_up(shop):
    shop.sync()
    del shop.sections[2], shop.sections[3]
    shop.goods = {g: row for g, row in shop.goods.items() if row[0] in (1, 4)}
    assert shop.sync()["category hide"] == 2
    assert set(shop.seen()) == {1, 4}
    shop.settle()


def test_a_good_changes_category_and_is_taken_out_of_all(shop):
    shop.sync()
    shop.goods[100] = (4, "Товар 0")
    assert shop.sync() == {"offer assign": 1}
    assert shop.seen_goods()[100] == ("Товар 0", (4,))
    shop.settle()
    shop.goods[100] = (None, "Товар 0")
    assert shop.sync() == {"offer hide": 1}
    assert 100 not in shop.seen_goods()
    shop.settle()
    shop.goods[100] = (2, "Товар 0")
    shop.sync()
    assert shop.seen_goods()[100] == ("Товар 0", (2,))
    shop.settle()


def test_names_are_stored_escaped_and_are_the_same_the_next_night(shop):
    shop.sections[2] = (1, NASTY)
    shop.goods[100] = (2, NASTY)
    shop.sync()
    assert shop.seen()[2] == (STORED, 1)
    assert shop.seen_goods()[100] == (STORED, (2,))
    shop.settle()


def test_names_that_are_too_long_or_have_signs_that_the_columns_cannot_hold_are_cut_once(shop):
    shop.sections[2] = (1, "&" * 60 + "☂")
    shop.goods[100] = (2, "Парасоля 😀 " + "довга " * 70)
    shop.sync()
    assert shop.seen()[2][0] == "&amp;" * 51
    name = shop.seen_goods()[100][0]
    assert len(name) <= 255
    assert ("😀" in name) == (shop.version not in ("3.0", "ocstore"))
    shop.settle()


def test_price_stock_and_codes_follow_torgsoft(shop):
    shop.fields[100] = {"articul": "АРТ <1>", "barcode": "4820000000017", "retail_price": "19.99999"}
    shop.fields[101] = {"warehouse_quantity": "-2.5", "barcode": "x" * 300}
    shop.fields[102] = {"retail_price": None}
    shop.sync()
    sql = (
        "SELECT p.model, p.price, p.quantity, product_id FROM oc_product p JOIN oc_torgsync_product USING (product_id)"
    )
    model, price, quantity, product = shop.rows(f"{sql} WHERE good_id = 100")[0]
    assert (model, str(price), quantity) == ("АРТ &lt;1&gt;", "20.0000", 3)
    if shop.version == "4.1":
        codes = shop.rows("SELECT code, value FROM oc_product_code WHERE product_id = :p ORDER BY 1", p=product)
        assert codes == [("EAN", "4820000000017"), ("SKU", "АРТ &lt;1&gt;")]
    else:
        codes = shop.rows("SELECT sku, ean FROM oc_product WHERE product_id = :p", p=product)
        assert codes == [("АРТ &lt;1&gt;", "4820000000017")]
    assert shop.rows(f"{sql} WHERE good_id = 101")[0][2] == 0
    assert 102 not in shop.seen_goods(), "a good without a price would be sold for nothing"
    shop.settle()
    shop.fields = {100: {"retail_price": "5"}, 102: {"retail_price": "7"}}
    assert shop.sync() == {"offer update": 2, "offer restore": 1}
    assert shop.rows(f"{sql} WHERE good_id = 100")[0][:2] == ("100", 5)
    shop.settle()


def test_ocstore_has_exactly_one_main_category_for_each_good(make_shop):
    shop = fill(make_shop("ocstore"))
    shop.sync()
    product = shop.rows("SELECT product_id FROM oc_torgsync_product WHERE good_id = 100")[0][0]
    shop.run("INSERT INTO oc_product_to_category VALUES (:p, 3, 0)", p=product)
    shop.goods[100] = (4, "Товар 0")
    shop.sync()
    links = "SELECT category_id, main_category FROM oc_product_to_category WHERE product_id = :p ORDER BY 1"
    assert shop.rows(links, p=product) == [(3, 0), (4, 1)]
    shop.settle()
    shop.run("UPDATE oc_product_to_category SET main_category = category_id = 3 WHERE product_id = :p", p=product)
    shop.settle()  # an editor chose the main one: it stays
    shop.goods[100] = (2, "Товар 0")
    shop.sync()
    assert shop.rows(links, p=product) == [(2, 0), (3, 1)]
    shop.settle()


def plant(shop) -> None:
    """An editor's categories, one of them below ours, goods, links, slugs and an alias of ours."""
    new = shop.version.startswith("4")
    more = "" if shop.version == "4.1" else ", top = 1, `column` = 1, date_added = NOW(), date_modified = NOW()"
    for number, parent in ((900, 0), (901, 900), (902, 2)):
        image = ", image = 'catalog/own.jpg'"
        shop.run(f"INSERT INTO oc_category SET category_id = {number}, parent_id = {parent}, status = 1{image}{more}")
        chain = {900: [900], 901: [900, 901], 902: [1, 2, 902]}[number]
        for level, ancestor in enumerate(chain):
            shop.run(f"INSERT INTO oc_category_path VALUES ({number}, {ancestor}, {level})")
        shop.run(f"INSERT INTO oc_category_to_store VALUES ({number}, 0)")
        shop.run(f"INSERT INTO oc_category_to_layout VALUES ({number}, 0, 3)")
        for language in (1, 2):
            shop.run(f"INSERT INTO oc_category_description SET category_id = {number}, language_id = {language},"
                     f" name = 'Своя <{number}>', description = 'опис', meta_title = 'm'")  # fmt: skip
            if new:
                value = "_".join(map(str, chain))
                slug = {900: "svoi", 901: "svoi/znyzhky", 902: "dim/posud/svoi-2"}[number]
                shop.run(f"INSERT INTO oc_seo_url SET store_id = 0, language_id = {language}, `key` = 'path',"
                         f" value = '{value}', keyword = '{slug}'")  # fmt: skip
            else:
                slug = {900: "svoi", 901: "svoi-901", 902: "svoi-902"}[number]
                shop.run(f"INSERT INTO oc_seo_url SET store_id = 0, language_id = {language},"
                         f" query = 'category_id={number}', keyword = '{slug}'")  # fmt: skip
    for product in (5, 60_000):
        shop.run(f"INSERT INTO oc_product SET product_id = {product}, model = 'свій', price = 5, status = 1")
        shop.run(f"INSERT INTO oc_product_description SET product_id = {product}, language_id = 2, name = 'Свій & raw'")
        shop.run(f"INSERT INTO oc_product_to_store VALUES ({product}, 0)")
        shop.run(f"INSERT INTO oc_product_to_category SET product_id = {product}, category_id = 900")


def others(shop) -> dict[str, list]:
    """Every row that plant() put there."""
    numbers, products = "(900, 901, 902)", "(5, 60000)"
    where = {
        **{
            f"category{t}": f"category_id IN {numbers}"
            for t in ("", "_description", "_path", "_to_store", "_to_layout")
        },
        **{f"product{t}": f"product_id IN {products}" for t in ("", "_description", "_to_store", "_to_category")},
        "seo_url": "keyword IN ('svoi', 'svoi/znyzhky', 'dim/posud/svoi-2', 'svoi-901', 'svoi-902')",
    }
    return {table: shop.rows(f"SELECT * FROM oc_{table} WHERE {w} ORDER BY 1, 2") for table, w in where.items()}


def test_rows_of_an_editor_stay_as_they_are_byte_for_byte(shop):
    plant(shop)
    before = others(shop)
    assert all(before.values())
    shop.sections[7] = (None, "Свої")  # its slug is taken
    shop.sync()
    assert others(shop) == before
    assert shop.rows("SELECT COUNT(*) FROM oc_seo_url WHERE keyword = 'svoi-7'") == [(2,)]
    product = shop.rows("SELECT product_id FROM oc_torgsync_product WHERE good_id = 100")[0][0]
    shop.run("INSERT INTO oc_product_to_category SET product_id = :p, category_id = 900", p=product)
    shop.sections[2] = (4, "Посуд і кухня")
    shop.goods[100] = (3, "Товар 0")
    del shop.goods[101]
    shop.sync()
    assert shop.seen_goods()[100][1] == (3, 900), "an editor's further link stays"
    del shop.sections[3]
    shop.goods = {g: row for g, row in shop.goods.items() if row[0] != 3}
    shop.sync()
    assert shop.sync() == {}
    assert others(shop) == before


def test_ids_of_products_are_never_those_of_products_that_were_deleted(make_shop):
    shop = fill(make_shop("3.0", fresh=True))
    shop.run("INSERT INTO oc_product SET product_id = 500, model = 'x'")
    shop.run("DELETE FROM oc_product")
    shop.run("INSERT INTO oc_order_product SET order_id = 1, product_id = 700")
    shop.sync()
    assert shop.rows("SELECT MIN(product_id) FROM oc_product") == [(701,)]


def test_what_an_editor_wrote_into_our_rows_survives(shop):
    shop.sync()
    shop.run("UPDATE oc_category SET image = 'catalog/home.jpg', sort_order = 9 WHERE category_id = 2")
    shop.run("UPDATE oc_category_description SET description = 'текст', meta_title = 'M', meta_keyword = 'k',"
             " meta_description = 'd' WHERE category_id = 2")  # fmt: skip
    shop.run("UPDATE oc_seo_url SET keyword = REPLACE(keyword, 'posud', 'kitchen')")
    shop.run("UPDATE oc_product_description SET description = 'опис', tag = 't'")
    shop.settle()
    before = shop.image()
    shop.sections[2] = (1, "Кухня")
    shop.goods[101] = (2, "Інша назва")
    shop.sync()
    shop.sections[2], shop.goods[101] = (1, "Посуд"), (2, "Товар 1")
    shop.sync()
    assert shop.image() == before
    shop.sections[2] = (4, "Посуд")
    shop.sync()
    keyword = shop.rows("SELECT keyword FROM oc_seo_url WHERE keyword LIKE '%kitchen'")[0][0]
    assert keyword == ("dim/tekstyl/kitchen" if shop.version.startswith("4") else "kitchen")
    shop.settle()


def test_a_name_follows_torgsoft_unless_the_shop_says_otherwise(make_shop):
    for settings, wanted in (({}, "Посуд"), ({"only_on_create": ["category_name", "name"]}, "Наш посуд")):
        shop = fill(make_shop("3.0-innodb", **settings))
        shop.sync()
        shop.run("UPDATE oc_category_description SET name = 'Наш посуд' WHERE category_id = 2")
        shop.sync()
        assert shop.seen()[2][0] == wanted
        shop.settle()


def test_a_translation_survives_until_the_shop_lists_its_language(make_shop):
    shop = fill(make_shop("4.1"))
    shop.sync()
    shop.run("UPDATE oc_category_description SET name = 'Dishes' WHERE category_id = 2 AND language_id = 1")
    shop.sections[2], shop.sections[4] = (1, "Тарілки"), (1, "Рушники")
    shop.sync()
    english = (
        "SELECT name FROM oc_category_description WHERE language_id = 1 AND category_id IN (2, 4) ORDER BY category_id"
    )
    assert shop.rows(english) == [("Dishes",), ("Рушники",)], "what nobody translated follows"
    shop.settle()
    shop.settings["languages"] = ["uk-ua", "en-gb"]
    assert shop.sync() == {"category update": 1}
    assert shop.rows(english) == [("Тарілки",), ("Рушники",)]
    shop.settle()


def test_a_new_category_waits_for_an_editor_where_the_shop_wants_it(make_shop):
    shop = fill(make_shop("ocstore", new_categories="hidden"))
    shop.sync()
    assert shop.seen() == {}
    shop.settle()
    shop.run("UPDATE oc_category SET status = 1 WHERE category_id IN (1, 2, 3)")
    shop.settle()
    kept = shop.sections.pop(3)
    shop.goods = {g: row for g, row in shop.goods.items() if row[0] != 3}
    assert shop.sync()["category hide"] == 1
    assert set(shop.seen()) == {1, 2}
    shop.sections[3] = kept
    assert shop.sync() == {"category restore": 1}
    assert set(shop.seen()) == {1, 2, 3}, "as the editor had it"
    shop.settle()


def test_fields_that_are_the_editors_are_written_once(make_shop):
    shop = fill(
        make_shop("3.0", only_on_create=["price", "quantity", "articul", "barcode", "status", "category_status"])
    )
    shop.fields[100] = {"articul": "A", "barcode": "1"}
    shop.sync()
    where = "WHERE product_id = (SELECT product_id FROM oc_torgsync_product WHERE good_id = 100)"
    shop.run(f"UPDATE oc_product SET price = 1, quantity = 1, sku = 'E', ean = '2', model = 'M', status = 0 {where}")
    shop.run("UPDATE oc_category SET status = 0 WHERE category_id = 3")
    shop.settle()
    shop.fields[100] = {"articul": "B", "barcode": "3", "retail_price": "99", "warehouse_quantity": "9"}
    assert shop.sync() == {"offer update": 1}
    row = shop.rows(f"SELECT price, quantity, sku, ean, model, status FROM oc_product {where}")
    assert row == [(1, 1, "E", "2", "M", 0)]
    shop.settle()


def test_a_category_of_the_same_number_that_is_not_ours_stops_before_the_first_write(shop):
    plant(shop)
    shop.sections[900] = (None, "Дача")
    before = shop.image()
    with count_writes() as writes, pytest.raises(StoreError) as stopped:
        shop.sync()
    assert "900 «Своя <900>» (Torgsoft's is «Дача»)" in stopped.value.message
    assert "adopt = true" in stopped.value.next_step
    assert writes == []
    assert shop.image() == before
    shop.settings["adopt"] = True
    with pytest.raises(StoreError, match="900"):
        shop.sync()


def test_a_category_of_the_same_number_and_name_is_taken_over_with_its_texts_and_slug(shop):
    plant(shop)
    shop.settings["adopt"] = True
    shop.sections[900], shop.sections[5] = (1, "Своя <900>"), (900, "Нова")
    shop.sync()
    assert shop.seen()[900] == ("Своя &lt;900&gt;", 1)
    assert shop.rows("SELECT image FROM oc_category WHERE category_id = 900") == [("catalog/own.jpg",)]
    slug = shop.rows(
        "SELECT keyword FROM oc_seo_url WHERE keyword LIKE '%svoi%' AND language_id = 2 ORDER BY seo_url_id"
    )
    assert slug[0][0] == ("dim/svoi" if shop.version.startswith("4") else "svoi")
    assert shop.sync() == {}


def test_a_row_that_an_editor_deleted_is_made_anew_under_its_id(shop):
    shop.sync()
    before = shop.image()
    for table in ("category", "category_description", "category_path", "category_to_store", "category_to_layout"):
        shop.run(f"DELETE FROM oc_{table} WHERE category_id = 4")
    shop.run("DELETE FROM oc_seo_url WHERE keyword LIKE '%tekstyl'")
    shop.run("DELETE FROM oc_product WHERE model = '103'")
    assert shop.sync() == {"category create": 1, "offer create": 1}
    assert shop.image() == before
    shop.settle()


DAMAGE = (
    "DELETE FROM oc_category_path WHERE category_id = 3",
    "DELETE FROM oc_category_path WHERE category_id = 3 AND path_id = 1",
    "INSERT INTO oc_category_path VALUES (3, 4, 5)",
    "DELETE FROM oc_category_description WHERE category_id = 3 AND language_id = 1",
    "UPDATE oc_category_description SET name = '<script>' WHERE language_id = 2",
    "DELETE FROM oc_category_to_store WHERE category_id = 3",
    "UPDATE oc_category SET parent_id = 4 WHERE category_id = 3",
    "UPDATE oc_category SET status = 0 WHERE category_id = 3",
    "DELETE FROM oc_seo_url WHERE keyword LIKE '%chashky'",
    "UPDATE oc_seo_url SET keyword = '' WHERE keyword LIKE '%chashky' AND language_id = 2",
    "DELETE FROM oc_product_to_category",
    "DELETE FROM oc_product_to_store",
    "DELETE FROM oc_product_description WHERE language_id = 1",
    "UPDATE oc_product SET model = 'x'",
)


@pytest.mark.parametrize("version", ["ocstore", "4.1"])
def test_damage_is_seen_by_the_next_plan_and_mended(make_shop, version):
    shop = fill(make_shop(version))
    shop.sync()
    before = shop.image()
    for damage in DAMAGE:
        shop.run(damage)
        assert shop.sync() != {}, damage
        assert shop.image() == before, damage
    shop.settle()


def test_what_saving_a_parent_in_4_1_did_to_its_children_is_mended(make_shop):
    shop = fill(make_shop("4.1"))
    shop.sync()
    before = shop.image()
    shop.run("UPDATE oc_seo_url SET keyword = 'posud/chashky', value = '2_3' WHERE value = '1_2_3'")
    assert shop.sync() == {"category update": 1}
    assert shop.image() == before


def test_two_stores_and_another_prefix(make_shop):
    shop = make_shop("4.0", prefix="", store_ids=[0, 1])
    fill(shop)
    shop.run("INSERT INTO store (store_id, name, url) VALUES (1, 'b', 'https://b.example')")
    shop.sync()
    assert shop.rows("SELECT store_id, COUNT(*) FROM category_to_store GROUP BY 1") == [(0, 4), (1, 4)]
    assert shop.rows("SELECT store_id, COUNT(*) FROM seo_url GROUP BY 1") == [(0, 8), (1, 8)]
    assert shop.rows("SELECT store_id, COUNT(*) FROM product_to_store GROUP BY 1") == [(0, 12), (1, 12)]
    shop.settle()


@pytest.mark.parametrize(
    ("settings", "message", "next_step"),
    [
        ({"prefix": "xx_"}, "no table xx_category", 'prefix = "oc_"'),
        ({"languages": ["uk_ua"]}, 'no enabled language "uk_ua"', "uk-ua"),
        ({"store_ids": [0, 4]}, "no store 4", "known: 0"),
        ({"url": "mysql+pymysql://nobody:secret@127.0.0.1:1/none"}, "Can't connect", "run again"),
    ],
)
def test_a_wrong_setting_is_told_with_what_to_do(make_shop, settings, message, next_step):
    shop = fill(make_shop("3.0"))
    shop.settings.update(settings)
    with pytest.raises(StoreError) as stopped:
        shop.sync()
    assert message in stopped.value.message
    assert next_step in stopped.value.next_step
    assert "secret" not in str(stopped.value)


def test_a_database_of_something_else_is_refused(mariadb_url):
    from stores.opencart.check import check
    from tests.opencart.conftest import OpenCartStore

    with pytest.raises(StoreError, match="not the tables of OpenCart"):
        check(OpenCartStore(name="site", kind="opencart", url=mariadb_url))


def test_an_emoji_and_a_long_description_cost_no_night(shop):
    """Up to 3.0 the shop's own column is TEXT in utf8mb3: what it cannot hold is left out."""
    shop.fields[100] = {"description": 'Їжак <b> & "№"\n🙂 ' * 4_000}
    shop.fields[101] = {"description": "коротко 🙂"}
    shop.sync()
    texts = dict(
        shop.rows("SELECT r.good_id, d.description FROM oc_torgsync_product r JOIN oc_product_description d"
                  " ON d.product_id = r.product_id AND d.language_id = 2 WHERE r.good_id < 102")
    )  # fmt: skip
    plain = unescape(unescape(texts[100]).replace("<br />", "\n"))
    assert len(plain) > 10_000
    assert ('Їжак <b> & "№"\n🙂 ' * 4_000).replace("🙂", "" if "🙂" not in plain else "🙂").startswith(plain)
    assert len(texts[100].encode()) <= 65_535
    assert texts[101].strip() in ("коротко", "коротко 🙂")
    assert shop.sync() == {}


def test_our_own_tables_of_an_older_torgsync_are_changed(shop):
    shop.sync()
    shop.run("ALTER TABLE oc_torgsync_product MODIFY description TEXT NULL, ENGINE=MyISAM")
    shop.run("ALTER TABLE oc_torgsync_category CONVERT TO CHARACTER SET utf8mb3")
    shop.goods[100] = (shop.goods[100][0], "Інший")
    shop.sync()
    found = shop.rows(
        "SELECT DISTINCT engine, table_collation FROM information_schema.tables WHERE table_schema = DATABASE()"
        " AND table_name LIKE 'oc_torgsync%'"
    )
    assert found == [("InnoDB", "utf8mb4_bin")]
    assert shop.rows(
        "SELECT data_type FROM information_schema.columns WHERE table_schema = DATABASE()"
        " AND table_name = 'oc_torgsync_product' AND column_name = 'description'"
    ) == [("mediumtext",)]
    assert shop.sync() == {}


def test_a_second_shop_on_the_same_opencart_is_refused_and_changes_nothing(shop):
    shop.sync()
    before = shop.image()
    other = OpenCartAdapter(shop.store, shop.folder, shop="other")
    catalogue, contents, _ = shop.wanted()
    for work in (other.read, lambda: other.apply(other.want(catalogue, contents), lambda _: (), lambda: None)):
        with pytest.raises(StoreError, match="it holds rows of shop test, not of other") as caught:
            work()
        assert caught.value.next_step.startswith("give each shop an OpenCart of its own")
    assert shop.image() == before


def test_an_opencart_that_an_older_torgsync_has_filled_belongs_to_the_shop_that_writes_next(shop):
    shop.sync()
    with shop.engine.begin() as connection:
        connection.execute(text("DROP TABLE oc_torgsync_shop"))
    shop.settle()
    shop.sections[2] = (1, "Кухонний посуд")
    assert shop.sync() == {"category rename": 1}
    assert shop.rows("SELECT name FROM oc_torgsync_shop") == [("test",)]
