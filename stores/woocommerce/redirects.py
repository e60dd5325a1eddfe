"""Old addresses as a file: WooCommerce keeps no redirects, plugins read them from CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping

from schemas.contents import Rows
from stores.woocommerce.bindings import Bindings
from stores.woocommerce.snapshot import Term


def redirect_lines(
    redirects: Rows, terms: Mapping[int, Term], bindings: Bindings, base: str, living: Collection[int] = ()
) -> list[tuple[str, str]]:
    """Return old and new address of each category that was merged into another; a rename keeps the address.

    ``living`` are the numbers of categories that the shop shows. A term keeps its address when it is renamed, also when
    its number means another section now: a living category's own address is never redirected.
    """
    out = {}
    shown = {address(term, terms, base) for number in living if (term := terms.get(bindings.term(number) or 0))}
    for key in redirects:
        row = redirects.row(key)
        old, new = (terms.get(bindings.term(number) or 0) for number in (row["old_number"], row["number"]))
        if old is not None and new is not None and old.id != new.id:
            left = address(old, terms, base)
            if left not in shown:
                out[left] = address(new, terms, base)
    return sorted(out.items())


def address(term: Term, terms: Mapping[int, Term], base: str) -> str:
    """Return the path of a category in the shop: the slugs from its root down."""
    slugs, seen, here = [term.slug], {term.id}, terms.get(term.parent)
    while here is not None and here.id not in seen:
        slugs.insert(0, here.slug)
        seen.add(here.id)
        here = terms.get(here.parent)
    return f"/{base.strip('/')}/{'/'.join(slugs)}/"


def redirect_csv(lines: list[tuple[str, str]]) -> str:
    """Return the file: source, target, 0 (no pattern), 301."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows((old, new, 0, 301) for old, new in lines)
    return stream.getvalue()
