"""The load step: guards against every store first, then each store by itself; and the files for a person."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from flows.run import Run
from flows.steps import Steps
from reports.outputs import catalogue_files, csv_bytes
from schemas.errors import GuardStop, StoreError, TorgsyncError
from schemas.report import StoreResult
from schemas.shop import SqlStore, TrsStore, trs_dialect
from stores import sql
from stores.feeds.trs import TrsWritten, write_trs
from stores.publish import publish
from transforms.feed import feed_goods
from transforms.guards import check_removed


def check_stores(run: Run) -> None:
    """Run the guards against what every store holds now. Raises GuardStop; a store that fails is left to the load."""
    catalogue = run.catalogue
    assert catalogue is not None
    for store in run.shop.stores:
        if isinstance(store, SqlStore):
            try:
                sql.check(store, run.shop.folder, catalogue.categories, catalogue.offers, _held(run), _guard(run))
            except StoreError as error:
                run.warnings.append(str(error).splitlines()[0])


def load_stores(run: Run, do: Steps) -> list[StoreResult]:
    """Load every store; one store's failure leaves the others whole and is told in its result."""
    results = []
    for store in run.shop.stores:
        try:
            results.append(do(f"load {store.name}", _load, run, store))
        except TorgsyncError as error:
            if isinstance(error, GuardStop):
                raise
            results.append(
                StoreResult(name=store.name, kind=store.kind, outcome="failed", message=str(error).replace("\n", ";"))
            )
    return results


def _load(run: Run, store: SqlStore | TrsStore) -> StoreResult:
    catalogue, decided = run.catalogue, run.decided
    assert catalogue is not None
    assert decided is not None
    if isinstance(store, SqlStore):
        return sql.load(store, run.shop.folder, catalogue.categories, catalogue.offers, _held(run), _guard(run))
    goods = feed_goods(catalogue.offers, decided.clean.product_types, catalogue.assignments, decided.numbered.sections)
    folder = run.shop.path(store.target)
    done = publish(
        folder,
        store.filename,
        lambda stream: write_trs(stream, goods, trs_dialect(store)),
        create=folder.is_relative_to(run.shop.folder),
    )
    notes = [*done.result.notes, *_replaced(done.result)]
    return StoreResult(name=store.name, kind=store.kind, lines=done.result.goods, published=done.published, notes=notes)


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


def _guard(run: Run) -> sql.Guard:
    limit = run.shop.guards.max_removed_share
    return lambda store, table, removed, shown: check_removed(store, table, removed, shown, limit)


def _held(run: Run) -> dict[str, Collection[int]]:
    """Keys whose source row is in the quarantine tonight: what a store holds of them stays as it is."""
    rejected = run.quarantine
    assert rejected is not None
    assert run.raw is not None
    goods = rejected.loc[rejected["table"] == "raw_goods", "row_key"]
    rows = set(rejected.loc[rejected["table"] == "raw_sections", "row_number"] - 1)
    numbers = run.raw.sections["number"].iloc[sorted(rows)].dropna()
    return {
        "offers": {int(key) for key in goods if str(key).lstrip("-").isdigit()},
        "categories": {int(number) for number in numbers if str(number).strip().isdecimal()},
    }


def write_outputs(run: Run) -> None:
    """Write the run's files into the shop's output folder: the catalogue only of a run that loaded it."""
    folder = run.shop.output
    files: dict[str, bytes] = {}
    if run.catalogue is not None and run.report.outcome in ("ok", "some stores failed"):
        files |= catalogue_files(run.catalogue.categories, run.catalogue.assignments, run.catalogue.offers)
    rejected = run.quarantine
    if rejected is not None:
        files["quarantine.csv"] = csv_bytes(rejected)
    run.report.outputs = sorted([*files, "report.json"])
    files["report.json"] = (run.report.model_dump_json(indent=2) + "\n").encode()
    for name, content in files.items():
        _write(folder, name, content)


def _write(folder: Path, name: str, content: bytes) -> None:
    publish(folder, name, lambda stream: stream.write(content), create=True)
