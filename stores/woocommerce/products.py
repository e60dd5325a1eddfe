"""Goods: a batch at a time, each read again before it counts as done. Other categories of a product stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.numbers import format_decimal
from schemas.plan import Operation, plain
from stores.slugs import free_slug
from stores.woocommerce.client import Item
from stores.woocommerce.session import Session, chunks, why_refused
from stores.woocommerce.snapshot import (
    PRODUCTS,
    own_link,
    product_of,
    read_products,
    sku_of_good,
)
from stores.woocommerce.text import MAX_SLUG, escaped


@dataclass
class _Batch:
    """The rows of one request by good, the category that each is put into, and the rows that cannot be sent."""

    create: dict[int, Item] = field(default_factory=dict)
    update: dict[int, Item] = field(default_factory=dict)
    links: dict[int, int] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


def write_products(session: Session, operations: Sequence[Operation]) -> None:
    """Create, assign, update, restore and hide, in the plan's order."""
    _look_into_the_bin(session, [int(op.key) for op in operations if op.kind == "create"])
    for some in chunks(operations, session.settings.batch):
        _send(session, some)
        session.tell()


def _look_into_the_bin(session: Session, goods: Sequence[int]) -> None:
    """Restore our products that are in the shop's bin, with their id, pictures and address."""
    bound = ((session.bindings.product(good), good) for good in goods if good not in session.snapshot.products)
    lost = {product_id: good for product_id, good in bound if product_id is not None}
    for some in chunks(sorted(lost), session.settings.batch):
        for row in read_products(session.client, include=_joined(some), status="trash"):
            product = product_of(row, session.settings)
            session.snapshot.products[lost[product.id]] = product
            session.notes.append(f"good {lost[product.id]} lay in the store's bin: taken out of it")


def _send(session: Session, operations: Sequence[Operation]) -> None:
    """Send one batch: note the requests, send, note the answers, read again, compare."""
    batch = _Batch()
    for operation in operations:
        _place(session, operation, batch)
    _remember_links(session, batch, on_their_way=True)
    rows = list(batch.create.values()), list(batch.update.values())
    created, updated = session.client.batch(PRODUCTS, *rows, lambda left: _find(session, left))
    bound: dict[tuple[str, int], tuple[str, str | None]] = {}
    again: set[int] = set()
    for (good, row), answer in zip(batch.create.items(), created, strict=True):
        if "error" not in answer:
            bound["offer", good] = (str(answer["id"]), str(answer["slug"]))
            session.slug("offer", good, row["slug"], str(answer["slug"]))
        elif (
            there := _find(session, [row])[0]
        ) is not None:  # its SKU is taken, by this good: it was made and no answer came
            bound["offer", good] = (str(there["id"]), str(there["slug"]))
            session.snapshot.products[good] = product_of(there, session.settings)
            again.add(good)
        else:
            batch.refused[good] = why_refused(answer)
    for good, answer in zip(batch.update, updated, strict=True):
        if "error" in answer:
            batch.refused[good] = why_refused(answer)
    session.bindings.remember(bound)
    if again:
        _update_again(session, [op for op in operations if op.key in again], batch)
    _confirm(session, operations, batch)


def _update_again(session: Session, operations: Sequence[Operation], batch: _Batch) -> None:
    """Update products that turned out to exist already."""
    more = _Batch()
    for operation in operations:
        _place(session, operation, more)
    _, updated = session.client.batch(PRODUCTS, [], list(more.update.values()), lambda _: [])
    for good, answer in zip(more.update, updated, strict=True):
        if "error" in answer:
            batch.refused[good] = why_refused(answer)


def _place(session: Session, operation: Operation, batch: _Batch) -> None:
    """Put a good into the request: as a new row, or with what differs from what the shop holds."""
    good = int(operation.key)
    product = session.snapshot.products.get(good)
    if good not in session.wanted.offers.rows:  # it is hidden; the catalogue has nothing else of it
        if product is not None and not product.hidden:
            batch.update[good] = {"id": product.id, **_shown(session, False)}
        return
    wanted = session.wanted.offers.row(good)
    term = session.bindings.term(wanted["category_number"])
    if term is None or term not in session.snapshot.terms:
        batch.refused[good] = f"its category {wanted['category_number']} is not in the store"
        return
    row = {column: value for column, value in wanted.items() if product is None or getattr(product, column, 0) != value}
    row.pop("category_number", None)
    item = _cells(session, row)
    if product is None:
        batch.links[good] = term
        batch.create[good] = item | _only_at_birth(session, good, wanted["name"], term)
        return
    linked = own_link(product, session.bindings.links(good), session.bindings.numbers())
    if term not in product.categories or linked != term:
        # Do not remove every noted link: a run that died, or that found another fault with the product, left the note
        # of a move that was done. If the category that the product left is there again, an editor put it there.
        kept = [category for category in product.categories if category not in (linked, term)]
        item["categories"] = [{"id": category} for category in [*kept, term]]
        batch.links[good] = term
    if item:
        batch.update[good] = {"id": product.id, **item}


def _only_at_birth(session: Session, good: int, name: str, term: int) -> Item:
    """Return the fields that are sent only once: later they are the editor's, or may never change."""
    taken = session.snapshot.slugs
    slug = free_slug(name, good, "product", taken, MAX_SLUG)
    taken.add(slug)
    out: Item = {
        "type": "simple",
        "sku": sku_of_good(good, session.settings),
        "slug": slug,
        "categories": [{"id": term}],
    }
    if session.descriptions.get(good):
        out["short_description"] = escaped(session.descriptions[good])
    return out


def _cells(session: Session, row: Mapping[str, Any]) -> Item:
    """Columns as fields of the API. An empty text clears a price; the API ignores null."""
    out: Item = {}
    if "name" in row:
        out["name"] = escaped(row["name"])
    for column in ("regular_price", "sale_price"):
        if column in row:
            out[column] = "" if row[column] is None else format_decimal(row[column])
    if "stock" in row and session.settings.stock == "status":
        out["stock_status"] = "instock" if row["stock"] else "outofstock"
    elif "stock" in row:
        out |= {"manage_stock": True, "stock_quantity": row["stock"]}
    if "hidden" in row:
        out |= _shown(session, not row["hidden"])
    return out


def _shown(session: Session, shown: bool) -> Item:
    """Return the fields that show or hide a product, by the settings."""
    if session.settings.hidden == "catalog":
        visibility = {"catalog_visibility": "visible" if shown else "hidden"}
        return {"status": "publish", **visibility} if shown else visibility
    return {"status": "publish" if shown else "draft"}


def _remember_links(session: Session, batch: _Batch, *, on_their_way: bool) -> None:
    """Note which category we put each product into: before the request and after it."""
    rows: dict[tuple[str, int], tuple[str, str | None]] = {}
    for good, term in batch.links.items():
        product = session.snapshot.products.get(good)
        old = None
        if product is not None:
            old = own_link(product, session.bindings.links(good), session.bindings.numbers())
        if good not in batch.refused:
            rows["offer_link", good] = (str(old or ""), str(term)) if on_their_way else (str(term), None)
    session.bindings.remember(rows)


def _find(session: Session, rows: Sequence[Item]) -> list[Item | None]:
    """Return which of these rows the shop has by now, found by their SKUs."""
    if not rows:
        return []
    found = {str(row["sku"]): row for row in read_products(session.client, sku=_joined(row["sku"] for row in rows))}
    return [found.get(str(row["sku"])) for row in rows]


def _confirm(session: Session, operations: Sequence[Operation], batch: _Batch) -> None:
    """Read the sent rows again: WooCommerce may answer 200 and put the product into «Uncategorized»."""
    sent = [int(op.key) for op in operations if int(op.key) not in batch.refused]
    ids = {product_id: good for good in sent if (product_id := _id(session, good)) is not None}
    if ids:
        for row in read_products(session.client, include=_joined(sorted(ids))):
            session.snapshot.products[ids[int(row["id"])]] = product_of(row, session.settings)
    wrong = {good: _differs(session, good) for good in sent}
    batch.refused |= {good: why for good, why in wrong.items() if why}
    session.bindings.remember(
        {
            ("offer", good): (str(product.id), session.bindings.slug("offer", good) or product.slug)
            for good in sent
            if (product := session.snapshot.products.get(good)) is not None
        }
    )
    _remember_links(session, batch, on_their_way=False)
    for operation in operations:
        why = batch.refused.get(int(operation.key))
        if why:
            session.failed(operation, why)
        else:
            session.done(operation)


def _id(session: Session, good: int) -> int | None:
    product = session.snapshot.products.get(good)
    return product.id if product is not None else session.bindings.product(good)


def _differs(session: Session, good: int) -> str:
    """Return how the shop's row differs from the request; empty if it does not."""
    product = session.snapshot.products.get(good)
    if product is None:
        return "the store does not list it after it was made"
    if good not in session.wanted.offers.rows:
        return "" if product.hidden else "the store still shows it"
    wanted = session.wanted.offers.row(good)
    if session.bindings.term(wanted["category_number"]) not in product.categories:
        return f"the store put it into the categories {list(product.categories)} instead, without error"
    if "stock" in wanted and product.stock is None:
        return 'the store does not manage its stock: switch that on in WooCommerce, or set stock = "status"'
    # an order may have come in since: the number of pieces is not compared
    compared = (column for column in wanted if column not in ("category_number", "stock"))
    return "; ".join(
        f"{column} is {plain(getattr(product, column))!r} in the store instead of {plain(wanted[column])!r}"
        for column in compared
        if getattr(product, column) != wanted[column]
    )


def _joined(values: Iterable[Any]) -> str:
    return ",".join(map(str, values))
