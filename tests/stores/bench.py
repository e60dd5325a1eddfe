"""Every kind of store behind one interface, for the conformance suite: a store is one line here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from sources.trs.file import read_trs
from tests.nights.world import Broken

Categories = dict[int, tuple[str, int | None]]
Offers = dict[int, tuple[int, str]]


@dataclass
class Bench:
    """One store under test.

    ``settings`` is its table in shop.toml; ``look`` reads, without our code, the categories (number → name, parent) and
    goods (id → category, name) that a visitor sees. ``plant`` adds foreign rows to the store and ``foreign``
    returns all of them. ``fault`` breaks the N-th write; every ``fault_step``-th N is tried. ``image`` is everything in
    the store.
    """

    kind: str
    settings: str
    look: Callable[[], tuple[Categories | None, Offers]]
    image: Callable[[], Any]
    fault: Callable[[int | None], AbstractContextManager[Any]]
    plant: Callable[[], None] | None = None
    foreign: Callable[[], Any] | None = None
    ids: Callable[[], dict[int, Any]] | None = None
    gaps: set[str] = field(default_factory=set)
    fault_step: int = 1
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def sql_fault(at: int | None) -> Iterator[list[int]]:
    """Raise Broken at the N-th statement that writes to a store; yields the number of writes so far."""
    count = [0]

    def tick(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().split(" ", 1)[0].upper() not in ("INSERT", "UPDATE", "DELETE", "REPLACE"):
            return
        if str(connection.engine.url.database).endswith("state.db"):
            return
        count[0] += 1
        if count[0] == at:
            raise Broken(f"at write {at}")

    event.listen(Engine, "before_cursor_execute", tick)
    try:
        yield count
    finally:
        event.remove(Engine, "before_cursor_execute", tick)


def sql_bench(url: str, environment: dict[str, str] | None = None) -> Bench:
    engine = create_engine(url)
    tables = {"categories": "number", "offers": "good_id", "redirects": "id"}

    def rows(statement: str) -> list[tuple[Any, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def look() -> tuple[Categories, Offers]:
        shown = "where managed = :yes and hidden = :no"
        with engine.connect() as connection:
            bound = {"yes": True, "no": False}
            categories = connection.execute(text(f"select number, name, parent_number from categories {shown}"), bound)
            offers = connection.execute(text(f"select good_id, category_number, name from offers {shown}"), bound)
            return {r[0]: (r[1], r[2]) for r in categories}, {r[0]: (r[1], r[2]) for r in offers}

    def plant() -> None:
        with engine.begin() as connection:
            connection.execute(
                text("insert into categories (number, name, path, depth, hidden, retired)"
                     " values (900001, 'своя', '[]', 1, :no, :no)"), {"no": False},
            )  # fmt: skip
            connection.execute(
                text("insert into offers (good_id, name, hidden, retired) values (900001, 'свій', :no, :no)"),
                {"no": False},
            )

    def foreign() -> Any:
        return [rows(f"select * from {table} where {key} = 900001") for table, key in list(tables.items())[:2]]

    return Bench(
        kind="sql",
        settings='kind = "sql"\nurl_env = "TORGSYNC_TEST_STORE"\n',
        look=look,
        image=lambda: [rows(f"select * from {table} order by {key}") for table, key in tables.items()],
        fault=sql_fault,
        plant=plant,
        foreign=foreign,
        ids=lambda: {r[0]: r[0] for r in rows("select number from categories")},
        environment={"TORGSYNC_TEST_STORE": url, **(environment or {})},
    )


@contextmanager
def file_fault(at: int | None) -> Iterator[list[int]]:
    """Raise Broken at the N-th rename into place."""
    count, real = [0], Path.replace

    def replace(self: Path, target: Any) -> Any:
        if "feed" in Path(target).parent.name:
            count[0] += 1
            if count[0] == at:
                raise Broken(f"at rename {at}")
        return real(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        yield count


def feed_bench(
    folder: Path, kind: str, filename: str, more: str, look: Callable[[bytes], tuple[Categories | None, Offers]]
) -> Bench:
    path = folder / "feed" / filename
    return Bench(
        kind=kind,
        settings=f'kind = "{kind}"\ntarget = "feed"\nfilename = "{filename}"\n{more}',
        look=lambda: look(path.read_bytes()),
        image=lambda: path.read_bytes() if path.exists() else None,
        fault=file_fault,
        gaps={"redirect", "retire"},
    )


def look_trs(data: bytes) -> tuple[None, Offers]:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".trs") as stream:
        stream.write(data)
        stream.flush()
        frame = read_trs(stream.name, encoding="utf-8", header=True).frame
    rows = zip(frame["good_id"], frame["category"], frame["good_name"], strict=True)
    return None, {int(good): (int(number), str(name)) for good, number, name in rows if int(number) != -1}


def look_yml(data: bytes) -> tuple[Categories, Offers]:
    root = etree.fromstring(data)
    categories = {
        int(c.get("id")): (c.text, None if c.get("parentId") is None else int(c.get("parentId")))
        for c in root.iter("category")
    }
    offers = {int(o.get("id")): (int(o.findtext("categoryId")), o.findtext("name")) for o in root.iter("offer")}
    return categories, offers


def look_google(data: bytes) -> tuple[None, Offers]:
    g = "{http://base.google.com/ns/1.0}"
    root = etree.fromstring(data)
    titles = ((i.findtext(f"{g}id"), i.findtext("title") or i.findtext(f"{g}title")) for i in root.iter("item"))
    return None, {int(good): (0, title) for good, title in titles}


def look_csv(data: bytes) -> tuple[None, Offers]:
    rows = csv.DictReader(io.StringIO(data.decode()))
    return None, {int(r["good_id"]): (int(r["category_number"]), r["name"]) for r in rows}


def look_json(data: bytes) -> tuple[Categories, Offers]:
    document = json.loads(data)
    categories = {r["number"]: (r["name"], r["parent_number"]) for r in document["categories"]}
    return categories, {r["good_id"]: (r["category_number"], r["name"]) for r in document["offers"]}


SHOP = 'shop_name = "Дім"\nshop_url = "https://dim.example"\nurl = "https://dim.example/{good_id}"\n'
COLUMNS = 'columns = ["good_id", "name", "category_number"]\n'


def _woocommerce(folder: Path, request: Any) -> Bench:
    from tests.woocommerce.bench import woocommerce_bench  # it imports Bench from here

    return woocommerce_bench(folder, request)


def _opencart(version: str, request: Any) -> Bench:
    from tests.opencart.bench import opencart_bench  # it imports Bench from here

    return opencart_bench(version, request)


STORES: dict[str, Callable[[Path, Any], Bench]] = {
    "sqlite": lambda folder, request: sql_bench(f"sqlite:///{folder / 'store.db'}"),
    "postgresql": lambda folder, request: sql_bench(request.getfixturevalue("postgres_url")),
    "mariadb": lambda folder, request: sql_bench(request.getfixturevalue("mariadb_url")),
    "trs": lambda folder, request: feed_bench(
        folder, "trs", "TSGoods.trs", 'encoding = "utf-8"\nheader = true\n', look_trs
    ),
    "yml": lambda folder, request: feed_bench(folder, "yml", "feed.yml", SHOP, look_yml),
    "google": lambda folder, request: feed_bench(folder, "google", "google.xml", SHOP, look_google),
    "csv": lambda folder, request: feed_bench(folder, "csv", "goods.csv", COLUMNS, look_csv),
    "woocommerce": lambda folder, request: _woocommerce(folder, request),
    "opencart-3.0": lambda folder, request: _opencart("3.0", request),
    "opencart-3.0-innodb": lambda folder, request: _opencart("3.0-innodb", request),
    "ocstore": lambda folder, request: _opencart("ocstore", request),
    "opencart-4.0": lambda folder, request: _opencart("4.0", request),
    "opencart-4.1": lambda folder, request: _opencart("4.1", request),
    "json": lambda folder, request: feed_bench(folder, "json", "goods.json", COLUMNS, look_json),
}
"""Every store of the suite: add a line for a new one."""
