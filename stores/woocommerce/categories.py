"""Categories: level by level, parents first; each batch is read again before it counts as done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.plan import Operation
from stores.slugs import free_slug
from stores.woocommerce.bindings import mark
from stores.woocommerce.client import Item
from stores.woocommerce.session import Session, chunks, why_refused
from stores.woocommerce.snapshot import CATEGORIES, Term, read_terms, term_of
from stores.woocommerce.text import MAX_SLUG, escaped


@dataclass
class _Batch:
    """The rows of one request by section number, and the rows that cannot be sent."""

    create: dict[int, Item] = field(default_factory=dict)
    update: dict[int, Item] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


def show_categories(session: Session, operations: Sequence[Operation]) -> None:
    """Create, rename, move and restore: WooCommerce takes no parent that is made in the same request."""
    levels: dict[int, list[Operation]] = {}
    for operation in operations:
        levels.setdefault(_depth(session, int(operation.key)), []).append(operation)
    for depth in sorted(levels):
        for some in chunks(levels[depth], session.settings.batch):
            _send(session, some)
            session.tell()


def hide_categories(session: Session, operations: Sequence[Operation]) -> None:
    """Hide categories. The term stays: its goods are drafts already, and themes leave out empty categories."""
    for some in chunks(operations, session.settings.batch):
        terms = {int(op.key): session.bindings.term(int(op.key)) for op in some}
        session.bindings.remember({("category_hidden", number): ("1", None) for number in terms})
        found = _read(session, terms.values())
        for operation in some:
            term = found.get(terms[int(operation.key)] or 0)
            if term is not None and term.count:
                session.notes.append(
                    f"category {operation.key} «{operation.name}» is hidden, but {term.count} products that are not "
                    "ours, or that are held, are still in it: themes show it"
                )
            session.done(operation)
        session.tell()


def _depth(session: Session, number: int) -> int:
    """Return the depth that a category shall have."""
    depth, parent = 1, session.wanted.categories.value(number, "parent_number")
    while parent is not None:
        depth, parent = depth + 1, session.wanted.categories.value(parent, "parent_number")
    return depth


def _send(session: Session, operations: Sequence[Operation]) -> None:
    """Send one batch: note the requests, send, note the answers, read again, compare."""
    batch = _Batch()
    for operation in operations:
        _place(session, int(operation.key), batch)
    _write_down_what_is_on_its_way(session, batch)
    before = set(session.snapshot.terms)
    rows = list(batch.create.values()), list(batch.update.values())
    created, updated = session.client.batch(CATEGORIES, *rows, lambda left: _find(session, left, before))
    bound: dict[tuple[str, int], tuple[str, str | None]] = {}
    for (number, row), answer in zip(batch.create.items(), created, strict=True):
        term = _existing(session, row, answer, before) if "error" in answer else term_of(answer)
        if term is None:
            batch.refused[number] = why_refused(answer)
        else:
            bound["category", number] = (str(term.id), term.slug)
            session.snapshot.terms[term.id] = term
            session.slug("category", number, row["slug"], term.slug)
    for number, answer in zip(batch.update, updated, strict=True):
        if "error" in answer:
            batch.refused[number] = why_refused(answer)
    session.bindings.remember(bound)
    _confirm(session, operations, batch.refused)


def _place(session: Session, number: int, batch: _Batch) -> None:
    """Put a category into the request: as a new row, or with what differs from what the shop holds."""
    parent = session.wanted.categories.value(number, "parent_number")
    target_parent = session.settings.root_category if parent is None else session.bindings.term(parent)
    if target_parent is None or (parent is not None and target_parent not in session.snapshot.terms):
        batch.refused[number] = f"its parent category {parent} is not in the store"
        return
    name = session.wanted.categories.value(number, "name")
    term = _ours(session, number, name, target_parent)
    if term is None:
        if session.bindings.term(number) is not None:
            session.notes.append(f"category {number} «{name}» was deleted in the store: made anew")
        taken = session.bindings.slugs_on_their_way(number) | {row["slug"] for row in batch.create.values()}
        taken |= {other.slug for other in session.snapshot.terms.values()}
        slug = free_slug(name, number, "category", taken, MAX_SLUG)
        batch.create[number] = {"name": escaped(name), "slug": slug, "parent": target_parent}
        return
    session.bindings.remember(
        {("category", number): (str(term.id), session.bindings.slug("category", number) or term.slug)}
    )
    row: Item = {}
    if term.name != name:
        row["name"] = escaped(name)
    if term.parent != target_parent:
        row["parent"] = target_parent
    if row:
        batch.update[number] = {"id": term.id, **row}


def _ours(session: Session, number: int, name: str, parent: int) -> Term | None:
    """Return the term of a section: the bound one, one made without an answer, or one of that name and parent."""
    terms, bindings = session.snapshot.terms, session.bindings
    bound = bindings.term(number)
    if bound is not None and bound in terms:
        return terms[bound]
    free = _free(session)
    made = next((term for term in free if _was_on_its_way(term, bindings.on_its_way(number))), None)
    if made is not None or not session.settings.adopt:
        return made
    same = next((term for term in free if (term.name, term.parent) == (name, parent)), None)
    if same is not None:
        session.notes.append(f"category {number} «{name}» was in the store already: taken over (id {same.id})")
    return same


def _write_down_what_is_on_its_way(session: Session, batch: _Batch) -> None:
    """Note the requests, so that the next run finds them if this one dies before the answer."""
    rows = ((number, row, session.wanted.categories.value(number, "name")) for number, row in batch.create.items())
    session.bindings.remember({("category", n): (mark(name, row["parent"]), row["slug"]) for n, row, name in rows})


def _was_on_its_way(term: Term, asked: tuple[str, str | None] | None) -> bool:
    """Tell whether a term is the requested one: name, parent, and the slug, with or without a suffix of the shop."""
    if asked is None or mark(term.name, term.parent) != asked[0]:
        return False
    return term.slug == asked[1] or term.slug.startswith(f"{asked[1]}-")


def _free(session: Session) -> list[Term]:
    """Terms that are bound to no number."""
    bound = session.bindings.numbers()
    return [term for term in session.snapshot.terms.values() if term.id not in bound]


def _find(session: Session, rows: Sequence[Item], before: set[int]) -> list[Item | None]:
    """Return the new term of each row, or None, among those that were not there before."""
    session.snapshot.terms = read_terms(session.client)
    new = [term for term in _free(session) if term.id not in before]
    return [_match(new, row) for row in rows]


def _match(terms: Iterable[Term], row: Item) -> Item | None:
    """Return the term of this name and parent; among several the one with the requested slug."""
    same = [term for term in terms if escaped(term.name) == row["name"] and term.parent == row["parent"]]
    same.sort(key=lambda term: term.slug != row["slug"])
    return vars(same[0]) if same else None


def _existing(session: Session, row: Item, answer: Item, before: set[int]) -> Term | None:
    """Return the existing term that WooCommerce names in its refusal, if it is the wanted one.

    WooCommerce may name a term of the same slug and parent but of another name.
    """
    data = answer["error"].get("data")
    existing = data.get("resource_id") if isinstance(data, dict) else None
    if not existing:
        return None
    found = _read(session, [int(existing)])
    session.snapshot.terms.update(found)
    for term in _free(session):
        same = escaped(term.name) == row["name"] and term.parent == row["parent"]
        if term.id in found and same and (session.settings.adopt or term.id not in before):
            return term
    return None


def _confirm(session: Session, operations: Sequence[Operation], refused: dict[int, str]) -> None:
    """Read the sent rows again: WooCommerce may answer 200 although it ignored the parent."""
    sent = [int(op.key) for op in operations if int(op.key) not in refused]
    session.snapshot.terms.update(_read(session, [session.bindings.term(number) for number in sent]))
    wrong = {number: _differs(session, number) for number in sent}
    fine = [number for number in sent if not wrong[number]]
    session.bindings.remember({("category_hidden", number): ("0", None) for number in fine})
    for operation in operations:
        why = refused.get(int(operation.key)) or wrong.get(int(operation.key))
        if why:
            session.failed(operation, why)
        else:
            session.done(operation)


def _differs(session: Session, number: int) -> str:
    """Return how the shop's row differs from the request; empty if it does not."""
    wanted = session.wanted.categories.row(number)
    term = session.snapshot.terms.get(session.bindings.term(number) or 0)
    if term is None:
        return "the store does not list it after it was made"
    if term.name != wanted["name"]:
        return f"the store made «{term.name}» of the name «{wanted['name']}»"
    parent = wanted["parent_number"]
    target_parent = session.settings.root_category if parent is None else session.bindings.term(parent)
    if term.parent != target_parent:
        return (
            f"the store put it under {term.parent or 'no parent'} instead of {target_parent or 'none'}, without error"
        )
    return ""


def _read(session: Session, ids: Iterable[int | None]) -> dict[int, Term]:
    """Read some terms again."""
    bound = sorted({term for term in ids if term})
    return read_terms(session.client, include=",".join(map(str, bound))) if bound else {}
