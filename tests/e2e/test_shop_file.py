"""``shop.toml`` as people write it: old names of keys, a byte order mark, values that Python would take for others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.shops import load_shop
from schemas.errors import RulesError, SettingsError
from schemas.rules import parse_rules
from schemas.settings.shop import OLD_KEYS, Shop, parse_shop
from tests.cli.conftest import torgsync  # noqa: F401 - a fixture, found by its name
from tests.e2e.conftest import ShopFolder
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES
from tests.source.conftest import Place

MINIMAL = 'name = "test"\n[source]\ndsn = "base.fdb"\n'


def fault(tmp_path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_shop(text, tmp_path / "shop.toml")
    _, *faults = caught.value.message.splitlines()
    assert len(faults) == 1, faults
    return faults[0].strip()


WOO = 'name = "woo"\nkind = "woocommerce"\nurl = "https://shop.example"\nkey_env = "K"\nsecret_env = "S"\n'
TITLES = {"stores": f"[[stores]]\n{WOO}"}
"""What stands before a key; of other tables their title."""


def holder(shop: Shop, table: str) -> BaseModel:
    """The model that has the keys of a table."""
    found = getattr(shop, table)
    return found[0] if table == "stores" else found


@pytest.mark.parametrize(("table", "old"), OLD_KEYS)
def test_a_key_under_its_old_name_works_and_says_the_new_one(tmp_path, table, old):
    new = OLD_KEYS[table, old]
    begin = MINIMAL + TITLES.get(table, f"[{table}]\n")
    shop = parse_shop(f"{begin}{old} = 7\n", tmp_path / "shop.toml")
    assert getattr(holder(shop, table), new) == 7
    title = f"[[{table}]]" if table == "stores" else f"[{table}]"
    assert shop.warnings == (f"shop.toml: {title} {old} is now called {new}; rename it, the old name still works",)
    renamed = parse_shop(f"{begin}{new} = 7\n", tmp_path / "shop.toml")
    assert renamed.warnings == ()
    assert renamed.model_dump_json() == shop.model_dump_json(), (
        "a plan made under one name can be applied under the other"
    )
    told = fault(tmp_path, f"{begin}{new} = 7\n{old} = 8\n")
    assert told == f"{table}.{old}: the old name of {new}, which is there too"


@pytest.mark.parametrize(("table", "old"), OLD_KEYS)
def test_an_old_name_is_no_key_of_the_settings_any_more(tmp_path, table, old):
    begin = MINIMAL + TITLES.get(table, f"[{table}]\n")
    known = type(holder(parse_shop(begin, tmp_path / "shop.toml"), table)).model_fields
    assert old not in known
    assert OLD_KEYS[table, old] in known


def test_the_pages_list_every_old_name():
    page = (Path(__file__).parents[2] / "docs" / "shop.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `\[+(\w+)\]+` \| `(\w+)` \| `(\w+)` \|$", page, re.MULTILINE)
    assert rows == [(table, old, new) for (table, old), new in OLD_KEYS.items()]


def test_every_run_and_the_doctor_report_a_key_under_its_old_name_once(local: ShopFolder, torgsync):  # noqa: F811
    local.settings(more="[removals]\nretire_after = 5\n")
    local.base(TYPES, SECTIONS, GOODS)
    told = "shop.toml: [removals] retire_after is now called retire_after_nights; rename it, the old name still works"
    for _ in range(2):
        assert local.run().warnings.count(told) == 1
    first = torgsync("doctor", local.folder, "--json").json[0]
    assert (first["check"], first["status"], first["next_step"]) == ("shop.toml", "warning", "edit the file")
    assert first["told"].endswith(told)


def test_a_file_with_a_byte_order_mark_is_read_like_one_without(local: ShopFolder):
    path = local.folder / "shop.toml"
    plain = load_shop(local.folder)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_shop(local.folder) == plain


@pytest.mark.parametrize("name", [".", "..", "..."])
def test_a_name_of_dots_is_refused_in_one_sentence(tmp_path, name):
    told = f'"{name}" is not a name: give it a letter or a digit'
    assert fault(tmp_path, MINIMAL.replace("test", name)) == f"name: {told}"
    store = f'[[stores]]\nname = "{name}"\nkind = "sql"\nurl = "sqlite:///web.db"\n'
    assert fault(tmp_path, MINIMAL + store) == f"stores.0.name: {told}"


NUMBER, INTEGER = "Input should be a valid number", "Input should be a valid integer"
STORE = '[[stores]]\nname = "s"\n'
FTP = 'kind = "trs"\ntarget = "ftp://u@h/"\npassword_env = "P"\ntimeout_seconds = true\n'
OPENCART = 'kind = "opencart"\nurl = "mysql://u@h/d"\nstore_ids = [0, true]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[guards]\nmax_removed_share = true\n", f"guards.max_removed_share: {NUMBER}"),
        ("[guards]\nmax_removed = false\n", f"guards.max_removed: {INTEGER}"),
        ("[quarantine]\nmax_share = true\n", f"quarantine.max_share: {NUMBER}"),
        ("[removals]\nretire_after = true\n", f"removals.retire_after_nights: {INTEGER}"),
        (STORE + FTP, f"stores.0.timeout_seconds: {NUMBER}"),
        (STORE + OPENCART, f"stores.0.store_ids.1: {INTEGER}"),
    ],
)
def test_true_is_no_number(tmp_path, text, told):
    assert fault(tmp_path, MINIMAL + text) == told


def test_true_is_no_number_of_a_rule():
    with pytest.raises(RulesError, match="integer") as caught:
        parse_rules("rules:\n- match: {type_id: 1}\n  do: {exclude: type}\n  reason: old\n  expect: true\n")
    assert caught.value.message == f"rules.yaml:5: expect: {INTEGER}"


def test_true_stays_true_where_a_key_takes_it(tmp_path):
    store = '[[stores]]\nname = "s"\nkind = "trs"\ntarget = "out"\nheader = true\n'
    assert parse_shop(MINIMAL + store, tmp_path / "shop.toml").stores[0].header is True


@pytest.mark.parametrize("key", ["folder", "warnings"])
def test_what_torgsync_adds_to_the_settings_is_no_key_of_the_file(tmp_path, key):
    assert re.match(f"{key}: unknown key; ", fault(tmp_path, f'{key} = "x"\n{MINIMAL}'))


@pytest.mark.parametrize("name", ["why?", "a?b=c&d", "no#1", "100%", "a%20b", "a b@c"])
def test_a_shops_folder_may_have_any_name(tmp_path, name, torgsync):  # noqa: F811
    """A ? began the parameters of the state's URL: the state lay in another file, or nowhere."""
    folder = tmp_path / name / "shop"
    folder.mkdir(parents=True)
    shop = ShopFolder(folder, Place("embedded", folder))
    shop.settings()
    found = {finding["check"]: finding["told"] for finding in torgsync("doctor", folder, "--json").json}
    assert (found["state"], found["store web"][-24:]) == ("the first run creates it",) * 2
    shop.base(TYPES, SECTIONS, GOODS)
    assert [shop.run().outcome for _ in range(2)] == ["ok", "ok"]
    assert {path.name for path in folder.glob("*.db")} == {"state.db", "web.db"}
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing lies beside the folder"
    assert len(shop.store()["offers"]) == len(GOODS)
    assert len(torgsync("runs", folder, "--json").json) == 2
    assert {finding["status"] for finding in torgsync("doctor", folder, "--json").json} <= {"ok", "warning"}
