"""Every TOML block of every page loads in a shop, changes nothing that it does not say, and names every setting."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from engine.shops import load_shop
from schemas.settings.alerts import AlertsSettings
from schemas.settings.delivery import DeliverySettings
from schemas.settings.feeds import YML_PROFILES
from schemas.settings.shop import GuardsSettings, SchemaMap, Shop
from schemas.settings.stores import KINDS, TRS_PROFILES

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^(?P<indent> *)```toml\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)

NEEDED = {
    "name", "kind", "dsn", "password_env", "url", "url_env", "key_env", "secret_env", "target", "shop_name", "shop_url",
    "key_file", "host_fingerprint", "endpoint", "user", "rules", "map",
}  # fmt: skip
"""Keys without which a shop or a store cannot be reached: they have no default that could be shown."""


def blocks() -> list[Any]:
    """Page and text of every TOML block."""
    found = []
    for page in PAGES:
        for number, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), 1):
            text = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
            found.append(pytest.param(text, id=f"{page.name}-{number}"))
    return found


def load(text: str, folder: Path) -> Shop:
    """The shop of a ``shop.toml`` that holds this block; what a shop needs at least is added."""
    data = tomllib.loads(text)
    head = "" if "name" in data else 'name = "docs"\n'
    tail = "" if "dsn" in data.get("source", {}) else '\n[source]\ndsn = "base.fdb"\n'
    if "source" in data and tail and re.search(r"^\[source\]", text, re.MULTILINE):
        head, tail = head + "\n", ""
        text = re.sub(r"^\[source\]\n", '[source]\ndsn = "base.fdb"\n', text, flags=re.MULTILINE)
    (folder / "shop.toml").write_text(head + text + tail, encoding="utf-8")
    return load_shop(folder)


def commented(text: str) -> list[str]:
    """The block once for each setting that stands in a comment, with that setting in force."""
    lines = text.splitlines()
    out = []
    for number, line in enumerate(lines):
        if setting := re.match(r"# ?([a-z_]+ = .+)", line):
            table = [*lines[:number], setting[1], *lines[number + 1 :]]
            out.append("\n".join(table) + "\n")
    return out


@pytest.mark.parametrize("text", blocks())
def test_a_block_loads_in_a_shop(text, tmp_path):
    load(text, tmp_path)


@pytest.mark.parametrize("text", blocks())
def test_each_setting_that_a_block_shows_in_a_comment_loads_too(text, tmp_path):
    for variant in commented(text):
        load(variant, tmp_path)


def unlike_the_default(value: Any, model: BaseModel, where: str) -> list[str]:
    """Settings of a loaded table that are not what they would be without the block."""
    found = []
    for key in sorted(model.model_fields_set):
        info, now = type(model).model_fields[key], getattr(model, key)
        default = info.get_default(call_default_factory=True)
        if isinstance(now, SchemaMap) or key in NEEDED or default is PydanticUndefined:
            continue
        if isinstance(now, BaseModel):
            found += unlike_the_default(value, now, f"{where}.{key}")
        elif isinstance(now, tuple) and now and isinstance(now[0], BaseModel):
            for store in now:
                found += unlike_the_default(value, store, f"{where}.{store.kind}")
        elif now != default:
            found.append(f"{where}.{key} = {now!r}, without the block {default!r}")
    return found


@pytest.mark.parametrize("text", blocks())
def test_a_block_is_harmless_when_it_is_pasted(text, tmp_path):
    """A reader pastes blocks whole. What is not the default, and not an address, must stand in a comment."""
    shop = load(text, tmp_path)
    assert [fault for fault in unlike_the_default(None, shop, "shop") if ".folder" not in fault] == []


def shown(page: str, head: str) -> str:
    """The first block of a page that holds this text."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return next(match["text"] for match in BLOCK.finditer(text) if head in match["text"])


@pytest.mark.parametrize(
    ("page", "head", "model"),
    [
        ("opencart.md", 'kind = "opencart"', KINDS["opencart"]),
        ("woocommerce.md", 'kind = "woocommerce"', KINDS["woocommerce"]),
        ("feeds.md", 'kind = "yml"', KINDS["yml"]),
        ("feeds.md", 'kind = "google"', KINDS["google"]),
        ("feeds.md", 'kind = "csv"', KINDS["csv"]),
        ("feeds.md", 'kind = "json"', KINDS["json"]),
        ("alerts.md", "[alerts]", AlertsSettings),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_store_s_block_shows_every_setting_of_its_kind(page, head, model):
    block = shown(page, head)
    delivery = set(DeliverySettings.model_fields) - {"target"}  # docs/delivery.md
    missing = [
        key
        for key in model.model_fields
        if key not in delivery - {"url"} and not re.search(rf"^(?:# ?)?{key} = ", block, re.MULTILINE)
    ]
    assert missing in ([], ["url"])  # a URL may stand in a variable instead


def tables(page: str) -> list[tuple[str, str]]:
    """Key and default of each row of a page's tables that have a column «default»."""
    found = []
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for head, body in re.findall(r"^(\|.+\|)\n\|[-|: ]+\|\n((?:\|.*\n?)+)", text, re.MULTILINE):
        columns = [cell.strip() for cell in head.strip("|").split("|")]
        if "default" not in columns:
            continue
        for line in body.splitlines():
            cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
            found.append((cells[0].strip("`"), cells[columns.index("default")].strip("`")))
    return found


@pytest.mark.parametrize(("page", "model"), [("alerts.md", AlertsSettings), ("delivery.md", DeliverySettings)])
def test_each_default_in_a_table_is_that_of_the_settings(page, model):
    found = dict(tables(page))
    assert set(found) >= set(model.model_fields) - {"target"}
    for key, told in found.items():
        if key not in model.model_fields or key == "target":
            continue
        default = model.model_fields[key].get_default(call_default_factory=True)
        if default is None:
            assert told in ("none", "–") or not re.fullmatch(r"[\d.]+|true|false", told), key
        elif isinstance(default, tuple):
            assert told == "all", key
        else:
            assert told in (str(default), str(default).lower(), f"{default:g}" if isinstance(default, float) else ""), (
                key
            )


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> dict[str, dict[str, Any]]:
    """The stores of the shop.toml that ``torgsync init`` writes, by kind."""
    from typer.testing import CliRunner

    from cli.main import app

    folder = tmp_path_factory.mktemp("init") / "myshop"
    words = [word for kind in KINDS for word in ("--store", kind)]
    done = CliRunner().invoke(app, ["init", str(folder), *words])
    assert done.exit_code == 0, done.output
    data = tomllib.loads((folder / "shop.toml").read_text(encoding="utf-8"))
    return {store["kind"]: store for store in data["stores"]}


PAGE_OF_KIND = {
    "sql": "shop.md", "trs": "shop.md", "yml": "feeds.md", "google": "feeds.md", "csv": "feeds.md", "json": "feeds.md",
    "woocommerce": "woocommerce.md", "opencart": "opencart.md",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_stores_and_variables_are_the_same_on_the_page_and_in_what_init_writes(kind, begun):
    shown_stores = tomllib.loads(shown(PAGE_OF_KIND[kind], f'kind = "{kind}"'))["stores"]
    (store,) = [store for store in shown_stores if store["kind"] == kind]
    for key, value in begun[kind].items():
        if key == "name" or key.endswith("_env"):
            assert store[key] == value


def cells(page: str, head: str) -> list[list[str]]:
    """The cells of a page's table whose first column has this head, without backticks."""
    _, found = (ROOT / "docs" / page).read_text(encoding="utf-8").split(f"\n| {head} |", 1)
    lines = found.split("\n\n")[0].splitlines()[2:]
    return [
        [cell.strip().strip("`").replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
        for line in lines
    ]


def test_the_profiles_of_the_sync_file_are_what_the_page_says():
    for name, *told in cells("trs.md", "profile"):
        dialect = TRS_PROFILES[name]
        assert told == [str(dialect.layout), str(dialect.header).lower(), dialect.encoding, dialect.chain_separator]


def test_the_profiles_of_yml_are_what_the_page_says():
    rows = cells("feeds.md", "profile")
    assert [row[0] for row in rows] == list(YML_PROFILES)
    for name, hidden, length, quantity, old_price, varieties in rows:
        told = {"hidden": hidden, "name_length": int(length) if length else None, "quantity": quantity}
        told |= {"old_price": old_price, "varieties": varieties == "true"}
        assert YML_PROFILES[name].model_dump() == told


def test_the_limits_of_the_guards_are_settings():
    found = 0
    for guard, *_, stop, tell, _ in cells("guards.md", "guard"):
        keys = re.findall(r"(?:max|tell)_\w+", f"{stop} {tell}")
        found += len(keys)
        assert set(keys) <= set(GuardsSettings.model_fields), guard
    assert found > 10


def test_a_default_that_running_text_names_is_that_of_the_settings():
    """Written as ``redirects.keep_months`` (default 12), or ``history.keep_runs`` (60)."""
    shop = Shop.model_validate({"name": "docs", "folder": ROOT, "source": {"dsn": "base.fdb"}})
    found = 0
    for page in PAGES:
        for table, key, told in re.findall(
            r"`([a-z]+)\.([a-z_]+)` \((?:default )?(\d+)\)", page.read_text(encoding="utf-8")
        ):
            found += 1
            assert getattr(getattr(shop, table), key) == int(told), (page.name, key)
    assert found >= 2
