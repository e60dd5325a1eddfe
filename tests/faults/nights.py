"""Three nights of one shop; the third does every kind of operation. And what is compared after it."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest

import engine.session
from engine.main_path import sync
from engine.shops import load_shop
from engine.steps import Steps
from schemas.extract import Extract
from schemas.report import RunReport
from schemas.settings.shop import SourceSettings
from tests.faults.sweep import Effects
from tests.pure import goods_frame, sections_frame, types_frame

SETTINGS = """
name = "test"
[source]
dsn = "base.fdb"
[sections]
unmapped = "create"
rules = "rules.yaml"
first_number = 500
[removals]
retire_after_nights = 1
[[stores]]
name = "web"
kind = "sql"
url = "sqlite:///web.db"
[[stores]]
name = "site"
kind = "trs"
target = "feed"
"""
RULES = """rules:
  - match: {name: {glob: "Lite *"}}
    do: {merge: parent}
    reason: a version is no category of its own
"""
SECTIONS = sections_frame((10, None, "Посуд", 10), (20, 10, "Тарілки", 20), (80, None, "Прибори", 80))

_TYPES: dict[int, tuple[int | None, str, int | None]] = {
    1: (None, "Посуд", 10),
    2: (1, "Тарілки", 20),
    3: (1, "Чашки", None),
    4: (1, "Ножі", None),
    5: (1, "Ложки", None),
    6: (1, "Старе", None),
    7: (1, "Сезонне", None),
    8: (None, "Прибори", 80),
    9: (3, "Кухлі", None),
    10: (1, "Вази", None),
    12: (1, "Таці", None),
    13: (1, "Lite виделки", None),
}
_GONE: list[set[int]] = [set(), {6, 7}, {6, 10}]
_CHANGED: list[dict[int, tuple[int | None, str, int | None]]] = [
    {},
    {12: (1, "Підноси", None)},
    {4: (1, "Ножі кухонні", None), 5: (8, "Ложки", None), 9: (3, "Lite кухлі", None), 11: (8, "Нове", None)},
]
OPERATIONS = {
    "category create", "category hide", "category move", "category rename", "category restore", "category retire",
    "feed publish", "offer assign", "offer create", "offer hide", "offer restore", "offer retire", "offer update",
    "redirect redirect", "redirect unredirect",
}  # fmt: skip
"""What the third night does."""
LAST = 2


@lru_cache
def extract(night: int) -> Extract:
    """What the base holds on night 0, 1 or 2."""
    types = {key: row for key, row in (_TYPES | _CHANGED[night]).items() if key not in _GONE[night]}
    goods = [(key * 10 + n, key, f"Товар {key * 10 + n}") for key in types for n in range(3)]
    if night == LAST:
        goods = [(good, 3 if good == 21 else kind, f"{name}!" if good == 30 else name) for good, kind, name in goods]
        goods = [row for row in goods if row[0] != 31]
    frame = types_frame(*((key, *row) for key, row in types.items()))
    return Extract(frame, SECTIONS, goods_frame(*goods))


Reader = Callable[[SourceSettings, Path], Extract]


def reader(night: int, effects: Effects | None = None) -> Reader:
    """Reads the extract of a night; each table is a fetch that ``effects`` hears of."""

    def read(settings: SourceSettings, folder: Path) -> Extract:
        found = extract(night)
        for table in ("product types", "sections", "goods"):
            if effects is not None:
                effects.place(f"fetch {table}")
        return found

    return read


@contextmanager
def clock(night: int) -> Iterator[None]:
    """The runs within take place on that night, at the time that it is now."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.combine(datetime(2026, 1, 10) + timedelta(days=night), datetime.now(tz).time())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.session, "datetime", Clock)
        yield


class _Remembering(Steps):
    """Does the pure steps once per input: hundreds of broken nights have the same."""

    pure = ("validate", "sections", "catalogue")
    known: dict[bytes, bytes] = {}  # noqa: RUF012 - of the whole process, on purpose

    def __call__(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if name not in self.pure:
            return super().__call__(name, function, *args, **kwargs)
        key = sha256(pickle.dumps((name, args, kwargs))).digest()
        if key not in self.known:
            self.known[key] = pickle.dumps(super().__call__(name, function, *args, **kwargs))
        return pickle.loads(self.known[key])


def run_night(folder: Path, night: int, read: Reader | None = None) -> RunReport:
    """One sync of the shop on that night."""
    with clock(night):
        return sync(load_shop(folder), steps=_Remembering(), read=read or reader(night))


def new_shop(folder: Path, settings: str = SETTINGS, nights: int = LAST) -> Path:
    """A shop that has had its first nights."""
    (folder / "feed").mkdir(parents=True)
    (folder / "shop.toml").write_text(settings, encoding="utf-8")
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    for night in range(nights):
        report = run_night(folder, night)
        assert report.outcome == "ok", report.message
    return folder


def copy(template: Path, folder: Path) -> Path:
    """The shop again, for one broken night. SQLite's shared memory is of the processes that have it open."""
    shutil.copytree(template, folder)
    return folder


def table(path: Path, name: str) -> list[dict[str, Any]]:
    """Every row of a table of an SQLite file in a fixed order; none where there is no such table."""
    return tables(path).get(name, [])


def tables(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every table of an SQLite file, each in a fixed order; of a copy: a crash leaves traces for the next run."""
    if not path.is_file():
        return {}
    with TemporaryDirectory() as elsewhere:
        for file in path.parent.glob(f"{path.name}*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, elsewhere)
        with closing(sqlite3.connect(Path(elsewhere) / path.name)) as connection:
            connection.row_factory = sqlite3.Row
            names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
            return {
                name: sorted((dict(row) for row in connection.execute(f'select * from "{name}"')), key=repr)
                for name in sorted(names)
            }


def disk(folder: Path) -> str:
    """Fingerprint of all that lies in the folder, without times and the names that a run makes up.

    From two folders of one fingerprint the next run does the same: one of them needs to be tried.
    """
    parts: list[str] = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".db":
            found = repr(tables(path))
        elif path.is_file() and "-shm" not in name and "-wal" not in name and "-journal" not in name:
            found = sha256(_ANY.sub(b"", path.read_bytes())).hexdigest()
        else:
            found = str(path.is_file() and path.stat().st_size > 0)
        parts.append(_ANY.sub(b"*", f"{name} {found}".encode()).decode())
    return sha256("\n".join(sorted(parts)).encode()).hexdigest()


_ANY = re.compile(rb"2026\d{4}-\d{6}-[0-9a-f]{8}|\.part-[0-9a-f]{8}|\d{4}-\d\d-\d\dT[\d:.]+(\+[\d:]+)?"
                  rb"|seconds.{0,200}?\}|\"pid\": \d+")  # fmt: skip


def stores(folder: Path) -> dict[str, Any]:
    """What each store's reader sees."""
    feed = folder / "feed" / "TSGoods.trs"
    web = tables(folder / "web.db")
    return {
        "web": {name: web.get(name, []) for name in ("categories", "offers", "redirects")},
        "site": feed.read_bytes() if feed.is_file() else None,
    }


def state(folder: Path) -> dict[str, Any]:
    """The state without what names a run or a time, and what is kept in the history under each fingerprint."""
    found = tables(folder / "state.db")
    loaded, confirmed = found["loaded"], found["confirmed"]
    kept = {row[name] for row in [*found["runs"], *loaded, *confirmed] for name in ("catalogue", "extract")
            if row.get(name)}  # fmt: skip
    return {
        "numbers": found["section_numbers"],
        "loaded": [
            {**_without(row, "run", "plan", "last_successful"), "complete": row["last_successful"] == row["run"]}
            for row in loaded
        ],
        "confirmed": [_without(row, "run") for row in confirmed],
        **{name: found[name] for name in ("tombstones", "remembered_redirects", "bindings", "accepted")},
        "history": {
            str(file.relative_to(folder)): sha256(file.read_bytes()).hexdigest()
            for kind in ("catalogues", "extracts")
            for file in sorted((folder / "history" / kind).rglob("*"))
            if file.is_file()
        },
        "kept": sorted(fingerprint[:20] for fingerprint in kept),
    }


def everything(folder: Path) -> dict[str, Any]:
    """All that must be the same after a broken night and a second run as after an unbroken one."""
    output = {
        name: (folder / "output" / name).read_bytes()
        for name in ("categories.csv", "assignments.csv", "offers.csv", "tree.txt", "quarantine.csv")
    }
    return {"stores": stores(folder), "state": state(folder), "output": output}


def last_run(folder: Path) -> dict[str, Any]:
    """The newest run's row, and its report."""
    row = max(table(folder / "state.db", "runs"), key=lambda row: row["sequence"])
    return {**row, "report": json.loads(row["report"]) if row["report"] else None}


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}


def frames_of(found: Extract) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The three tables, as a base is built of them."""
    return found.product_types, found.sections, found.goods
