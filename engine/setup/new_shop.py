"""The folder of a new shop: a working shop.toml from the metadata of the base, and an empty rules.yaml."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import SettingsError, SourceError, closest
from schemas.settings.shop import Shop, SourceSettings

STORES = {
    "sql": """
[[stores]]                       # docs/shop.md: tables categories, offers, redirects
name = "web"
kind = "sql"
url = "sqlite:///web.db"         # or url_env = "WEB_URL" where the URL holds a password: postgresql+psycopg://…, mysql+pymysql://…
""",
    "trs": """
[[stores]]                       # docs/trs.md: the sync file; profile "torgsoft" is the vendor's default
name = "site"
kind = "trs"
target = "output"                # a folder, or sftp:// ftps:// ftp:// s3://: docs/delivery.md
profile = "torgsoft"
""",
    "yml": """
[[stores]]                       # docs/feeds.md
name = "market"
kind = "yml"
target = "output"                # a folder, or sftp:// ftps:// ftp:// s3://: docs/delivery.md
shop_name = "{name}"
shop_url = "https://shop.example"
""",
    "google": """
[[stores]]                       # docs/feeds.md; {{good_id}} and other fields go into the address of a good's page
name = "google"
kind = "google"
target = "output"
shop_name = "{name}"
shop_url = "https://shop.example"
url = "https://shop.example/p/{{good_id}}"
""",
    "csv": """
[[stores]]                       # docs/feeds.md
name = "table"
kind = "csv"
target = "feed"
""",
    "json": """
[[stores]]                       # docs/feeds.md
name = "json"
kind = "json"
target = "feed"
""",
    "woocommerce": """
[[stores]]                       # docs/woocommerce.md
name = "woo"
kind = "woocommerce"
url = "https://shop.example"
key_env = "WOO_KEY"              # the environment variables that hold the two keys
secret_env = "WOO_SECRET"
""",
    "opencart": """
[[stores]]                       # docs/opencart.md
name = "shop"
kind = "opencart"
url_env = "OPENCART_URL"         # the environment variable that holds mysql+pymysql://login:password@host/database
prefix = "oc_"
""",
}
"""The smallest table of each kind of store."""

HEAD = """# A shop of torgsync: one Torgsoft base with its rules and stores. docs/shop.md has every key.
name = "{name}"

[source]
dsn = {dsn}
user = "{user}"
{password}charset = "WIN1251"              # only for text columns that the base declares as NONE
{named}
[sections]
unmapped = "{unmapped}"{blanks}# a type without rule and link: inherit | create | hide | error
rules = "rules.yaml"
"""

RULES = """# Merge rules: docs/rules.md. The first rule that matches a type decides. For example:
#
#   - match: {path: [Посуд, "**"]}
#     do: {merge: {path: [Посуд]}}
#     reason: one category for all of it
#     expect: 12
rules: []
"""


@dataclass(frozen=True)
class NewShop:
    """A new shop: its name, the written files, and what a person must check in shop.toml."""

    name: str
    files: tuple[str, ...]
    look: str


def make_shop(folder: Path, dsn: str | None, user: str, password_env: str | None, kinds: Sequence[str]) -> NewShop:
    """Write shop.toml and, where it is missing, rules.yaml into ``folder``, whose name becomes the shop's.

    ``kinds``: one store of each, of STORES. Raises SettingsError where there is a shop already, SourceError for a base
    that cannot be read; nothing is written then.
    """
    if (folder / "shop.toml").exists():
        raise SettingsError(f"{folder / 'shop.toml'} is there already", "edit it, or give another folder")
    for kind in kinds:
        if kind not in STORES:
            raise SettingsError(f'no kind of store "{kind}"', closest(kind, list(STORES)))
    if len(set(kinds)) < len(kinds):
        raise SettingsError("one kind of store is given twice", "give it once, and copy its table in shop.toml")
    name = folder.resolve().name
    base = _base(folder, dsn, user, password_env)
    text = HEAD.format(
        name=name,
        dsn=_quoted(dsn or "base.fdb"),
        user=user,
        password=f'password_env = "{password_env}"\n' if password_env else "",
        named="" if base["map"] else 'map = "stand-in"                 # docs/shop.md#the-schema-map\n',
        unmapped=base["unmapped"],
        blanks=" " * (20 - len(base["unmapped"])),
    )
    text += base["map"] + "".join(STORES[kind].format(name=name) for kind in kinds)
    try:
        Shop.model_validate({**tomllib.loads(text), "folder": folder})
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SettingsError(f'no shop can be made of "{name}" and this base', "give a plain folder name") from error
    folder.mkdir(parents=True, exist_ok=True)
    written = {"shop.toml": text} | ({} if (folder / "rules.yaml").exists() else {"rules.yaml": RULES})
    for file, content in written.items():
        (folder / file).write_text(content, encoding="utf-8")
    return NewShop(name, tuple(written), base["look"])


def _base(folder: Path, dsn: str | None, user: str, password_env: str | None) -> dict[str, str]:
    """Return the schema map, the policy for types without a section, and what a person must check."""
    if dsn is None:
        return {"map": "", "unmapped": "inherit", "look": "dsn is only an example"}
    from sources.firebird.inspect import inspect_base, propose_map, to_toml
    from sources.firebird.schema_map import load_map

    try:
        info = inspect_base(SourceSettings(dsn=dsn, user=user, password_env=password_env), folder)
    except SourceError as error:
        raise SourceError(f"{error.message}; nothing was written", error.next_step) from error
    ours = load_map("stand-in")
    tables: dict[str, Any] = info["tables"]
    if all(part.table in tables for part in (ours.product_types, ours.sections, ours.goods)):
        return {"map": "", "unmapped": _unmapped(tables[ours.sections.table]), "look": ""}
    guess = propose_map(info)
    look = "the schema map is a guess from names, check every line"
    return {"map": "\n" + to_toml(guess), "unmapped": _unmapped(tables[guess.sections.table]), "look": look}


def _unmapped(sections: dict[str, Any]) -> str:
    """Return the policy: with hand-made sections a forgotten type inherits one, without any they are created."""
    return "create" if sections["rows"] == 0 else "inherit"


def _quoted(text: str) -> str:
    return "'" + text + "'" if "\\" in text else '"' + text + '"'
