"""A store that reads a file: the whole file anew whenever its content changes, and never a half of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

from schemas.catalogue import Catalogue
from schemas.contents import Contents, Rows
from schemas.errors import StalePlan, StoreError
from schemas.plan import StorePlan
from schemas.report import StoreResult
from schemas.shop import TrsStore, trs_dialect
from stores.feeds.trs import TrsWritten, write_trs
from stores.feeds.trs_goods import feed_goods
from stores.protocol import Capabilities, Journal, Known, Replan, Wanted
from stores.publish import publish


@dataclass(frozen=True)
class FeedWritten:
    """What a writer has written: goods in the file, fingerprint of its content, remarks for the report."""

    goods: int
    sha256: str
    notes: tuple[str, ...] = ()


Writer = Callable[[BinaryIO, Catalogue], FeedWritten]


class FeedTarget:
    """A feed holds nothing but its file: what its reader was last given is what it confirmed."""

    capabilities = Capabilities(
        atomic=True,
        gaps={"redirect": "a file has no redirects", "retire": "what is absent is not in the file at all"},
    )

    def __init__(
        self, name: str, kind: str, target: Path, filename: str, writer: Writer, known: Known, *, create: bool
    ) -> None:
        self.name, self.kind, self.target, self.filename = name, kind, target, filename
        self.writer, self.known, self.create = writer, known, create

    def want(self, catalogue: Catalogue, contents: Contents) -> Wanted:
        """The catalogue without redirects, and the fingerprint of the file that it makes."""
        written = self.writer(cast(BinaryIO, _Nowhere()), catalogue)
        return Wanted(catalogue, replace(contents, redirects=Rows(), files={self.filename: written.sha256}))

    def read(self) -> Contents:
        """What the file's reader was last given, and the fingerprint of the file that lies there now."""
        path = self.target / self.filename
        try:
            found = {self.filename: _sha256(path)} if path.is_file() else {}
        except OSError as error:
            raise StoreError(
                f"store {self.name}: {path} cannot be read: {error.strerror or error}", "correct its rights"
            ) from error
        return replace(self.known.contents, redirects=Rows(), files=found)

    def apply(self, plan: StorePlan, wanted: Wanted, replan: Replan, journal: Journal) -> StoreResult:
        """Publish the file, whole or not at all; where its content is what lies there, it is left alone."""
        operations = replan(self.read())
        journal.all_at_once(operations)
        done = publish(
            self.target, self.filename, lambda stream: self.writer(stream, wanted.catalogue), create=self.create
        )
        if done.sha256 != wanted.contents.files[self.filename]:
            raise StalePlan(f"store {self.name}: the file came out otherwise than planned", "report this, please")
        journal.done(-1)
        changes = Counter(f"{op.entity} {op.kind}" for op in operations if op.entity != "feed")
        return StoreResult(
            name=self.name, kind=self.kind, operations=dict(sorted(changes.items())), lines=done.result.goods,
            published=done.published, files={self.filename: done.sha256}, notes=list(done.result.notes),
        )  # fmt: skip


def trs_target(store: TrsStore, folder: Path, known: Known) -> FeedTarget:
    """The store of a ``TSGoods.trs``."""

    def write(stream: BinaryIO, catalogue: Catalogue) -> FeedWritten:
        goods = feed_goods(catalogue.offers, catalogue.product_types, catalogue.assignments, catalogue.sections)
        written = write_trs(stream, goods, trs_dialect(store))
        return FeedWritten(written.goods, written.sha256, (*written.notes, *_replaced(written)))

    target = (folder / Path(store.target).expanduser()).resolve()
    return FeedTarget(
        store.name, store.kind, target, store.filename, write, known, create=target.is_relative_to(folder)
    )


class _Nowhere(RawIOBase):
    """A stream that keeps nothing: a writer that writes to it tells the fingerprint of what it would write."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Take it all."""
        return len(data)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
