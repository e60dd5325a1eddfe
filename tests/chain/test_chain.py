"""A chain of shops on one machine: each alone in its process, and none suffers from another's trouble."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from engine.chain.chain import run_chain
from engine.chain.shop_run import run_one
from engine.lock import hold
from engine.shops import find_shops, load_shop
from schemas.chain import WORST_LAST, ChainReport, ShopResult
from schemas.errors import EXIT_CODES, SettingsError
from state.database import State
from tests.chain.fleet import NAMES, SOUND, fleet, runs_of, stores_of
from tests.faults.test_broken_nights import STEP
from tests.patience import PATIENCE


def holder(folder: str) -> int:
    """The process that runs the shop now."""
    return int(json.loads(Path(folder, ".torgsync.holder.json").read_text())["pid"])


def test_eight_shops_at_once_end_as_one_after_another_and_those_in_trouble_alone_suffer(
    tmp_path, postgres_url, sequential
):
    """All begin on one empty database: its tables are made once, by whoever comes first."""
    folders = fleet(tmp_path, postgres_url)
    steps: list[tuple[str, str]] = []
    ends: list[str] = []

    def listen(folder: str, name: str, seconds: float | None) -> None:
        if seconds is not None:
            steps.append((Path(folder).name, name))

    with hold(load_shop(folders[NAMES.index("held")])):
        report = run_chain(folders, 4, listen=listen, tell=lambda shop: ends.append(shop.shop))
    assert [shop.shop for shop in report.shops] == list(NAMES)
    outcomes = {shop.shop: (shop.outcome, shop.exit_code) for shop in report.shops}
    assert outcomes == dict.fromkeys(SOUND, ("ok", 0)) | {
        "broken": ("failed", 1), "emptied": ("guard stop", 3), "held": ("busy", 6)
    }  # fmt: skip
    assert report.sentence == "8 shops: 5 ok, 1 busy, 1 guard stop, 1 failed"
    assert report.exit_code == 1
    assert sorted(ends) == sorted(NAMES)
    assert steps.count(("toys", "load web")) == 1
    by_name = {shop.shop: shop for shop in report.shops}
    assert f"process {os.getpid()} " in by_name["held"].did
    assert "empty_extract" in by_name["emptied"].did
    assert (by_name["big"].goods, by_name["big"].run != "") == (3000, True)
    assert all(shop.next_step for shop in report.shops if shop.exit_code)
    assert stores_of(folders[NAMES.index("broken")]) == {}
    sequential.check(tmp_path)


def test_a_shop_whose_process_is_killed_is_told_of_and_the_next_chain_makes_it_good(tmp_path, postgres_url, sequential):
    folders = fleet(tmp_path, postgres_url, ("big", "toys"))
    killed: list[int] = []

    def listen(folder: str, name: str, seconds: float | None) -> None:
        if (Path(folder).name, name, seconds) == ("big", "load web", None):
            killed.append(holder(folder))
            os.kill(killed[0], signal.SIGKILL)

    report = run_chain(folders, 2, listen=listen)
    assert {shop.shop: shop.outcome for shop in report.shops} == {"big": "crashed", "toys": "ok"}
    assert "signal 9" in report.shops[0].did or "its process died" in report.shops[0].did
    assert report.exit_code == 1
    assert run_one(folders[0]).outcome == "ok"
    assert [outcome for outcome, _ in runs_of(folders[0])] == ["ok", "interrupted"]
    assert stores_of(folders[0]) == sequential.stores["big"]


def start(tmp_path: Path, *words: str) -> tuple[subprocess.Popen[str], list[str], int]:
    """``torgsync chain`` over two shops, one at a time, with the first one's process stopped in its run; its pid."""
    folders = fleet(tmp_path, names=("big", "tools"))
    command = [sys.executable, "-c", "from cli.main import main; main()", "chain", *folders, "--workers", "1", *words]
    chain = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while chain.poll() is None:
        try:
            with closing(sqlite3.connect(Path(folders[0], "state.db"))) as connection:
                if connection.execute("select 1 from runs where outcome = 'running'").fetchall():
                    break
        except sqlite3.OperationalError:
            pass
        time.sleep(0.01)
    assert chain.poll() is None, chain.communicate()
    shop = holder(folders[0])
    os.kill(shop, signal.SIGSTOP)  # it is in its run and stays there until the chain was told to end
    return chain, folders, shop


def told_to_end(stopped: int) -> bool:
    """Whether SIGTERM waits for a stopped process."""
    status = Path(f"/proc/{stopped}/status").read_text()
    (pending,) = re.findall(r"^ShdPnd:\s+(\w+)$", status, re.MULTILINE)
    return bool(int(pending, 16) >> (signal.SIGTERM - 1) & 1)


WORDS = {"SIGTERM to the chain": (os.kill, signal.SIGTERM, 143)} | (
    # as a terminal and systemd do it: every process of the group gets the signal, and the chain passes it on besides
    {"Ctrl-C": (os.killpg, signal.SIGINT, 130), "SIGTERM to all": (os.killpg, signal.SIGTERM, 143)} if STEP == 1 else {}
)  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_a_chain_that_is_told_to_end_ends_its_shops_in_good_order_and_says_which(tmp_path, word):
    tell, number, code = WORDS[word]
    chain, folders, shop = start(tmp_path, "--json", "--no-flow")
    family = psutil.Process(chain.pid).children(recursive=True)
    tell(chain.pid, number)
    while not told_to_end(shop):
        time.sleep(0.01)
    os.kill(shop, signal.SIGCONT)
    out, err = chain.communicate(timeout=PATIENCE)
    told = json.loads(out)
    assert [(shop["outcome"], shop["exit_code"]) for shop in told["shops"]] == [
        ("interrupted", 143), ("not started", code)
    ]  # fmt: skip
    assert chain.returncode == told["exit_code"] == 143
    assert "Traceback" not in err
    assert runs_of(folders[0]) == [("interrupted", 143)]
    with hold(load_shop(folders[0])):
        pass  # the lock is free
    assert psutil.wait_procs(family, timeout=PATIENCE)[1] == []


def test_when_the_chain_itself_is_killed_its_shops_end_in_good_order_and_no_orphan_stays(tmp_path):
    chain, folders, shop = start(tmp_path, "--no-flow")
    family = psutil.Process(chain.pid).children(recursive=True)
    chain.kill()
    chain.wait(PATIENCE)
    os.kill(shop, signal.SIGCONT)
    assert psutil.wait_procs(family, timeout=PATIENCE)[1] == []
    chain.communicate(timeout=PATIENCE)
    assert runs_of(folders[0]) == [("interrupted", 143)]
    with hold(load_shop(folders[0])):
        pass


def test_two_threads_that_make_their_databases_at_once_do_not_run_each_others_migrations(tmp_path):
    """Dask's workers run shops in threads, several where they were started so."""
    begin = threading.Barrier(6)
    errors: list[Exception] = []

    def work(number: int) -> None:
        begin.wait()
        try:
            State(f"sqlite:///{tmp_path / f'{number}.db'}", "test").close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_the_chains_exit_code_is_the_worst_of_its_shops_in_the_documented_order():
    def chain(*codes: int) -> ChainReport:
        shops = [ShopResult(shop=f"s{n}", folder="", outcome="ok", exit_code=code) for n, code in enumerate(codes)]
        return ChainReport(started_at="", runner="", shops=shops)

    assert {code for code in EXIT_CODES if code != 10} == set(WORST_LAST)
    for worse, better in zip(WORST_LAST[1:], WORST_LAST, strict=False):
        assert chain(better, worse, 0).exit_code == chain(worse, better).exit_code == worse
    assert chain(0, 99, 2).exit_code == 1
    documented = (Path(__file__).parents[2] / "docs" / "chain.md").read_text(encoding="utf-8")
    assert ", ".join(str(code) for code in reversed(WORST_LAST)) in documented


def test_shops_are_found_below_the_folder_and_one_that_is_named_twice_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="no folder there holds"):
        find_shops()
    for name in ("b", "a", "no"):
        (tmp_path / "shops" / name).mkdir(parents=True)
    for name in ("a", "b"):
        text = f'name = "{name}"\n[source]\ndsn = "x.fdb"\n[state]\nurl = "postgresql://127.0.0.1/none"\n'
        (tmp_path / "shops" / name / "shop.toml").write_text(text)
    assert [Path(folder).name for folder in find_shops()] == ["a", "b"]
    with pytest.raises(SettingsError, match="is the same shop as"):
        find_shops(["a", "shops/a"])
    (tmp_path / "shops" / "b" / "shop.toml").write_text((tmp_path / "shops" / "a" / "shop.toml").read_text())
    with pytest.raises(SettingsError, match="is the same shop as"):
        find_shops(["a", "b"])
    (tmp_path / "shops" / "b" / "shop.toml").write_text("name = 5")
    assert len(find_shops()) == 2, "a shop with wrong settings is told of by its own run"
    assert run_one(find_shops()[1]).outcome == "wrong settings"
