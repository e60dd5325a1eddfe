"""One run per shop at a time, on one machine or several: of two that start at once, one works and one says who does."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

import engine.lock
from engine.lock import application_name, held, hold, lock_key
from engine.shops import load_shop
from schemas.errors import SettingsError, ShopBusy
from tests.faults.nights import SETTINGS
from tests.faults.sweep import forked
from tests.patience import PATIENCE

TRIES = 20
# waits for the word to start, tries, and keeps the shop until its input ends
CONTENDER = """
import sys
import engine.lock
from engine.lock import hold
from schemas.errors import ShopBusy
from engine.shops import load_shop
engine.lock.PATIENCE = 0.2
shops = [load_shop(folder) for folder in sys.argv[1:]]
print("ready", flush=True)
for line in sys.stdin:
    try:
        with hold(shops[int(line)]):
            print("holds", flush=True)
            next(sys.stdin)
        print("freed", flush=True)
    except ShopBusy as error:
        print(error.exit_code, error.message, flush=True)
        next(sys.stdin)
        print("freed", flush=True)
"""


def shop_folder(folder: Path, state: str = "") -> Path:
    folder.mkdir()
    more = f'\n[state]\nurl = "{state}"\n' if state else ""
    (folder / "shop.toml").write_text(SETTINGS + more)
    return folder


def contender(*folders: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CONTENDER, *map(str, folders)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def say(process: subprocess.Popen[str], word: object) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def race(one: subprocess.Popen[str], other: subprocess.Popen[str]) -> None:
    """Two processes, twenty starts at once: each time exactly one works, the other is told the pid of the first."""
    winners = set()
    try:
        for number in range(TRIES):
            order = (one, other) if number % 2 else (other, one)
            starts = [threading.Thread(target=say, args=(process, 0)) for process in order]
            for start in starts:
                start.start()
            for start in starts:
                start.join()
            told = {process.pid: hear(process) for process in (one, other)}
            assert list(told.values()).count("holds") == 1, told
            winner = next(pid for pid, word in told.items() if word == "holds")
            loser = next(word for word in told.values() if word != "holds")
            winners.add(winner)
            assert loser.startswith("6 shop test is held by "), loser
            assert re.search(rf"\b{winner}\b.* since 20", loser), (winner, loser)
            for process in (one, other):
                say(process, "done")
                assert hear(process) == "freed"
    finally:
        for process in (one, other):
            process.communicate(timeout=PATIENCE)


def test_of_two_runs_that_start_at_once_one_works_and_the_other_names_it(tmp_path):
    folder = shop_folder(tmp_path / "shop")
    race(contender(folder), contender(folder))


@pytest.mark.parametrize("what", ["deleted", "moved away", "replaced"])
def test_a_lock_file_that_is_deleted_while_a_run_works_lets_no_second_run_in(tmp_path, what):
    folder = shop_folder(tmp_path / "shop")
    one, other = contender(folder), contender(folder)
    lock = folder / ".torgsync.lock"
    try:
        say(one, 0)
        assert hear(one) == "holds"
        if what == "deleted":
            lock.unlink()
        else:
            lock.rename(folder / "old")
        if what == "replaced":
            lock.touch()
        assert held(load_shop(folder))
        say(other, 0)
        assert hear(other).startswith("6 shop test is held by process ")
        for process in (one, other):
            say(process, "done")
            assert hear(process) == "freed"
        assert not held(load_shop(folder))
    finally:
        for process in (one, other):
            process.communicate(timeout=PATIENCE)


def test_a_lock_on_a_file_that_was_moved_away_meanwhile_is_not_taken_for_the_shops(tmp_path, monkeypatch):
    """Somebody moves the file between its opening and the lock: the new file at its place is locked then."""
    folder = shop_folder(tmp_path / "shop")
    moved: list[Path] = []
    real = engine.lock._folder_locked

    def move(*args):
        if not moved:
            moved.append((folder / ".torgsync.lock").rename(folder / "old"))
        return real(*args)

    monkeypatch.setattr(engine.lock, "_folder_locked", move)
    with hold(load_shop(folder)):
        assert (folder / ".torgsync.lock").is_file()
        assert engine.lock._names_our_lock(folder / ".torgsync.lock")
        assert not engine.lock._names_our_lock(folder / "old")


def test_where_a_folder_cannot_be_locked_the_file_alone_keeps_a_second_run_out(tmp_path, monkeypatch):
    def refuse(descriptor, operation):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, "as a network share answers")
        return real(descriptor, operation)

    real = engine.lock.fcntl.flock
    monkeypatch.setattr(engine.lock.fcntl, "flock", refuse)
    shop = load_shop(shop_folder(tmp_path / "shop"))
    with hold(shop), pytest.raises(ShopBusy), hold(shop):
        pass


def test_two_machines_with_one_postgresql_state_do_not_run_one_shop_at_once(tmp_path, postgres_url):
    """Two folders stand for two machines: the folder's lock does not see the other's."""
    one, other = (shop_folder(tmp_path / name, postgres_url) for name in ("one", "other"))
    race(contender(one), contender(other))


def test_with_a_postgresql_state_the_folder_is_locked_as_well(tmp_path, postgres_url):
    folder = shop_folder(tmp_path / "shop", postgres_url)
    alone = shop_folder(tmp_path / "alone")
    (alone / "shop.toml").unlink()
    with hold(load_shop(folder)):
        (folder / "shop.toml").write_text(SETTINGS)  # the same folder, its state elsewhere now
        with pytest.raises(ShopBusy, match=f"process {os.getpid()} "), hold(load_shop(folder)):
            pass


def test_another_shop_in_the_same_database_is_not_held(tmp_path, postgres_url):
    one, other = (shop_folder(tmp_path / name, postgres_url) for name in ("one", "other"))
    (other / "shop.toml").write_text((other / "shop.toml").read_text().replace('name = "test"', 'name = "second"'))
    with hold(load_shop(one)):
        assert not held(load_shop(other))
        with hold(load_shop(other)):
            pass


def test_a_killed_holder_leaves_no_lock_in_postgresql_and_none_in_the_folder(tmp_path, postgres_url):
    shop = load_shop(shop_folder(tmp_path / "shop", postgres_url))

    def work() -> None:
        stack = ExitStack()
        stack.enter_context(hold(shop))
        os.kill(os.getpid(), signal.SIGKILL)

    assert forked(work) == -signal.SIGKILL
    assert not held(shop)
    with hold(shop):
        assert held(shop)


def test_the_holder_of_before_that_was_killed_is_not_taken_for_the_one_of_now(tmp_path):
    """Its name still lies there while the next one has the lock and has not written its own yet."""
    folder = shop_folder(tmp_path / "shop")
    shop = load_shop(folder)
    dead = forked_pid()
    with hold(shop):
        (folder / ".torgsync.holder.json").write_text(
            f'{{"pid": {dead}, "host": "{os.uname().nodename}", "since": "long ago"}}'
        )
        with pytest.raises(ShopBusy, match="another process"), hold(shop):
            pass


def forked_pid() -> int:
    """A process id that nobody has any more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_look_at_the_lock_does_not_stop_a_run_that_starts_meanwhile(tmp_path):
    folder = shop_folder(tmp_path / "shop")
    looking = contender(folder)
    say(looking, 0)
    assert hear(looking) == "holds"
    threading.Timer(0.1, say, (looking, "done")).start()
    with hold(load_shop(folder)):
        pass
    looking.communicate(timeout=PATIENCE)


def test_the_holders_connection_outlives_a_server_that_ends_idle_ones(tmp_path, postgres_url):
    shop = load_shop(shop_folder(tmp_path / "shop", postgres_url))
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = engine.url.database
        connection.execute(text(f"alter database {name} set idle_session_timeout = '300ms'"))
    engine.dispose()
    with hold(shop):
        threading.Event().wait(1)
        other = shop_folder(tmp_path / "other", postgres_url)
        with pytest.raises(ShopBusy), hold(load_shop(other)):
            pass


def test_a_holder_whose_machine_loses_its_power_is_missed_within_two_minutes(tmp_path, postgres_url, monkeypatch):
    """The server itself is asked: whom it has not heard of for 60 s, then 3 times in 20 s, it takes for dead."""
    told: dict = {}

    def ask(connection, shop, end):
        lock(connection, shop, end)
        for name in engine.lock._KEEPALIVES:
            told[name] = connection.execute(text(f"show {name}")).scalar()

    lock = engine.lock._lock
    monkeypatch.setattr(engine.lock, "_lock", ask)
    with hold(load_shop(shop_folder(tmp_path / "shop", postgres_url))):
        assert told == {"tcp_keepalives_idle": "60", "tcp_keepalives_interval": "20", "tcp_keepalives_count": "3"}


def test_a_postgresql_that_cannot_be_reached_is_one_clear_error_without_the_password(tmp_path, postgres_url):
    wrong = postgres_url.replace("@127", "x@127")
    shop = load_shop(shop_folder(tmp_path / "shop", wrong))
    with pytest.raises(SettingsError, match="the state database cannot be opened") as caught, hold(shop):
        pass
    assert str(create_engine(wrong).url.password) not in str(caught.value)
    with hold(load_shop(shop_folder(tmp_path / "plain"))):
        pass
    (shop.folder / "shop.toml").write_text(SETTINGS)
    with hold(load_shop(shop.folder)):
        pass  # the folder's lock was freed


def test_the_name_on_the_connection_says_who_and_since_when_in_63_characters():
    name = application_name(4194304, "хост" + "x" * 80, "2026-11-24T02:30:00+02:00")
    assert len(name) == 63
    assert name.startswith("torgsync 4194304@????x")
    assert name.endswith(" since 2026-11-24T02:30:00+02:00")
    assert -(2**63) <= lock_key("test") < 2**63
    assert lock_key("test") != lock_key("test2")
