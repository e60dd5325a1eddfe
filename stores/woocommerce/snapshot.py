"""Reads a shop at one moment: all its categories, and our products."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.contents import Contents, Key, Rows
from schemas.settings.woocommerce import WooCommerceStore
from stores.woocommerce.bindings import Bindings
from stores.woocommerce.client import Client, Item
from stores.woocommerce.text import unescaped

CATEGORIES, PRODUCTS = "products/categories", "products"
TERM_FIELDS = "id,name,slug,parent,count"
PRODUCT_FIELDS = (
    "id,name,slug,sku,status,catalog_visibility,regular_price,sale_price,manage_stock,stock_quantity,stock_status,"
    "categories"
)
CATEGORY_COLUMNS = ("name", "parent_number", "hidden")


@dataclass(frozen=True)
class Term:
    """One product category of the shop, ours or not; ``parent`` is 0 for none."""

    id: int
    name: str
    slug: str
    parent: int
    count: int


@dataclass(frozen=True)
class Product:
    """One product of ours."""

    id: int
    sku: str
    name: str
    slug: str
    hidden: bool
    categories: tuple[int, ...]
    regular_price: Decimal | None
    sale_price: Decimal | None
    stock: int | bool | None


@dataclass
class Snapshot:
    """Terms by id, our products by good, and every product's slug."""

    terms: dict[int, Term] = field(default_factory=dict)
    products: dict[int, Product] = field(default_factory=dict)
    slugs: set[str] = field(default_factory=set)


def offer_columns(settings: WooCommerceStore) -> tuple[str, ...]:
    """Return the columns of an offer that a shop with these settings holds."""
    stock = () if settings.stock == "none" else ("stock",)
    return ("name", "category_number", "regular_price", "sale_price", *stock, "hidden")


def read_terms(client: Client, **only: Any) -> dict[int, Term]:
    """Read all categories, or some."""
    rows = client.pages(CATEGORIES, _fields=TERM_FIELDS, **only)
    return {int(row["id"]): term_of(row) for row in rows}


def read_products(client: Client, **only: Any) -> Iterable[Item]:
    """Read all products, or some; the context ``edit`` returns database values without the filters of plugins."""
    return client.pages(PRODUCTS, **{"_fields": PRODUCT_FIELDS, "context": "edit", "status": "any", **only})


def read_snapshot(client: Client, settings: WooCommerceStore, bindings: Bindings) -> Snapshot:
    """Read terms and our products. A product is ours by its id, or by its SKU where we lost the id."""
    snapshot = Snapshot(read_terms(client))
    bound = bindings.products()
    by_sku: dict[int, Product] = {}
    for row in read_products(client):
        product = product_of(row, settings)
        snapshot.slugs.add(product.slug)
        good = good_of_sku(product.sku, settings)
        if product.id in bound:
            snapshot.products[bound[product.id]] = product
        elif good is not None:
            by_sku[good] = product
    snapshot.products = {**by_sku, **snapshot.products}
    return snapshot


def sku_of_good(good: int, settings: WooCommerceStore) -> str:
    """Return the SKU of a good. It marks a product as ours, and WooCommerce refuses a second one."""
    return f"{settings.sku_prefix}{good}"


def good_of_sku(sku: str, settings: WooCommerceStore) -> int | None:
    """Return the good of a SKU; None where the SKU is not ours."""
    rest = sku.removeprefix(settings.sku_prefix)
    return int(rest) if rest != sku and rest.isascii() and rest.isdecimal() else None


def term_of(row: Mapping[str, Any]) -> Term:
    """Convert a category of the API."""
    return Term(
        int(row["id"]), unescaped(str(row["name"])), str(row["slug"]), int(row["parent"]), int(row.get("count") or 0)
    )


def product_of(row: Mapping[str, Any], settings: WooCommerceStore) -> Product:
    """Convert a product of the API."""
    out_of_catalogue = settings.hidden == "catalog" and row.get("catalog_visibility") == "hidden"
    stock: int | bool | None = None
    if settings.stock == "status":
        stock = row.get("stock_status") != "outofstock"
    elif settings.stock == "quantity" and row.get("manage_stock") is True and row.get("stock_quantity") is not None:
        stock = int(row["stock_quantity"])
    return Product(
        id=int(row["id"]),
        sku=str(row.get("sku") or ""),
        name=unescaped(str(row["name"])),
        slug=str(row["slug"]),
        hidden=row.get("status") != "publish" or out_of_catalogue,
        categories=tuple(int(category["id"]) for category in row.get("categories") or ()),
        regular_price=_price(row.get("regular_price")),
        sale_price=_price(row.get("sale_price")),
        stock=stock,
    )


def settle_links(snapshot: Snapshot, bindings: Bindings) -> None:
    """Forget the second category of an unfinished move when the product is in only one of the two.

    From then on an editor may add the other one: a night without changes must not claim it.
    """
    settled: dict[tuple[str, int], tuple[str, str | None]] = {}
    for good, product in snapshot.products.items():
        noted = bindings.links(good)
        held = [term for term in noted if term in product.categories]
        if len(noted) > len(held) == 1:
            settled["offer_link", good] = (str(held[0]), None)
    bindings.remember(settled)


def _price(text: Any) -> Decimal | None:
    try:
        return Decimal(str(text)) if text not in (None, "") else None
    except InvalidOperation:
        return None


def contents_of(snapshot: Snapshot, settings: WooCommerceStore, bindings: Bindings) -> Contents:
    """Return a snapshot in the columns that a plan compares."""
    numbers = {term: number for term, number in bindings.numbers().items() if term in snapshot.terms}
    categories: dict[Key, tuple[Any, ...]] = {
        number: (snapshot.terms[term].name, _parent(snapshot.terms[term], settings, numbers), bindings.hidden(number))
        for term, number in sorted(numbers.items(), key=lambda pair: pair[1])
    }
    offers: dict[Key, tuple[Any, ...]] = {}
    for good, product in sorted(snapshot.products.items()):
        row = {**vars(product), "category_number": numbers.get(own_link(product, bindings.links(good), numbers) or 0)}
        offers[good] = tuple(row[column] for column in offer_columns(settings))
    return Contents(Rows(CATEGORY_COLUMNS, categories), Rows(offer_columns(settings), offers))


def _parent(term: Term, settings: WooCommerceStore, numbers: Mapping[int, int]) -> int | None:
    """Return the number of the parent; minus its id where an editor put our category under a foreign one."""
    if term.parent == settings.root_category:
        return None
    return numbers.get(term.parent, -term.parent)


def own_link(product: Product, links: Iterable[int], ours: Container[int]) -> int | None:
    """Return the category that we put a product into, by the stored links; None where an editor removed it from there.

    Without stored links (an older state, a product found by its SKU) it is the only or oldest category of ours.
    """
    noted = list(links)
    if noted:
        return next((term for term in reversed(noted) if term in product.categories), None)
    return min((term for term in product.categories if term in ours), default=None)
