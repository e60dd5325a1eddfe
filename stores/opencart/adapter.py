"""The OpenCart store: reads our rows in the shop, and applies a plan to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from schemas.catalogue import Catalogue
from schemas.contents import Contents, Key
from schemas.plan import Kind, Operation
from schemas.report import StoreResult
from schemas.settings.opencart import OpenCartStore
from schemas.values import plain_values
from stores.opencart.categories import CategoryWriter, keys
from stores.opencart.db import Db, reading, writing
from stores.opencart.goods import WORK, GoodsWriter
from stores.opencart.ownership_tables import create_tables, finish, has_tables, note_shop, refuse_other_shop
from stores.opencart.read import Present, read_shop
from stores.opencart.redirects import note_redirects, write_maps
from stores.opencart.tree import load_tree
from stores.opencart.wanted import fit_contents, refuse_foreign
from stores.protocol import Begun, Capabilities, Progress, Replan, Wanted, silent

RETIRE = "OpenCart has no archive: a hidden row stays hidden, with its address and pictures"
REDIRECT = "no folder for the web server's redirect maps: set redirects"


class OpenCartAdapter:
    """The database of one OpenCart shop. It changes only rows that our tables there list as ours."""

    kind = "opencart"

    def __init__(self, settings: OpenCartStore, folder: Path, *, progress: Progress = silent, shop: str = "") -> None:
        self.settings, self.name, self.progress, self.shop = settings, settings.name, progress, shop
        maps = folder if settings.redirects is None else folder / Path(settings.redirects).expanduser()
        self.maps = maps.resolve()
        self.create_maps = self.maps.is_relative_to(
            folder.resolve()
        )  # a folder elsewhere may be a share that is not mounted
        none: dict[Kind, str] = {"redirect": REDIRECT, "unredirect": REDIRECT}
        self.capabilities = Capabilities(
            gaps={"retire": RETIRE, **(none if settings.redirects is None else {})},
        )
        self._wanted: Contents | None = None

    def want(self, catalogue: Catalogue, contents: Contents) -> Wanted:
        """Return what OpenCart can hold of the contents. Raises StoreError where a number is a foreign category's."""
        with reading(self.settings) as db:
            fitted = fit_contents(db, contents)
            names = [(int(key), str(fitted.categories.value(key, "name"))) for key in fitted.categories]
            refuse_foreign(db, load_tree(db, has_tables(db)), names)
        self._wanted = fitted
        return Wanted(catalogue, fitted)

    def read(self) -> Contents:
        """Read our rows. Rows that an interrupted run was writing are returned as they were before it."""
        with reading(self.settings) as db:
            refuse_other_shop(db, self.shop)
            return read_shop(db, self._wanted, self.maps).contents

    def apply(self, wanted: Wanted, replan: Replan, begun: Begun) -> StoreResult:
        """Read, compare with the plan and write: in one transaction, or in an order that is safe to interrupt."""
        begun()
        with writing(self.settings) as db:
            noted = refuse_other_shop(db, self.shop)
            create_tables(db)
            if not noted:
                note_shop(db, self.shop)
            present = read_shop(db, wanted.contents, self.maps)
            operations = replan(present.contents)
            notes = self._write(db, operations, wanted, present)
        counts = Counter(f"{operation.entity} {operation.kind}" for operation in operations)
        return StoreResult(name=self.name, kind=self.kind, operations=dict(sorted(counts.items())), notes=notes)

    def _write(self, db: Db, operations: Sequence[Operation], wanted: Wanted, present: Present) -> list[str]:
        contents, goods = wanted.contents, wanted.catalogue.offers
        found: dict[str, list[Key]] = {}
        for operation in operations:
            found.setdefault(operation.entity, []).append(operation.key)
        full, hide = keys(contents.categories, found.get("category", []))
        categories = CategoryWriter(db, present.tree, present.contents.categories, contents.categories, full, hide)
        full, hide = keys(contents.offers, found.get("offer", []))
        new = set(full) - set(present.contents.offers.rows)
        texts = dict(zip(plain_values(goods["good_id"]), plain_values(goods["description"]), strict=True))
        done = 0

        def report_work(work: int) -> None:
            nonlocal done
            done += work
            self.progress(done // WORK, len(operations))

        offers = GoodsWriter(
            db, present.goods, present.contents.offers, contents.offers, full, hide, {k: texts.get(k) for k in new},
            report_work,
        )  # fmt: skip
        if self.settings.redirects is not None:
            note_redirects(db, present.tree, present.contents.redirects, contents.redirects, found.get("redirect", []))
        categories.claim()
        offers.claim()
        categories.make()
        offers.make()
        categories.show()
        offers.show()
        categories.take_out()
        notes = [*categories.notes, *_caches(db)]
        if self.settings.redirects is not None:
            files = write_maps(db, load_tree(db, True), self.maps, self.create_maps)
            notes += [f"{self.maps.name}/{name} is new: reload the web server" for name in files]
        finish(db)
        self.progress(len(operations), len(operations))
        return notes


def _caches(db: Db) -> list[str]:
    """Name the caches that show the old state until an operator clears them."""
    notes = ["clear OpenCart's cache: the files cache.* in system/storage/cache (storage may lie outside the web root)"]
    if db.layout.main_category and db.setting("config_seo_url_cache"):
        notes.append("SEO Pro's cache is on: without clearing cache.seopro.* new addresses do not open")
    return notes
