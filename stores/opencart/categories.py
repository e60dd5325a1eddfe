"""Writes categories. The statements may stop after any one without harm, as the tables of 3.0 have no transactions.

The order: our record; hidden rows with all that belongs to them; new parent and status, from the roots down; hiding,
from the leaves up. Statements copy values from our records, so their number does not grow with the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.contents import Key, Rows
from schemas.errors import StoreError
from stores.bulk import batched
from stores.opencart.db import Db
from stores.opencart.ownership_tables import MARK, leave_alone, packed
from stores.opencart.slugs import RESERVED, leaf, segments
from stores.opencart.text import escape
from stores.opencart.tree import Tree
from stores.opencart.wanted import refuse_foreign
from stores.slugs import free_slug

_RECORDS = """
    INSERT INTO {torgsync_category} (category_id, parent_id, depth, slug, name, hidden, shown, made,
    before_row, touched) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE
    name_before = IF(touched > 0, name_before, name), name = VALUES(name), parent_id = VALUES(parent_id),
    depth = VALUES(depth), slug = VALUES(slug), hidden = VALUES(hidden), made = GREATEST(made, VALUES(made)),
    before_row = IF(touched > 0, before_row, VALUES(before_row)), touched = VALUES(touched)"""
_HIDDEN = """
    INSERT INTO {torgsync_category} (category_id, before_row) VALUES (%s, %s) ON DUPLICATE KEY UPDATE
    hidden = 1, before_row = IF(touched > 0, before_row, VALUES(before_row)), touched = 2"""
_OURS = "FROM {torgsync_category} r JOIN {category} c ON c.category_id = r.category_id"


class CategoryWriter:
    """``full``: numbers of which all rows are written; ``hide``: numbers that are only hidden."""

    def __init__(
        self, db: Db, tree: Tree, present: Rows, wanted: Rows, full: Sequence[int], hide: Sequence[int]
    ) -> None:
        self.db, self.tree, self.present, self.wanted = db, tree, present, wanted
        self.full, self.hide = list(full), list(hide)
        self.parents = {number: int(wanted.value(number, "parent_number") or 0) for number in full}
        self.chains = self._chains()
        self.notes: list[str] = []

    def _chains(self) -> dict[int, list[int]]:
        """Return the chain after this run of every category that is written, and of ours below a moved one."""
        out: dict[int, list[int]] = {}
        written = set(self.full)
        for number in [*self.full, *(c.number for c, record in self.tree.ours() if c.exists and record["made"])]:
            chain = self.tree.chain(number, self.parents)
            if chain is not None and not written.isdisjoint(chain):
                out[number] = chain
        return out

    def claim(self) -> None:
        """Note in our tables what this run will write. Nothing changes in the shop's tables yet."""
        leave_alone(self.db, "torgsync_category")
        names = [(number, str(self.wanted.value(number, "name"))) for number in self.full]
        adopted = set(refuse_foreign(self.db, self.tree, names))
        if self.db.settings.editors("category_status"):
            self.db.run(
                "UPDATE {torgsync_category} r JOIN {category} c ON c.category_id = r.category_id"
                " SET r.shown = c.status WHERE r.hidden = 0 AND r.touched = 0 AND r.made = 1"
            )
        slugs = self._slugs(dict(names))
        shown = self.db.settings.new_categories == "shown"
        self.db.many(
            _RECORDS,
            (
                (
                    number, self.parents[number], self.wanted.value(number, "depth"), slugs[number], escape(name),
                    int(self.wanted.value(number, "hidden")),
                    int(self.tree[number].status if number in adopted else shown), int(number in adopted),
                    self._before(number), 1,
                )
                for number, name in names
            ),
        )  # fmt: skip
        self.db.many(_HIDDEN, ((number, self._before(number)) for number in self.hide))

    def _before(self, number: int) -> str | None:
        """Return the row before this run, where the tables have no transactions."""
        return None if self.db.layout.atomic else packed(self.present.rows.get(number))

    def _slugs(self, names: Mapping[int, str]) -> dict[int, str]:
        """Return the slug of each category: the editor's, else the one that we gave earlier, else a new one."""
        out: dict[int, str] = {}
        taken = set(RESERVED)
        for (keyword,) in self.db.rows("SELECT keyword FROM {seo_url}"):
            taken |= segments(keyword or "")
        taken |= {record["slug"].casefold() for _, record in self.tree.ours()}
        for number, name in names.items():
            category = self.tree.get(number)
            record = category.record if category is not None else None
            keywords = [self.tree.keyword(number, scope) for scope in self.tree.scopes(self.db)]
            there = next((leaf(keyword) for keyword in keywords if keyword), "")
            out[number] = there or (record["slug"] if record else "")
            if not out[number]:
                out[number] = free_slug(name, number, "category", taken, self.db.settings.slug_length)
                taken.add(out[number])
        return out

    def make(self) -> None:
        """Write rows, names, stores, closure and slugs of new categories; closure rows and names of changed ones."""
        self._rows()
        self._names()
        for store in self.db.settings.store_ids:
            self.db.insert_select(
                "category_to_store", {"category_id": "r.category_id", "store_id": ":store"},
                "FROM {torgsync_category} r LEFT JOIN {category_to_store} s ON s.category_id = r.category_id"
                " AND s.store_id = :store WHERE r.touched = 1 AND s.category_id IS NULL", store=store,
            )  # fmt: skip
            if self.db.layout.empty_layouts:
                self.db.insert_select(
                    "category_to_layout", {"category_id": "r.category_id", "store_id": ":store", "layout_id": "0"},
                    "FROM {torgsync_category} r LEFT JOIN {category_to_layout} s ON s.category_id = r.category_id"
                    " AND s.store_id = :store WHERE r.touched = 1 AND s.category_id IS NULL", store=store,
                )  # fmt: skip
        self.db.insert_many(
            "category_path",
            ("category_id", "path_id", "level"),
            (
                (number, ancestor, level)
                for number, chain in self.chains.items()
                for level, ancestor in enumerate(chain)
                if number not in self.tree or self.tree[number].path.get(ancestor) != level
            ),
            "ON DUPLICATE KEY UPDATE level = VALUES(level)",
        )
        if self.db.settings.slugs:
            self._slug_rows(new=True)

    def _rows(self) -> None:
        root = "r.parent_id = 0"
        self.db.insert_select(
            "category",
            {
                "category_id": "r.category_id", "parent_id": "r.parent_id", "status": "0", "sort_order": "0",
                "image": f"CONCAT('{MARK}', r.category_id)", "noindex": "1", "date_added": "NOW()",
                "date_modified": "NOW()", "top": f"IF({root}, :top, 0)", "column": ":columns",
            },
            "FROM {torgsync_category} r LEFT JOIN {category} c ON c.category_id = r.category_id"
            " WHERE r.touched = 1 AND c.category_id IS NULL",
            top=int(self.db.settings.in_menu), columns=self.db.settings.menu_columns,
        )  # fmt: skip
        mark = f"BINARY c.image = BINARY CONCAT('{MARK}', r.category_id)"
        self.db.run(
            "UPDATE {torgsync_category} r JOIN {category} c ON c.category_id = r.category_id"
            f" SET r.made = 1 WHERE r.made = 0 AND r.touched = 1 AND {mark}"
        )
        others = [
            number for (number,) in self.db.rows(f"SELECT r.category_id {_OURS} WHERE r.made = 0 AND r.touched = 1")
        ]
        if others:
            self.db.run("DELETE FROM {torgsync_category} WHERE category_id IN :numbers", numbers=others)
            raise StoreError(
                f"store {self.db.settings.name}: an editor made category {others[0]} at the same moment",
                "run again: its message says what to do",
            )
        self.db.run(
            "UPDATE {category} c JOIN {torgsync_category} r ON c.category_id = r.category_id"
            f" SET c.image = '' WHERE r.made = 1 AND r.touched = 1 AND {mark}"
        )

    def _names(self) -> None:
        languages, follow = self.db.languages, not self.db.settings.editors("category_name")
        for language in languages.enabled:
            self.db.insert_select(
                "category_description",
                {"category_id": "r.category_id", "language_id": ":language", "name": "r.name", "meta_title": "r.name",
                 "description": "''", "meta_description": "''", "meta_keyword": "''"},
                "FROM {torgsync_category} r LEFT JOIN {category_description} d ON d.category_id = r.category_id"
                " AND d.language_id = :language WHERE r.touched = 1 AND d.category_id IS NULL", language=language,
            )  # fmt: skip
            if follow and language in (*languages.strict, *languages.loose):
                untouched = " AND BINARY d.name = BINARY r.name_before" if language in languages.loose else ""
                self.db.run(
                    "UPDATE {category_description} d JOIN {torgsync_category} r ON d.category_id = r.category_id"
                    " SET d.name = r.name WHERE r.touched = 1 AND d.language_id = :language"
                    f" AND BINARY d.name <> BINARY r.name{untouched}",
                    language=language,
                )

    def _slug_rows(self, new: bool) -> None:
        """Add missing slug rows (``new``), or write the new slug paths of moved categories (4.x)."""
        paths = self.db.layout.slug_paths
        given = dict(self.db.rows("SELECT category_id, slug FROM {torgsync_category}"))
        added: list[tuple[object, ...]] = []
        changed: list[tuple[str, str, int]] = []
        for scope in self.tree.scopes(self.db):
            keywords: dict[int, str] = {}
            for number in sorted(self.chains, key=lambda key: (len(self.chains[key]), key)):
                chain = self.chains[number]
                rows = self.tree[number].slugs.get(scope, []) if number in self.tree else []
                own = (leaf(rows[0].keyword) if rows else "") or given.get(number) or f"category-{number}"
                value = "_".join(map(str, chain)) if paths else f"category_id={number}"
                above = (keywords.get(chain[-2]) or self.tree.keyword(chain[-2], scope)) if len(chain) > 1 else None
                keyword = f"{above}/{own}" if paths and above else own
                keywords[number] = keyword
                if not rows:
                    added.append((*scope, *(("path",) if paths else ()), value, keyword))
                elif (paths and (rows[0].value, rows[0].keyword) != (value, keyword)) or not rows[0].keyword:
                    changed.append((value, keyword, rows[0].row))
        columns = ("key", "value", "keyword") if paths else ("query", "keyword")
        if new:
            self.db.insert_many("seo_url", ("store_id", "language_id", *columns), added)
        else:
            field = "value" if paths else "query"
            self.db.many(f"UPDATE {{seo_url}} SET `{field}` = %s, keyword = %s WHERE seo_url_id = %s", changed)

    def show(self) -> None:
        """Set the new parent, then the status, from the roots down; then delete surplus rows of closure and slugs."""
        status = "r.shown" if self.db.settings.editors("category_status") else "1"
        modified = ", c.date_modified = NOW()" if self.db.layout.has("category", "date_modified") else ""
        top = ", c.top = IF(r.parent_id = 0, :top, c.top)" if self.db.layout.has("category", "top") else ""
        joined = "{category} c JOIN {torgsync_category} r ON c.category_id = r.category_id"
        for depth in sorted({int(self.wanted.value(number, "depth")) for number in self.full}):
            bound = {"depth": depth, **({"top": int(self.db.settings.in_menu)} if top else {})}
            self.db.run(
                f"UPDATE {joined} SET c.parent_id = r.parent_id{top}{modified}"
                " WHERE r.touched = 1 AND r.depth = :depth AND c.parent_id <> r.parent_id",
                **bound,
            )
            self.db.run(
                f"UPDATE {joined} SET c.status = {status}{modified}"
                f" WHERE r.touched = 1 AND r.depth = :depth AND r.hidden = 0 AND c.status <> {status}",
                depth=depth,
            )
        self.db.many(
            "DELETE FROM {category_path} WHERE category_id = %s AND path_id = %s",
            (
                (number, ancestor)
                for number, chain in self.chains.items()
                if number in self.tree
                for ancestor in self.tree[number].path
                if ancestor not in chain
            ),
        )
        if self.db.settings.slugs:
            self._slug_rows(new=False)
        self._warn_of_foreign()

    def take_out(self) -> None:
        """Hide categories, from the leaves up."""
        depths: dict[int, list[int]] = {}
        for number in self.hide:
            depths.setdefault(len(self.tree.chain(number) or ()), []).append(number)
        for depth in sorted(depths, reverse=True):
            for batch in batched(depths[depth]):
                self.db.run("UPDATE {category} SET status = 0 WHERE category_id IN :numbers", numbers=batch)

    def _warn_of_foreign(self) -> None:
        """Warn of foreign categories below a moved one: only the admin can rebuild their closure."""
        moved = {
            n for n in self.full if n in self.tree and self.tree[n].exists and self.parents[n] != self.tree[n].parent
        }
        below = [
            category.number
            for category in self.tree.values()
            if category.record is None and moved and not moved.isdisjoint(self.tree.chain(category.number) or ())
        ]
        if below:
            self.notes.append(
                f"categories {', '.join(map(str, below[:5]))}{', …' if len(below) > 5 else ''} are not torgsync's and "
                "are below one that moved: press Rebuild in Catalog > Categories, and look at their addresses"
            )


def keys(rows: Rows, found: Sequence[Key]) -> tuple[list[int], list[int]]:
    """Split the keys of operations: wanted ones (all rows are written), and the others (they are hidden)."""
    return [int(k) for k in found if k in rows.rows], [int(k) for k in found if k not in rows.rows]
