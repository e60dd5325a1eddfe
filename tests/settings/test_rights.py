"""Who may read what a run writes: wholesale prices are not for everybody on the machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.shops import load_shop
from files.atomic import make_folder, write_file
from schemas.errors import SettingsError
from tests.e2e.conftest import ShopFolder, local  # noqa: F401 - a fixture, found by its name
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES

LOCK = {".torgsync.lock", ".torgsync.holder.json"}
GIVEN = {"shop.toml", "base.fdb"}


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def made(folder: Path) -> dict[str, int]:
    """What the runs have made in the shop's folder, with its rights."""
    found = (path for path in folder.rglob("*") if path.name not in LOCK | GIVEN)
    return {str(path.relative_to(folder)): mode(path) for path in found}


def test_nothing_that_a_run_makes_is_for_everybody(local: ShopFolder):  # noqa: F811
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    found = made(local.folder)
    assert {"state.db", "web.db", "output/offers.csv", "output/TSGoods.trs", "history/plans"} <= set(found)
    assert any(name.endswith(".parquet") for name in found)
    for name, rights in found.items():
        assert rights == (0o750 if (local.folder / name).is_dir() else 0o640), name


def test_one_setting_opens_the_outputs_to_a_web_server_and_neither_state_nor_history(local: ShopFolder):  # noqa: F811
    text = (local.folder / "shop.toml").read_text(encoding="utf-8")
    (local.folder / "shop.toml").write_text(f'output_mode = "0644"\n{text}', encoding="utf-8")
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    for name, rights in made(local.folder).items():
        private = name.startswith(("history", "state.db"))
        folder = (local.folder / name).is_dir()
        assert rights == ((0o750 if folder else 0o640) if private else (0o755 if folder else 0o644)), name


def test_files_that_are_there_keep_the_rights_that_an_administrator_gave(local: ShopFolder):  # noqa: F811
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    for name in ("state.db", "web.db", "output/TSGoods.trs", "output/offers.csv"):
        (local.folder / name).chmod(0o664)
    (local.folder / "output").chmod(0o775)
    local.base(TYPES, SECTIONS, GOODS.assign(articul="another"))
    assert local.run().outcome == "ok"
    for name in ("state.db", "web.db", "output/TSGoods.trs", "output/offers.csv"):
        assert mode(local.folder / name) == 0o664
    assert mode(local.folder / "output") == 0o775


def test_a_stricter_umask_stays_in_force(tmp_path):
    os.umask(0o077)
    write_file(tmp_path / "file", lambda stream: stream.write(b"x"))
    make_folder(tmp_path / "a" / "b")
    assert [mode(tmp_path / name) for name in ("file", "a", "a/b")] == [0o600, 0o700, 0o700]
    write_file(tmp_path / "open", lambda stream: stream.write(b"x"), mode=0o644)
    make_folder(tmp_path / "c" / "d", 0o644)
    assert [mode(tmp_path / name) for name in ("open", "c", "c/d")] == [0o644, 0o755, 0o755]


@pytest.mark.parametrize("value", ["0666", "777", "0444", "rw", "06440", ""])
def test_a_mode_that_lets_others_write_or_the_owner_not_is_refused(local: ShopFolder, value):  # noqa: F811
    text = (local.folder / "shop.toml").read_text(encoding="utf-8")
    (local.folder / "shop.toml").write_text(f'output_mode = "{value}"\n{text}', encoding="utf-8")
    with pytest.raises(SettingsError, match="output_mode"):
        load_shop(local.folder)
