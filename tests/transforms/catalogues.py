"""Small catalogues made by hand: a tree of categories, the goods in them, and a product type for every category."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schemas.catalogue import CATALOGUE_SCHEMAS, Catalogue
from schemas.tables import conform
from transforms.tree import check_tree, paths

Tree = Mapping[int, tuple[int | None, str]]
"""Category number → (parent's number, name)."""


def catalogue(
    tree: Tree,
    goods: Mapping[int, int | None],
    names: Mapping[int, str] | None = None,
    types: Tree | None = None,
    identities: Mapping[int, str] | None = None,
) -> Catalogue:
    """The catalogue of ``tree`` with ``goods`` (good → category) in their order; ``names`` are those of goods.

    Every category has a product type of its own number, or else ``types`` are given: then all goods are of the first.
    ``identities`` (number → identity) are the sections' where they are not Torgsoft's own.
    """
    parents = {number: parent for number, (parent, _) in tree.items()}
    order = check_tree(parents).order
    chains = paths(order, parents, {number: name for number, (_, name) in tree.items()})
    who = {number: (identities or {}).get(number, f"torgsoft:{number}") for number in order}
    kinds = types if types is not None else (tree or {1: (None, "Вид")})
    kind_parents = {key: parent for key, (parent, _) in kinds.items()}
    kind_order = check_tree(kind_parents).order
    kind_paths = paths(kind_order, kind_parents, {key: name for key, (_, name) in kinds.items()})
    held = list(goods.values())
    called = [(names or {}).get(good, f"Товар {good}") for good in goods]
    return Catalogue(
        categories=_frame(
            "categories", number=order, name=[tree[n][1] for n in order], parent_number=[parents[n] for n in order],
            path=[chains[n] for n in order], depth=[len(chains[n]) for n in order],
            goods=[held.count(n) for n in order],
        ),
        assignments=_frame(
            "assignments", good_id=list(goods), category_number=held, decided_by=["link"] * len(goods),
            type_id=[number if number in kinds else kind_order[0] for number in held],
        ),
        offers=_frame(
            "offers", good_id=list(goods), category_number=held, name=called,
            hidden=[number is None for number in held],
        ),
        sections=_frame(
            "sections", identity=list(who.values()), name=[tree[n][1] for n in order], number=order, chain_key=order,
            parent_identity=[None if (up := parents[n]) is None else who.get(up) for n in order],
            number_origin=["torgsoft"] * len(order),
        ),
        product_types=_frame(
            "product_types", type_id=kind_order, parent_id=[kind_parents[k] for k in kind_order],
            name=[kinds[k][1] for k in kind_order], raw_name=[kinds[k][1] for k in kind_order],
            path=[kind_paths[k] for k in kind_order], raw_path=[kind_paths[k] for k in kind_order],
            depth=[len(kind_paths[k]) for k in kind_order], goods=[0] * len(kind_order),
            goods_below=[0] * len(kind_order),
        ),
    )  # fmt: skip


def _frame(table: str, /, **columns: list) -> pd.DataFrame:
    return conform(pd.DataFrame({key: pd.Series(values, dtype=object) for key, values in columns.items()}),
                   CATALOGUE_SCHEMAS[table])  # fmt: skip


def branch(size: int, root: str = "Дім") -> dict[int, tuple[int | None, str]]:
    """A root, number 1, with so many categories below it, from number 2 on."""
    return {1: (None, root), **{n: (1, f"Розділ {n}") for n in range(2, size + 2)}}
