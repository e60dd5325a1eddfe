"""``torgsync chain`` as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chain.fleet import fleet
from tests.cli.conftest import torgsync  # noqa: F401 - a fixture, found by its name


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def test_the_command_recaps_failures_first_and_ends_with_the_worst_code(torgsync, tmp_path, monkeypatch):  # noqa: F811
    fleet(tmp_path / "shops", names=("emptied", "tools"))
    monkeypatch.chdir(tmp_path)
    done = torgsync("chain", "--workers", 2)
    assert done.code == 3
    lines = done.out.splitlines()
    assert lines[0].startswith("  emptied  guard stop: ")
    assert lines[1].strip().startswith("next: ")
    assert lines[-1].startswith("2 shops: 1 ok, 1 guard stop (")
    assert "tools: load data" in done.err
    assert "tools: ok (" in done.err
    again = torgsync("chain", "tools", "--json", "--workers", 1)
    assert (again.code, again.err) == (0, "")
    assert again.json["sentence"] == "1 shop: 1 ok"
    assert again.json["shops"][0]["did"] == "nothing to do, every store was up to date"


def test_what_does_not_go_together_is_refused_before_any_shop_runs(torgsync, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    assert torgsync("chain").code == 2
    (folder,) = fleet(tmp_path / "shops", names=("tools",))
    for words, told in (
        (("--dask", "tcp://127.0.0.1:1"), "PREFECT_API_URL is not set"),
        (("--dask", "tcp://127.0.0.1:1", "--no-flow"), "cannot be used with --no-flow"),
    ):
        done = torgsync("chain", *words)
        assert done.code == 2
        assert told in done.err
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    assert "on Dask the workers decide" in torgsync("chain", "--dask", "tcp://127.0.0.1:1", "--workers", 2).err
    assert not Path(folder, "state.db").exists()
