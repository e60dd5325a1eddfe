"""Old addresses of categories: OpenCart has no table for them, the web server gets a map (stores-facts.md section 1.3).

A second slug row would be an alias that answers 200, or even the address that the shop links to. The old address is
noted when a category leaves it. Its target is looked up each time a map is written: so there are no chains, and a
living address is never redirected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from schemas.contents import Key, Rows
from schemas.settings.opencart import MAP_NAMES
from stores.opencart.db import Db
from stores.opencart.ownership_tables import interrupted, leave_alone, packed, unpacked
from stores.opencart.tree import SlugScope, Tree
from stores.opencart.wanted import CURRENT
from stores.publish import publish

MAP_MODE = 0o644
"""Of a new map: the web server reads it, and it holds no prices."""
COLUMNS = ("old_number", "old_path", "number")
_UPSERT = """
    INSERT INTO {torgsync_redirect} (id, old_number, old_path, number, urls, before_row, touched)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE
    urls = IF(touched > 0 AND old_number = VALUES(old_number), urls, VALUES(urls)), old_number = VALUES(old_number),
    old_path = VALUES(old_path), number = VALUES(number),
    before_row = IF(touched > 0, before_row, VALUES(before_row)), touched = 1"""


def read_redirects(db: Db) -> Rows:
    """Return the redirects in force. Rows that an interrupted run was writing are returned as they were before it."""
    out: dict[Key, tuple[object, ...]] = {}
    query = "SELECT id, old_number, old_path, number, touched, before_row FROM {torgsync_redirect} ORDER BY id"
    for key, old, path, number, touched, before in db.rows(query):
        if not touched:
            out[key] = (old, json.loads(path), number)
        elif before is not None:
            out[key] = unpacked(before)
    return Rows(COLUMNS, out)


def note_redirects(db: Db, tree: Tree, present: Rows, wanted: Rows, keys: Sequence[Key]) -> None:
    """Note new, changed and dropped redirects with the present addresses. Call it before any other write."""
    leave_alone(db, "torgsync_redirect")
    noted = dict(db.rows("SELECT id, urls FROM {torgsync_redirect} WHERE id IN :ids", ids=[*map(str, keys), ""]))
    rows = []
    for key in keys:
        if key not in wanted.rows:
            continue
        old, path, number = wanted.rows[key]
        before = present.rows.get(key)
        urls = {f"{store}:{language}": tree.address(db, old, (store, language)) for store, language in tree.scopes(db)}
        text = json.dumps({scope: url for scope, url in urls.items() if url}, ensure_ascii=False)
        if before is not None and before[0] == old and key in noted:
            text = noted[str(key)]
        rows.append((key, old, json.dumps(list(path), ensure_ascii=False), number, text, packed(before), 1))
    db.many(_UPSERT, rows)
    dropped = [(packed(present.rows.get(key)), key) for key in keys if key not in wanted.rows]
    db.many("UPDATE {torgsync_redirect} SET touched = 2, before_row = %s WHERE id = %s", dropped)


def write_maps(db: Db, tree: Tree, folder: Path, create: bool) -> list[str]:
    """Write the maps whose content changed; returns the names of these files."""
    written = []
    for name, text in _maps(db, tree).items():
        if not _same(folder / name, text):
            publish(folder, name, lambda stream, text=text: stream.write(text.encode()), create=create, mode=MAP_MODE)  # type: ignore[misc]
            written.append(name)
    return written


def map_states(db: Db, tree: Tree, folder: Path, owned: bool) -> dict[str, str]:
    """Return for each map whether it agrees with the tables. After an interrupted run the plan writes it."""
    if not owned or interrupted(db):
        return dict.fromkeys(MAP_NAMES.values(), CURRENT)
    return {name: CURRENT if _same(folder / name, text) else "stale" for name, text in _maps(db, tree).items()}


def _same(path: Path, text: str) -> bool:
    if not path.is_file():
        return "301" not in text and '"' not in text  # nothing to redirect needs no file
    return path.read_bytes() == text.encode()


def _maps(db: Db, tree: Tree) -> dict[str, str]:
    pairs = dict(_pairs(db, tree))
    head = "# Written by torgsync anew whenever it changes: old addresses of categories and where they are now.\n"
    nginx = "".join(
        f'"{_nginx(old)}{end}" "{quote(new)}";\n' for old, new in sorted(pairs.items()) for end in ("", "/")
    )
    apache = "".join(
        f'RedirectMatch 301 "^{re.escape(old)}/?$" "{quote(new)}"\n'.replace("%", "%%").replace("%%", "%")
        for old, new in sorted(pairs.items())
        if '"' not in old
    )
    return {MAP_NAMES["nginx"]: head + nginx, MAP_NAMES["apache"]: head + apache}


def _nginx(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"')


def _pairs(db: Db, tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield old path and new path, without a host. The first language wins where two differ."""
    scopes = tree.scopes(db)
    living = {
        f"{lead}/{address}"
        for category in tree.values()
        if category.status
        for scope in scopes
        if (address := tree.address(db, category.number, scope))
        for lead in _leads(db, scope)
    }
    rows = db.rows("SELECT number, urls FROM {torgsync_redirect} WHERE touched <> 2 ORDER BY id")
    for scope in reversed(scopes):
        for number, urls in rows:
            old = json.loads(urls).get(f"{scope[0]}:{scope[1]}")
            new = tree.address(db, number, scope)
            if not old or not new or not tree[number].status:
                continue
            for lead in _leads(db, scope):
                if f"{lead}/{old}" not in living:
                    yield f"{lead}/{old}", f"{lead}/{new}"


def _leads(db: Db, scope: SlugScope) -> list[str]:
    """Return what precedes the slugs in an address: nothing in 3.0; slugs of language and route in 4.x."""
    if not db.layout.slug_paths:
        return [""]
    found = {
        (key, value): keyword
        for key, value, keyword in db.rows(
            "SELECT `key`, `value`, keyword FROM {seo_url} WHERE `key` IN ('language', 'route')"
            " AND store_id = :store AND language_id = :language",
            store=scope[0], language=scope[1],
        )
    }  # fmt: skip
    code = db.languages.codes[scope[1]]
    language = "/" + str(found.get(("language", code), code))
    route = "/" + str(found.get(("route", "product/category"), "catalog"))
    return [language + route, route, language, ""]
