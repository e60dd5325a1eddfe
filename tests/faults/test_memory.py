"""A state or a history that cannot be used costs the night an alert and one sentence, and never a traceback."""

from __future__ import annotations

import resource
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.shops import load_shop
from schemas.errors import StateError
from state.database import State
from tests.alerts.conftest import receiver  # noqa: F401 - a fixture, found by its name
from tests.cli.conftest import torgsync  # noqa: F401 - a fixture, found by its name
from tests.e2e.conftest import ShopFolder, local  # noqa: F401 - a fixture, found by its name
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES
from tests.faults.sweep import forked

PAGE = 4096


@pytest.fixture
def loaded(local) -> ShopFolder:  # noqa: F811
    """A shop after a good night, whose base has changed since."""
    local.base(TYPES, SECTIONS, GOODS)
    assert local.run().outcome == "ok"
    local.base(TYPES, SECTIONS, GOODS.assign(retail_price="77.00"))
    return local


def stores(shop: ShopFolder) -> tuple[object, bytes]:
    return shop.store(), (shop.output / "TSGoods.trs").read_bytes()


def ends_in_one_sentence(torgsync, receiver, shop: ShopFolder, *words: str) -> str:  # noqa: F811
    """The night fails with code 1, is alerted once, and changes no store."""
    before = stores(shop)
    done = torgsync("sync", shop.folder)
    assert done.code == 1, done
    assert "Traceback" not in done.out + done.err
    told = done.err[done.err.index("torgsync: ") :]
    assert "\n  next: " in told
    for word in words:
        assert word in told, told
    assert len(receiver.messages) == 1
    assert words[0] in receiver.messages[0]["message"]
    assert "Changed: nothing in any store." in receiver.messages[0]["message"]
    assert stores(shop) == before
    return told


def checkpointed(shop: ShopFolder) -> Path:
    file = shop.folder / "state.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    return file


def test_a_state_that_may_not_be_written(loaded, torgsync, receiver, monkeypatch):  # noqa: F811
    """Opened read-only, as root may write any file."""
    monkeypatch.setenv("STATE", f"sqlite:///file:{checkpointed(loaded)}?mode=ro&uri=true")
    with (loaded.folder / "shop.toml").open("a") as stream:
        stream.write('[state]\nurl_env = "STATE"\n')
    ends_in_one_sentence(torgsync, receiver, loaded, "the state database cannot be used", "readonly", "right to write")


def test_a_state_that_is_no_database(loaded, torgsync, receiver):  # noqa: F811
    checkpointed(loaded).write_bytes(b"Lorem ipsum " * 1000)
    told = ends_in_one_sentence(torgsync, receiver, loaded, "the state database cannot be used", "from a backup")
    assert "not a database" in told
    for command in ("runs", "report", "doctor", "plan"):
        done = torgsync(command, loaded.folder)
        assert done.code == 1
        assert "from a backup" in done.out + done.err


def test_a_zeroed_page_of_the_state(loaded, torgsync, receiver):  # noqa: F811
    """Every page in turn: the night is stopped, or the page was one that nobody reads."""
    content = checkpointed(loaded).read_bytes()
    sound, stopped = stores(loaded), 0
    for page in range(len(content) // PAGE):
        damaged = bytearray(content)
        damaged[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
        for suffix in ("-wal", "-shm"):
            (loaded.folder / f"state.db{suffix}").unlink(missing_ok=True)
        (loaded.folder / "state.db").write_bytes(damaged)
        receiver.got.clear()
        try:
            State(f"sqlite:///{loaded.folder}/state.db", "test").close()
        except StateError:
            ends_in_one_sentence(torgsync, receiver, loaded, "the state database cannot be used", "from a backup")
            stopped += 1
    assert stores(loaded) == sound
    assert stopped > len(content) // PAGE * 3 // 4


def test_a_history_that_cannot_be_written(loaded, torgsync, receiver):  # noqa: F811
    shutil.rmtree(loaded.folder / "history" / "extracts")
    (loaded.folder / "history" / "extracts").write_text("a file")
    ends_in_one_sentence(
        torgsync, receiver, loaded, "the history cannot be written", "nothing was changed in any store", "history/"
    )


def test_a_state_that_fills_its_disk_at_the_end_of_the_run(loaded, torgsync, receiver, monkeypatch):  # noqa: F811
    """The stores are up to date then, and the sentence says so."""

    def full(self, *args):
        with self.engine.begin() as connection:
            connection.exec_driver_sql("pragma max_page_count = 1")
            connection.exec_driver_sql("create table filler (content)")
            connection.exec_driver_sql("insert into filler values (zeroblob(10000000))")

    monkeypatch.setattr(State, "finish_run", full)
    before = stores(loaded)
    done = torgsync("sync", loaded.folder)
    assert done.code == 1
    assert "the stores are up to date, but the run could not be recorded" in done.err
    assert "full" in done.err
    assert "next: free space" in done.err
    assert "Traceback" not in done.err
    assert stores(loaded) != before
    assert "could not be recorded" in receiver.messages[0]["message"]
    assert '"outcome": "failed"' in (loaded.output / "report.json").read_text()


@pytest.mark.parametrize("limit", [1, 8_192, 40_000, 100_000])
def test_a_disk_that_takes_no_more_bytes(loaded, torgsync, limit):  # noqa: F811
    """No file may grow beyond the limit: each in turn is the one that fails."""
    before = stores(loaded)

    def work() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        done = torgsync("sync", loaded.folder)
        return done.code if done.err.count("torgsync: ") >= 1 and "Traceback" not in done.err else 99

    code = forked(work)
    assert code in (1, 4)
    assert loaded.run().outcome == "ok"
    assert stores(loaded) != before


def test_a_state_that_fails_in_the_middle_of_the_load_is_not_a_stores_failure(loaded, torgsync, monkeypatch):  # noqa: F811
    real = State.begin_writing

    def fail(self, run, store):
        if store == "site":
            with self.engine.begin() as connection:
                connection.exec_driver_sql("insert into nothing values (1)")
        real(self, run, store)

    monkeypatch.setattr(State, "begin_writing", fail)
    done = torgsync("sync", loaded.folder, "--json")
    assert done.code == 1
    assert "each store is as it was or up to date" in done.json["message"]
    assert [store["name"] for store in done.json["stores"]] == ["web"]
    monkeypatch.undo()
    assert loaded.run().outcome == "ok"
    assert load_shop(loaded.folder).name == "test"
