"""A store that reads a file: the whole file anew whenever its content changes, and never a half of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import pandas as pd

from schemas.catalogue import Catalogue
from schemas.contents import Contents, Rows
from schemas.errors import StalePlan
from schemas.report import StoreResult
from schemas.settings.delivery import DeliverySettings
from schemas.settings.stores import CsvStore, FileStore, GoogleStore, JsonStore, TrsStore, YmlStore, trs_dialect
from stores.delivery import Destination, deliver, read_digest
from stores.feeds.goods import unsellable
from stores.feeds.google import write_google
from stores.feeds.sink import FeedFile
from stores.feeds.tables import write_csv, write_json
from stores.feeds.trs import TrsWritten, write_trs
from stores.feeds.trs_goods import feed_goods
from stores.feeds.yml import content_sha256, write_yml
from stores.protocol import Begun, Capabilities, PriorState, Replan, Wanted
from stores.publish import file_sha256


@dataclass(frozen=True)
class FeedWritten:
    """What a writer has written: goods in the file, fingerprint of its content (without the date that a YML file
    bears), remarks for the report.
    """

    goods: int
    content: str
    notes: tuple[str, ...] = ()


Writer = Callable[[BinaryIO, Catalogue], FeedWritten]
LeftOut = Callable[[pd.DataFrame], Collection[int]]
"""Which of some offers a file cannot hold, hidden or not."""


class FeedAdapter:
    """A feed holds nothing but its file: what its reader was last given is what it confirmed."""

    capabilities = Capabilities(
        gaps={"redirect": "a file has no redirects", "retire": "what is absent is not in the file at all"},
    )

    def __init__(
        self,
        store: FileStore,
        kind: str,
        folder: Path,
        writer: Writer,
        known: PriorState,
        fingerprint: Callable[[Path], str],
        left_out: LeftOut,
        mode: int | None = None,
    ) -> None:
        self.name, self.kind, self.filename = store.name, kind, store.filename
        self.target = Destination(DeliverySettings.of(store), folder)
        self.writer, self.known, self.fingerprint, self.left_out = writer, known, fingerprint, left_out
        self.mode = mode

    def want(self, catalogue: Catalogue, contents: Contents) -> Wanted:
        """The catalogue without redirects, and the fingerprint of the file that it makes."""
        written = self.writer(cast(BinaryIO, _Nowhere()), catalogue)
        return Wanted(catalogue, self._shown(contents, catalogue, {self.filename: written.content}))

    def read(self) -> Contents:
        """What the file's reader was last given, and the fingerprint of the file that lies there now."""
        found = self._content()
        files = {} if found is None else {self.filename: found}
        return self._shown(self.known.contents, self.known.catalogue, files)

    def _shown(self, contents: Contents, catalogue: Catalogue | None, files: Mapping[str, str]) -> Contents:
        """What the file's reader sees of a catalogue: a good that is left out of the file is hidden from it.

        Both sides of a plan are seen so: a good that loses its price is hidden by it, and guarded, like any other.
        """
        offers = contents.offers
        if catalogue is not None:
            offers = _hide(offers, self.left_out(catalogue.offers))
        return replace(contents, offers=offers, redirects=Rows(), files=files)

    def _content(self) -> str | None:
        """The fingerprint of the content; of a file on a server, which is not fetched, by what its marker says."""
        whole = read_digest(self.target, self.filename)
        if whole is None or whole == self.known.files.get(self._whole):
            return None if whole is None else self.known.files.get(self.filename, whole)
        return self.fingerprint(self.target.folder / self.filename) if self.target.is_folder else whole

    @property
    def _whole(self) -> str:
        return f"{self.filename}, with its date"

    def apply(self, wanted: Wanted, replan: Replan, begun: Begun) -> StoreResult:
        """Publish the file, whole or not at all; where its content is what lies there, it is left alone."""
        operations = replan(self.read())
        begun()
        done = deliver(
            self.target,
            self.filename,
            lambda stream: self.writer(stream, wanted.catalogue),
            create=self.target.makes_folder,
            mode=self.mode,
        )
        if done.result.content != wanted.contents.files[self.filename]:
            raise StalePlan(f"store {self.name}: the file came out otherwise than planned", "report this, please")
        changes = Counter(f"{op.entity} {op.kind}" for op in operations if op.entity != "feed")
        return StoreResult(
            name=self.name, kind=self.kind, operations=dict(sorted(changes.items())), lines=done.result.goods,
            published=done.published, files={self.filename: done.result.content, self._whole: done.sha256},
            notes=[*done.result.notes, *done.notes],
        )  # fmt: skip


def feed_adapter(
    store: FileStore, folder: Path, known: PriorState, date: datetime, mode: int | None = None
) -> FeedAdapter:
    """The store of a feed. ``date`` is what a YML file that must be written anew says of its content.

    ``mode`` are the rights of a new file on this machine.
    """
    writer, fingerprint = _writer(store, date)
    return FeedAdapter(
        store, str(getattr(store, "kind", "")), folder, writer, known, fingerprint, _left_out(store), mode
    )


def _left_out(store: FileStore) -> LeftOut:
    """Feeds of priced goods leave out what cannot be sold; the others hold every good that is not hidden."""
    if isinstance(store, YmlStore | GoogleStore):
        return partial(unsellable, discounts=store.discounts)
    return lambda offers: ()


def _hide(offers: Rows, goods: Collection[int]) -> Rows:
    """The rows with these goods hidden."""
    if not goods:
        return offers
    place = offers.columns.index("hidden")
    found = ((good, offers.rows[good]) for good in goods if good in offers.rows)
    return replace(offers, rows={**offers.rows, **{good: (*r[:place], True, *r[place + 1 :]) for good, r in found}})


def _writer(store: FileStore, date: datetime) -> tuple[Writer, Callable[[Path], str]]:
    if isinstance(store, TrsStore):
        return lambda stream, catalogue: _trs(stream, catalogue, store), file_sha256
    if isinstance(store, YmlStore):
        return _other(lambda s, c: write_yml(s, c.categories, c.offers, store, date)), content_sha256
    if isinstance(store, GoogleStore):
        return _other(lambda s, c: write_google(s, c.categories, c.offers, store)), file_sha256
    if isinstance(store, CsvStore):
        return _other(lambda s, c: write_csv(s, c.categories, c.offers, store)), file_sha256
    assert isinstance(store, JsonStore)
    return _other(lambda s, c: write_json(s, c.categories, c.offers, store)), file_sha256


def _trs(stream: BinaryIO, catalogue: Catalogue, store: TrsStore) -> FeedWritten:
    goods = feed_goods(catalogue.offers, catalogue.product_types, catalogue.assignments, catalogue.sections)
    written = write_trs(stream, goods, trs_dialect(store))
    return FeedWritten(written.goods, written.sha256, (*written.notes, *_replaced(written)))


def _other(write: Callable[[BinaryIO, Catalogue], FeedFile]) -> Writer:
    """A writer whose report also tells how many goods are hidden, and so not in its file; its notes tell the rest."""

    def writer(stream: BinaryIO, catalogue: Catalogue) -> FeedWritten:
        file = write(stream, catalogue)
        hidden = file.left_out.get("hidden", 0)
        told = (f"{hidden} hidden goods are not in the file",) if hidden else ()
        return FeedWritten(file.offers, file.content_sha256, (*told, *file.notes))

    return writer


class _Nowhere(RawIOBase):
    """A stream that keeps nothing: a writer that writes to it tells the fingerprint of what it would write."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Take it all."""
        return len(data)


def _replaced(written: TrsWritten) -> list[str]:
    """One note per character that the file's encoding cannot hold, with the goods it stood in."""
    by_character: dict[tuple[str, str], list[int]] = {}
    for item in written.unencodable:
        by_character.setdefault((item.character, item.written), []).append(item.good_id)
    return [
        f"{character!r} became {instead!r} in {len(goods)} texts, the encoding cannot hold it "
        f"(goods {', '.join(map(str, sorted(set(goods))[:5]))}{', …' if len(set(goods)) > 5 else ''})"
        for (character, instead), goods in by_character.items()
    ]
