"""No two parts of a shop have the same file, however its place is written: a feed once replaced the Torgsoft base."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.shops import load_shop
from schemas.errors import SettingsError
from schemas.settings.files import SQLITE_BESIDE, base_file, sqlite_file
from schemas.settings.shop import Shop
from tests.cli.conftest import torgsync  # noqa: F401 - a fixture, found by its name

SHOP = """
name = "test"
[source]
dsn = "base.fdb"
[sections]
rules = "my.yaml"
[[stores]]
name = "web"
kind = "sql"
url = "sqlite:///web.db"
[[stores]]
name = "far"
kind = "trs"
target = "sftp://u@h/in"
key_file = "keys/id"
known_hosts = "keys/hosts"
"""
FEED = '[[stores]]\nname = "table"\nkind = "csv"\ntarget = "{}"\nfilename = "{}"\n'
DATABASE = '[[stores]]\nname = "second"\nkind = "sql"\nurl = "sqlite:///{}"\n'
MINE = [
    ("base.fdb", "the Torgsoft base"),
    ("base.fdb.delta", "the Torgsoft base"),
    *((f"state.db{suffix}", "the state database") for suffix in ("", *SQLITE_BESIDE)),
    *((f"web.db{suffix}", "the database of store web") for suffix in ("", *SQLITE_BESIDE)),
    ("history", "the history"),
    ("history/plans/x.json", "the history"),
    ("shop.toml", "a file that every run writes or reads"),
    ("my.yaml", "a file that every run writes or reads"),
    ("keys/id", "the key_file of store far"),
    ("keys/hosts", "the known_hosts of store far"),
    ("output", "a folder of the outputs"),
    ("output/web", "a folder of the outputs"),
    (".torgsync.lock", "a file that every run writes"),
    (".torgsync.holder.json", "a file that every run writes"),
]


def shop(folder: Path, more: str = "", text: str = SHOP) -> Shop:
    (folder / "shop.toml").write_text(text + more, encoding="utf-8")
    return load_shop(folder)


def refused(folder: Path, more: str, text: str = SHOP) -> str:
    with pytest.raises(SettingsError) as caught:
        shop(folder, more, text)
    return caught.value.message


@pytest.mark.parametrize(("file", "what"), MINE)
def test_a_feed_replaces_no_file_of_the_shop(tmp_path, file, what):
    target, _, name = file.rpartition("/")
    told = refused(tmp_path, FEED.format(target or ".", name))
    assert f"store table would write {what}: {tmp_path}/{file}" in told


@pytest.mark.parametrize(("file", "what"), [mine for mine in MINE if not mine[0].startswith("web")])
def test_a_database_of_a_store_is_no_file_of_the_shop(tmp_path, file, what):
    assert f"store second would write {what}: " in refused(tmp_path, DATABASE.format(file))


@pytest.mark.parametrize("file", ["base.fdb", "shop.toml", "my.yaml", "output/plan.json", "history/state", "keys/id"])
def test_the_state_is_no_other_file_of_the_shop(tmp_path, file):
    assert " would write " in refused(tmp_path, f'[state]\nurl = "sqlite:///{file}"\n')


def test_two_stores_have_no_database_in_common(tmp_path):
    assert "store second would write the database of store web" in refused(tmp_path, DATABASE.format("./x/../web.db"))


def test_a_database_that_only_the_environment_names_is_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("WEB", f"sqlite:///{tmp_path}/base.fdb")
    more = '[[stores]]\nname = "second"\nkind = "sql"\nurl_env = "WEB"\n'
    assert "store second would write the Torgsoft base" in refused(tmp_path, more)


@pytest.mark.parametrize("name", ["BASE.FDB", "Base.fdb", "./base.fdb", "link.csv", "twin.csv", "sub/../base.fdb"])
def test_another_spelling_or_a_link_is_the_same_file(tmp_path, name):
    (tmp_path / "base.fdb").write_text("a base")
    (tmp_path / "link.csv").symlink_to("base.fdb")
    os.link(tmp_path / "base.fdb", tmp_path / "twin.csv")
    (tmp_path / "sub").mkdir()
    assert "would write the Torgsoft base" in refused(tmp_path, DATABASE.format(name))
    target, _, file = name.rpartition("/")
    assert "would write the Torgsoft base" in refused(tmp_path, FEED.format(target or ".", file))


def test_the_two_ways_to_write_a_letter_in_unicode_are_one_file(tmp_path):
    told = refused(tmp_path, FEED.format(".", "ба\u0438\u0306.fdb"), SHOP.replace("base.fdb", "ба\u0439.fdb"))
    assert "would write the Torgsoft base" in told


def test_the_part_of_a_feed_is_no_other_stores_file(tmp_path):
    one, two = FEED.format("feed", "goods.csv"), FEED.format("feed", "goods.csv.part").replace("table", "other")
    assert "store other would write a file that store table writes" in refused(tmp_path, one + two)


def test_files_of_their_own_are_accepted(tmp_path):
    for more in (FEED.format("output", "goods.csv"), FEED.format("feed", "base.fdb"), DATABASE.format("second.db")):
        assert len(shop(tmp_path, more).stores) == 3


@pytest.mark.parametrize(
    ("dsn", "file"),
    [
        ("base.fdb", "/shop/base.fdb"),
        ("/data/base.fdb", "/data/base.fdb"),
        ("localhost:/data/base.fdb", "/data/base.fdb"),
        ("127.0.0.1/3050:/data/base.fdb", "/data/base.fdb"),
        ("inet://localhost//data/base.fdb", "/data/base.fdb"),
        ("inet://pc//data/base.fdb", None),
        ("pc/3050:/data/base.fdb", None),
        ("localhost:C:\\base.fdb", None),
        ("C:\\base.fdb", None),
    ],
)
def test_the_file_of_a_base_is_known_where_this_machine_has_it(dsn, file):
    assert base_file(dsn, Path("/shop")) == file


def test_the_file_of_a_database_is_read_out_of_its_url():
    folder = Path("/shop")
    assert sqlite_file("sqlite:///web.db", folder) == "/shop/web.db"
    assert sqlite_file("sqlite+pysqlite:////data/web.db?timeout=5", folder) == "/data/web.db"
    assert sqlite_file("sqlite:///file:/data/web.db?mode=ro&uri=true", folder) == "/data/web.db"
    assert sqlite_file("postgresql://h/web.db", folder) is None
    assert sqlite_file("sqlite://", folder) is None


def test_plan_writes_over_no_file_of_the_shop(tmp_path, torgsync):  # noqa: F811
    (tmp_path / "shop.toml").write_text(SHOP, encoding="utf-8")
    (tmp_path / "base.fdb").write_text("a base")
    for option in ("--out", "--html"):
        done = torgsync("plan", tmp_path, option, tmp_path / "base.fdb")
        assert (done.code, "is the Torgsoft base" in done.err) == (2, True), done.err
    done = torgsync("report", tmp_path, "--html", tmp_path / "state.db")
    assert (done.code, "is the state database" in done.err) == (2, True), done.err
    assert (tmp_path / "base.fdb").read_text() == "a base"
