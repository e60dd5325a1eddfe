"""Reads our rows in a shop. A row that lacks anything is marked incomplete, and the next plan repairs it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.contents import Contents, Key, Rows
from stores.opencart.db import Db
from stores.opencart.goods_rows import Good, load_goods
from stores.opencart.ownership_tables import has_tables, unpacked
from stores.opencart.redirects import map_states, read_redirects
from stores.opencart.slugs import leaf
from stores.opencart.text import is_escaped, unescape
from stores.opencart.tree import Category, Tree, load_tree
from stores.opencart.wanted import CATEGORY_COLUMNS, OFFER_COLUMNS, model_of


@dataclass(frozen=True)
class Present:
    """``contents`` as a plan compares them, and the rows they come from."""

    contents: Contents
    tree: Tree
    goods: dict[int, Good]


def read_shop(db: Db, wanted: Contents | None, folder: Any) -> Present:
    """Read all our rows. ``wanted`` decides how rows of an interrupted run are returned (see ``_settled``)."""
    owned = has_tables(db)
    tree = load_tree(db, owned)
    goods = load_goods(db) if owned else {}
    judge = _Judge(db, tree)
    categories: dict[Key, tuple[Any, ...]] = {}
    for category, record in tree.ours():
        row = judge.category(category, record) if category.exists and record["made"] else None
        shown = _settled(record, row, category.number, wanted.categories if wanted else None, CATEGORY_COLUMNS)
        if shown is not None:
            categories[category.number] = shown
    offers: dict[Key, tuple[Any, ...]] = {}
    for good in goods.values():
        row = judge.offer(good) if good.exists and good.made else None
        shown = _settled(good.pending, row, good.good_id, wanted.offers if wanted else None, OFFER_COLUMNS)
        if shown is not None:
            offers[good.good_id] = shown
    redirects = db.settings.redirects is not None
    contents = Contents(
        Rows(CATEGORY_COLUMNS, categories),
        Rows(OFFER_COLUMNS, offers),
        read_redirects(db) if owned and redirects else Rows(),
        map_states(db, tree, folder, owned) if redirects else {},
    )
    return Present(contents, tree, goods)


def _settled(
    record: Mapping[str, Any],
    row: tuple[Any, ...] | None,
    key: int,
    wanted: Rows | None,
    columns: tuple[str, ...],
) -> tuple[Any, ...] | None:
    """Return a row as it is or, where an interrupted run was writing it, as it was before: so the same plan fits again.

    Where the earlier row equals the wanted one, it still has to be written: it is returned as incomplete. A row that is
    no longer wanted is returned with its present status.
    """
    if not record["touched"]:
        return row
    if wanted is None or key not in wanted.rows:
        return None if row is None or (record["before_row"] is None and row[columns.index("hidden")]) else row
    if record["before_row"] is None:
        return None
    before = unpacked(record["before_row"])
    return (*before[:-1], False) if before == wanted.rows[key] else before


class _Judge:
    """Checks of each of our rows whether all that belongs to it is there."""

    def __init__(self, db: Db, tree: Tree) -> None:
        self.db, self.tree, self.settings = db, tree, db.settings
        self.scopes = tree.scopes(db) if db.settings.slugs else []
        self.stores = set(db.settings.store_ids)
        self.pending = {c.number for c, record in tree.ours() if record["touched"]}

    def category(self, category: Category, record: Mapping[str, Any]) -> tuple[Any, ...]:
        chain = self.tree.chain(category.number)
        names, languages = category.names, self.db.languages
        complete = (
            chain is not None
            and all(language in names for language in languages.enabled)
            and self.stores <= category.stores
            and (self.settings.editors("category_name") or self._same(names, languages.strict))
            and (not self.pending.isdisjoint(chain[:-1]) or self._placed(category, chain))
        )
        name = record["name"] if self.settings.editors("category_name") else names.get(languages.main, "")
        hidden = bool(record["hidden"]) if self.settings.editors("category_status") else not category.status
        return unescape(name), category.parent or None, len(chain or ()), hidden, complete

    @staticmethod
    def _same(names: Mapping[int, str], languages: Collection[int]) -> bool:
        return all(is_escaped(names[n]) and names[n] == names[next(iter(languages))] for n in languages)

    def _placed(self, category: Category, chain: list[int]) -> bool:
        """Tell whether closure and slugs fit the parents. Rows below an interrupted move are not checked."""
        if category.path != {number: level for level, number in enumerate(chain)}:
            return False
        return all(self._slug(category, chain, scope) for scope in self.scopes)

    def _slug(self, category: Category, chain: list[int], scope: tuple[int, int]) -> bool:
        rows = category.slugs.get(scope, [])
        if not self.db.layout.slug_paths:
            return any(row.keyword for row in rows)
        value = "_".join(map(str, chain))
        above = self.tree.keyword(chain[-2], scope) if len(chain) > 1 else ""
        return any(
            row.value == value
            and row.keyword
            and (above is None or row.keyword == f"{above}/{leaf(row.keyword)}".lstrip("/"))
            for row in rows
        )

    def offer(self, good: Good) -> tuple[Any, ...]:
        follow = {field: not self.settings.editors(field) for field in ("name", "status", "price", "quantity")}
        sku = good.sku if not self.settings.editors("articul") else good.pending["sku"]
        ean = good.ean if not self.settings.editors("barcode") else good.pending["ean"]
        complete = good.complete and (not follow["name"] or is_escaped(good.name))
        if not self.settings.editors("articul"):
            complete = complete and good.model == model_of(self.db, good.good_id, unescape(sku))
        return (
            unescape(good.name if follow["name"] else good.pending["name"]),
            good.category if good.linked else None,
            good.price if follow["price"] else good.pending["price"],
            good.quantity if follow["quantity"] else good.pending["quantity"],
            unescape(sku) or None,
            unescape(ean) or None,
            not good.status if follow["status"] else bool(good.pending["hidden"]),
            complete,
        )
