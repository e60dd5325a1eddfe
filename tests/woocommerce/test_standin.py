"""The stand-in behaves as WooCommerce 10.0.2 did, row by row of docs/woocommerce.md: it must not flatter us."""

from __future__ import annotations

import httpx
import pytest

from tests.woocommerce.standin import KEY, SECRET, UNCATEGORIZED, StandIn

TERMS = "products/categories"


class Api:
    """Plain requests, without our client."""

    def __init__(self, server: StandIn) -> None:
        self.http = httpx.Client(base_url=f"{server.url}/wp-json/wc/v3/", auth=(KEY, SECRET), trust_env=False)

    def post(self, path: str, **body):
        return self.http.post(path, json=body)

    def make(self, path: str, **body):
        answer = self.post(path, **body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def error(self, answer, status: int, code: str):
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        return answer.json()["data"]


@pytest.fixture
def api(server):
    api = Api(server)
    yield api
    api.http.close()


def test_a_cyrillic_name_without_a_slug_gets_a_percent_encoded_one(api):
    assert api.make(TERMS, name="Одяг")["slug"].startswith("%d0%be")


def test_the_same_name_under_the_same_parent_exists_and_its_id_is_told(api):
    first = api.make(TERMS, name="Сукні")
    data = api.error(api.post(TERMS, name="Сукні"), 400, "term_exists")
    assert data["resource_id"] == first["id"]


def test_the_same_name_under_another_parent_is_made(api):
    parent = api.make(TERMS, name="Одяг", slug="odiah")
    api.make(TERMS, name="Сукні", slug="sukni")
    assert api.make(TERMS, name="Сукні", parent=parent["id"])["parent"] == parent["id"]


def test_a_slug_that_is_taken_is_changed_without_a_word(api):
    parent = api.make(TERMS, name="Жіноче", slug="zhinoche")
    api.make(TERMS, name="Сукні", slug="sukni")
    assert api.make(TERMS, name="Плаття", slug="sukni")["slug"] == "sukni-2"
    assert api.make(TERMS, name="Плаття", slug="sukni", parent=parent["id"])["slug"] == "sukni-zhinoche"


def test_a_row_that_is_sent_again_exists_by_its_slug_or_is_made_a_second_time(api):
    first = api.make(TERMS, name="Сукні", slug="sukni")
    assert api.error(api.post(TERMS, name="Сукні", slug="sukni"), 400, "term_exists")["resource_id"] == first["id"]
    assert api.make(TERMS, name="Сукні", slug="other")["id"] != first["id"]


def test_term_exists_may_name_a_sibling_of_another_name(api):
    foreign = api.make(TERMS, name="Плаття", slug="sukni")
    api.make(TERMS, name="Сукні", slug="sukni")
    data = api.error(api.post(TERMS, name="Сукні", slug="sukni"), 400, "term_exists")
    assert data["resource_id"] == foreign["id"]


def test_a_parent_that_does_not_exist(api):
    api.error(api.post(TERMS, name="Сукні", parent=999), 400, "missing_parent")
    term = api.make(TERMS, name="Сукні")
    api.error(api.http.put(f"{TERMS}/{term['id']}", json={"parent": 999}), 500, "missing_parent")


def test_a_loop_is_dropped_and_answered_with_200(api):
    parent = api.make(TERMS, name="Одяг")
    child = api.make(TERMS, name="Сукні", parent=parent["id"])
    for place in (parent["id"], child["id"]):
        answer = api.http.put(f"{TERMS}/{parent['id']}", json={"parent": place})
        assert (answer.status_code, answer.json()["parent"]) == (200, 0)


def test_a_name_is_compulsory_and_not_empty(api):
    api.error(api.post(TERMS, slug="x"), 400, "rest_missing_callback_param")
    api.error(api.post(TERMS, name=" "), 400, "empty_term_name")


def test_a_name_has_200_characters_as_it_is_stored(api):
    assert len(api.make(TERMS, name="я" * 200)["slug"]) <= 200
    api.error(api.post(TERMS, name="я" * 201), 400, "db_insert_error")
    api.error(api.post(TERMS, name="&" + "я" * 197), 400, "db_insert_error")


def test_markup_is_stripped_from_names_and_an_ampersand_is_escaped(api):
    assert api.make(TERMS, name="<b>Дім</b> & сад")["name"] == "Дім &amp; сад"
    assert api.make(TERMS, name="50%ab \\ a")["name"] == "50  a"
    assert api.make("products", name="<b>Дім</b> & сад")["name"] == "Дім &amp; сад"
    assert api.make("products", name="&lt;b&gt; &#92;")["name"] == "&lt;b&gt; &#92;"


def test_an_id_cannot_be_chosen(api):
    api.error(api.post(TERMS, id=777, name="Сукні"), 404, "woocommerce_rest_term_invalid")


def test_deleting_a_category_needs_force_and_moves_its_children_up(api):
    parent = api.make(TERMS, name="Одяг")
    child = api.make(TERMS, name="Жіноче", parent=parent["id"])
    grandchild = api.make(TERMS, name="Сукні", parent=child["id"])
    good = api.make("products", name="Сукня", categories=[{"id": child["id"]}])
    api.error(api.http.delete(f"{TERMS}/{child['id']}"), 501, "woocommerce_rest_trash_not_supported")
    assert api.http.delete(f"{TERMS}/{child['id']}?force=true").status_code == 200
    assert api.http.get(f"{TERMS}/{grandchild['id']}").json()["parent"] == parent["id"]
    assert api.http.get(f"products/{good['id']}").json()["categories"] == []
    api.error(api.http.delete(f"{TERMS}/{UNCATEGORIZED}?force=true"), 500, "woocommerce_rest_cannot_delete")


@pytest.mark.parametrize("category", [{"id": 999}, {"slug": "sukni"}, {"name": "Сукні"}])
def test_a_product_with_an_unknown_category_lands_in_uncategorized(api, category):
    api.make(TERMS, name="Сукні", slug="sukni")
    found = api.make("products", name="Сукня", categories=[category])
    assert [c["id"] for c in found["categories"]] == [UNCATEGORIZED]


def test_a_sku_is_there_once_unless_it_lies_in_the_bin(api):
    first = api.make("products", name="Сукня", sku="s-1")
    data = api.error(api.post("products", name="Сукня", sku="s-1"), 400, "product_invalid_sku")
    assert data["resource_id"] == first["id"]
    api.http.delete(f"products/{first['id']}")
    assert api.make("products", name="Сукня", sku="s-1")["id"] != first["id"]


def test_a_batch_takes_a_hundred_rows_and_answers_200_with_an_error_per_row(api):
    rows = [{"name": f"Розділ {n}"} for n in range(100)] + [{"name": ""}]
    api.error(api.post(f"{TERMS}/batch", create=rows), 413, "woocommerce_rest_request_entity_too_large")
    answer = api.post(f"{TERMS}/batch", create=rows[98:], update=[{"id": 999, "name": "x"}])
    found = answer.json()
    assert answer.status_code == 200
    assert [row.get("error", {}).get("code") for row in found["create"]] == [None, None, "empty_term_name"]
    assert found["update"][0]["error"]["code"] == "woocommerce_rest_term_invalid"


def test_pages_have_a_hundred_rows_at_most_and_their_number_stands_in_a_header(api):
    api.error(api.http.get("products?per_page=101"), 400, "rest_invalid_param")
    for n in range(3):
        api.make("products", name=f"Товар {n}")
    answer = api.http.get("products?per_page=2")
    assert (answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]) == ("3", "2")


def test_the_count_of_a_category_is_of_published_products(api):
    term = api.make(TERMS, name="Сукні")
    for status in ("publish", "draft"):
        api.make("products", name="Сукня", status=status, categories=[{"id": term["id"]}])
    assert api.http.get(f"{TERMS}?include={term['id']}").json()[0]["count"] == 1


def test_products_in_the_bin_are_listed_only_when_asked_for(api):
    product = api.make("products", name="Сукня", sku="s-1")
    api.http.delete(f"products/{product['id']}")
    assert api.http.get("products?status=any").json() == []
    assert [row["id"] for row in api.http.get("products?status=trash").json()] == [product["id"]]


def test_wrong_keys_are_refused(server):
    answer = httpx.get(f"{server.url}/wp-json/wc/v3/products", auth=("ck_wrong", "cs_wrong"), trust_env=False)
    assert answer.status_code == 401
