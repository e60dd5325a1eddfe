"""Eight shops of one chain, no two alike: base, schema map, rules, policy, stores; three of them in trouble."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import create_engine, inspect, text

from engine.shops import load_shop
from state.url import state_url
from tests.pure import goods_frame, sections_frame, types_frame
from tests.source.conftest import Place

TYPES = types_frame((1, None, "Дім", 10), (2, 1, "Посуд", 20), (3, 2, "Глибокі"), (4, None, "Ґудзики’"), (5, 1, "Сад"))
SECTIONS = sections_frame((10, None, "Дім", 10), (20, 10, "Посуд", 20))
SQL = '[[stores]]\nname = "web"\nkind = "sql"\nurl = "sqlite:///web.db"\n'
TRS = '[[stores]]\nname = "site"\nkind = "trs"\ntarget = "feed"\nencoding = "utf-8"\nheader = true\n'
CSV = '[[stores]]\nname = "list"\nkind = "csv"\ntarget = "feed"\n'
JSON = '[[stores]]\nname = "data"\nkind = "json"\ntarget = "feed"\n'
RULES = "rules:\n  - match: {type_id: 3}\n    do: {merge: parent}\n    reason: too few of them\n"
OWN_MAP = """[source.map.product_types]
table = "KINDS"
id = "TYPE_ID"
parent = "PARENT_ID"
name = "TITLE"
section = "SECTION_KEY"
[source.map.sections]
table = "SECTIONS"
key = "SECTION_KEY"
parent = "PARENT_KEY"
name = "NAME"
number = "NUMBER"
[source.map.goods]
table = "GOODS"
id = "GOOD_ID"
type = "TYPE_ID"
name = "GOOD_NAME"
"""

SOUND = ("big", "cosmetics", "household", "tools", "toys")
"""The shops that end ok; the others are ``broken`` (no base), ``emptied`` (a guard) and ``held`` (busy)."""

NAMES = (*SOUND, "broken", "emptied", "held")


SHOPS: dict[str, dict[str, Any]] = {
    "big": {"goods": 3000, "unmapped": "create", "stores": SQL + CSV},
    "cosmetics": {"goods": 40, "charset": "UTF8", "stores": SQL},
    "household": {"goods": 60, "rules": RULES, "stores": SQL + TRS},
    "tools": {"goods": 30, "unmapped": "hide", "stores": JSON},
    "toys": {"goods": 50, "unmapped": "create", "mapped": True, "stores": SQL},
    "broken": {"goods": 0, "stores": SQL},
    "emptied": {"goods": 0, "stores": SQL},
    "held": {"goods": 20, "stores": SQL},
}


def fleet(root: Path, state: str = "", names: Iterable[str] = NAMES) -> list[str]:
    """Build shops below ``root``, their state in one database at ``state`` or beside each; gives their folders."""
    for name in names:
        _shop(root, name, state=state, **SHOPS[name])
    return [str(root / name) for name in names]


def _shop(
    root: Path,
    name: str,
    goods: int,
    stores: str,
    state: str,
    unmapped: str = "inherit",
    rules: str = "rules: []\n",
    charset: Any = "WIN1251",
    mapped: bool = False,
) -> None:
    folder = root / name
    folder.mkdir(parents=True)
    place = Place("embedded", folder)
    first = 1 + 10_000 * NAMES.index(name)
    frame: pd.DataFrame = goods_frame(*((first + n, n % 5 + 1, f"{name} №{n} ґ’") for n in range(goods)))
    place.lay("base.fdb", TYPES, SECTIONS, frame, charset=charset)
    if name == "broken":
        (folder / "base.fdb").write_bytes(b"not a base")
    if mapped:
        place.run("base.fdb", "ALTER TABLE PRODUCT_TYPES ALTER NAME TO TITLE")
        place.run("base.fdb", "CREATE VIEW KINDS AS SELECT * FROM PRODUCT_TYPES")
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    settings = f'name = "{name}"\n[source]\ndsn = "base.fdb"\n{OWN_MAP if mapped else ""}[sections]\n'
    settings += f'unmapped = "{unmapped}"\nrules = "rules.yaml"\nfirst_number = {1000 + first}\n{stores}'
    settings += f'[state]\nurl = "{state}"\n' if state else ""
    (folder / "shop.toml").write_text(settings, encoding="utf-8")


def stores_of(folder: str) -> dict[str, Any]:
    """All that the shop's stores hold: every row of the SQL store, the SHA-256 of every feed."""
    held: dict[str, Any] = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path(folder, "feed").glob("*"))
    }
    web = Path(folder, "web.db")
    if web.is_file():
        with closing(sqlite3.connect(web)) as connection:
            for table in ("categories", "offers", "redirects"):
                held[table] = connection.execute(f"select * from {table} order by 1").fetchall()
    return held


def state_of(folder: str) -> dict[str, list[dict[str, Any]]]:
    """What the state knows of the shop but the history of its runs, without the names that a run makes up."""
    shop = load_shop(folder)
    engine = create_engine(state_url(shop))
    mine = ("run", "plan", "last_successful")
    engine = create_engine(state_url(shop))
    mine = ("run", "first_run", "last_run", "plan", "last_successful")
    try:
        with engine.connect() as connection:
            tables = {
                t for t in inspect(connection).get_table_names()
                if t not in ("runs", "writes_begun", "quarantine") and not t.endswith("_version")
            }  # fmt: skip
            found = {
                table: connection.execute(text(f'select * from "{table}" where shop = :shop'), {"shop": shop.name})
                for table in tables
            }
            return {
                table: sorted(
                    ({k: v for k, v in row.items() if k not in mine} for row in rows.mappings()), key=repr
                )
                for table, rows in found.items()
            }  # fmt: skip
    finally:
        engine.dispose()


def runs_of(folder: str) -> list[tuple[str, int]]:
    """Outcome and exit code of the shop's runs, newest first."""
    from state.database import State

    shop = load_shop(folder)
    state = State(state_url(shop), shop.name)
    try:
        return [(row["outcome"], row["exit_code"]) for row in state.runs()]
    finally:
        state.close()
