"""The store «woocommerce»: reads the shop, and applies the plan in batches, each confirmed by a second reading."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.catalogue import Catalogue
from schemas.contents import Contents
from schemas.errors import SettingsError, StoreError, TorgsyncError, Unreadable
from schemas.report import StoreResult
from schemas.settings.woocommerce import WooCommerceStore
from schemas.values import plain_values
from stores.protocol import Begun, Capabilities, PriorState, Progress, Replan, Wanted, silent
from stores.publish import publish
from stores.woocommerce.bindings import Bindings, Remember
from stores.woocommerce.categories import hide_categories, show_categories
from stores.woocommerce.client import Access, Client, Clock
from stores.woocommerce.products import write_products
from stores.woocommerce.redirects import redirect_csv, redirect_lines
from stores.woocommerce.session import Session
from stores.woocommerce.snapshot import contents_of, read_snapshot, read_terms, settle_links
from stores.woocommerce.text import clean
from stores.woocommerce.wanted import WooWanted, keep_editors_fields, wanted_of


class WooCommerceAdapter:
    """Our categories and products of a shop. ``bind`` stores (entity, key) → (id, slug) at once.

    The file of redirects is written into ``folder``. Nothing is ever deleted.
    """

    kind = "woocommerce"
    capabilities = Capabilities(
        gaps={
            "redirect": "WooCommerce keeps no redirects: redirects-NAME.csv is written for a plugin to import",
            "retire": "a hidden term or product stays: a deleted one would lose its address",
        },
    )

    def __init__(
        self,
        settings: WooCommerceStore,
        folder: Path,
        prior: PriorState,
        bind: Remember,
        *,
        progress: Progress = silent,
        clock: Clock | None = None,
    ) -> None:
        self.settings, self.folder, self.progress, self.clock = settings, folder, progress, clock
        self.name = settings.name
        self.bindings = Bindings(prior.bindings, bind)
        self._ahead: Contents | None = None

    def want(self, catalogue: Catalogue, contents: Contents) -> Wanted:
        """Return the contents in the columns of WooCommerce. Reads the shop only where an editor owns some columns."""
        wanted = wanted_of(contents, self.settings)
        if self.settings.only_on_create:
            try:
                self._ahead = self._read()
            except TorgsyncError as error:
                raise Unreadable(error.message, error.next_step) from error
            wanted = keep_editors_fields(wanted, self._ahead, self.settings)
        return WooWanted(catalogue, wanted, contents.redirects)

    def read(self) -> Contents:
        """Read our rows; uses what ``want`` has read, if it did."""
        found, self._ahead = self._ahead, None
        return found if found is not None else self._read()

    def apply(self, wanted: Wanted, replan: Replan, begun: Begun) -> StoreResult:
        """Write categories from the roots down, then goods, then hide; reports all failures at the end."""
        with self._client() as client:
            snapshot = read_snapshot(client, self.settings, self.bindings)
            operations = replan(contents_of(snapshot, self.settings, self.bindings))
            session = Session(
                client=client,
                settings=self.settings,
                bindings=self.bindings,
                snapshot=snapshot,
                wanted=wanted.contents,
                descriptions=_descriptions(wanted.catalogue),
                total=len(operations),
                progress=self.progress,
            )
            categories = [operation for operation in operations if operation.entity == "category"]
            if operations:
                begun()
            try:
                show_categories(session, [op for op in categories if op.key in wanted.contents.categories.rows])
                write_products(session, [op for op in operations if op.entity == "offer"])
                hide_categories(session, [op for op in categories if op.key not in wanted.contents.categories.rows])
                self._write_redirects(session, wanted)
            except StoreError as error:
                message = f"{error.message}; {sum(session.counts.values())} of {session.total} operations were done"
                raise StoreError(message, error.next_step) from error
            session.check()
            return StoreResult(
                name=self.name,
                kind=self.kind,
                operations=dict(sorted(session.counts.items())),
                notes=session.all_notes(),
            )

    def _read(self) -> Contents:
        with self._client() as client:
            snapshot = read_snapshot(client, self.settings, self.bindings)
        settle_links(snapshot, self.bindings)
        return contents_of(snapshot, self.settings, self.bindings)

    @contextmanager
    def _client(self) -> Iterator[Client]:
        settings = self.settings
        keys = []
        for variable in (settings.key_env, settings.secret_env):
            if not os.environ.get(variable):
                raise SettingsError(f"store {self.name}: environment variable {variable} is not set", "set it")
            keys.append(os.environ[variable].strip())
        access = Access(self.name, settings.url, keys[0], keys[1], settings.timeout_seconds, settings.tries)
        with Client(access, self.clock) as client:
            yield client

    def _write_redirects(self, session: Session, wanted: Wanted) -> None:
        """Write the file of old addresses when it has to change."""
        name = f"redirects-{self.name}.csv"
        if not isinstance(wanted, WooWanted) or not (wanted.redirects.rows or (self.folder / name).exists()):
            return
        terms = read_terms(session.client)
        lines = redirect_lines(wanted.redirects, terms, self.bindings, self.settings.category_base, _living(wanted))
        if not lines:
            if (self.folder / name).exists():
                (self.folder / name).unlink()
                session.notes.append(f"{name} is removed: none of its addresses is free; remove them from the plugin")
            return
        text = redirect_csv(lines).encode()
        if publish(self.folder, name, lambda stream: stream.write(text), create=True).published:
            session.notes.append(f"{len(lines)} old addresses of categories are in {name}: import it with a plugin")


def _living(wanted: Wanted) -> list[int]:
    return [int(number) for number in wanted.contents.categories.rows]


def _descriptions(catalogue: Catalogue) -> dict[int, str]:
    """Return the description of each good: sent when its product is made."""
    offers = catalogue.offers
    pairs = zip(plain_values(offers["good_id"]), plain_values(offers["description"]), strict=True)
    return {int(good): clean(text) for good, text in pairs if text}
