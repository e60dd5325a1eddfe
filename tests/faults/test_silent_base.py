"""A base that falls silent at night: the command ends with one sentence, obeys signals and frees the shop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.lock import hold
from engine.shops import load_shop
from tests.e2e.conftest import ShopFolder
from tests.firebird_server import FirebirdServer
from tests.patience import PATIENCE
from tests.pure import goods_frame, sections_frame, types_frame
from tests.silent_proxy import SilentProxy
from tests.source.conftest import PASSWORD_ENV, Place

COMMAND = [sys.executable, "-c", "from cli.main import main; main()", "sync"]


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, firebird_server: FirebirdServer) -> ShopFolder:
    """A shop behind a real server that was loaded once."""
    monkeypatch.setenv(PASSWORD_ENV, firebird_server.password)
    shop = ShopFolder(tmp_path / "shop", Place("tcp", tmp_path, firebird_server))
    shop.folder.mkdir()
    shop.settings()
    types = types_frame(*((n, None if n == 1 else 1, f"Вид {n}", n) for n in range(1, 50)))
    sections = sections_frame(*((n, None if n == 1 else 1, f"Розділ {n}", n) for n in range(1, 50)))
    shop.base(types, sections, goods_frame(*((n, n % 49 + 1) for n in range(1, 2000))))
    assert shop.run().outcome == "ok"
    return shop


def point_at(shop: ShopFolder, proxy: SilentProxy, more: str) -> None:
    """Let the shop read through the proxy."""
    assert shop.place.server is not None
    file = shop.folder / "shop.toml"
    port = f"/{shop.place.server.port}:"
    assert port in file.read_text(encoding="utf-8")
    text = file.read_text(encoding="utf-8").replace(port, f"/{proxy.port}:")
    file.write_text(text.replace("[source]\n", f"[source]\n{more}\n"), encoding="utf-8")


@pytest.mark.server
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("after", [0, 2_000, 60_000], ids=["connecting", "statements", "rows"])
def test_a_run_that_waits_for_a_silent_base_obeys_a_signal_at_once(night: ShopFolder, after: int, number, code) -> None:
    before, server = night.store(), night.place.server
    assert server is not None
    with SilentProxy(server.host, server.port, after) as proxy:
        point_at(night, proxy, "timeout_seconds = 86400")  # nothing but the signal can end it
        command = [*COMMAND, str(night.folder), "--no-flow"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert proxy.silent.wait(PATIENCE)
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    assert "interrupted" in out + err
    assert "Traceback" not in err
    with hold(load_shop(night.folder)):
        pass  # the lock is free
    assert night.store() == before
    night.settings()
    assert night.run().outcome == "ok"


@pytest.mark.server
def test_a_run_whose_base_stays_silent_fails_with_one_sentence_and_a_free_lock(night: ShopFolder) -> None:
    before, server = night.store(), night.place.server
    assert server is not None
    with SilentProxy(server.host, server.port, 60_000) as proxy:
        point_at(night, proxy, "timeout_seconds = 3\ntries = 1")
        done = subprocess.run(
            [*COMMAND, str(night.folder), "--no-flow"], capture_output=True, text=True, timeout=PATIENCE
        )
    assert done.returncode == 1, done.stderr
    assert "was silent for 3 seconds" in done.stdout + done.stderr
    assert "source.timeout_seconds" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    with hold(load_shop(night.folder)):
        pass
    assert night.store() == before


@pytest.mark.server
def test_a_night_that_was_read_again_says_so_in_its_report(night: ShopFolder) -> None:
    server = night.place.server
    assert server is not None
    with SilentProxy(server.host, server.port, 60_000, well_after=1) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sources.firebird.extract.PAUSE", 0.01)
        point_at(night, proxy, "timeout_seconds = 3")
        report = night.run()
    assert report.outcome == "ok", report.message
    assert any(warning.startswith("the base was read again, as try 1 failed") for warning in report.warnings)
