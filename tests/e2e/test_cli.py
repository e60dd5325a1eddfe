"""The command line as a person meets it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import torgsync  # noqa: F401 - a fixture, found by its name
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES


def process(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own: seconds of imports each, so for what a process alone can show."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    code = "from cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, env=env, check=False
    )


def test_help_answers_in_under_half_a_second_of_cpu():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "sync" in process("--help").stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


@pytest.mark.parametrize("command", ["sync", "demo", "samples", "explain", "inspect", "base build"])
def test_every_command_has_help_with_an_example_and_json(command, torgsync):  # noqa: F811
    text = torgsync(*command.split(), "--help").out
    assert "Example: torgsync" in text
    assert "--json" in text


def test_sync_prints_what_it_did_and_as_json_the_whole_report(local, torgsync):  # noqa: F811
    local.base(TYPES, SECTIONS, GOODS)
    shown = process("sync", local.folder)
    assert shown.returncode == 0, shown.stderr
    assert "goods: 40 in = 40 loaded + 0 in the quarantine" in shown.stdout
    as_json = process("sync", local.folder, "--json")
    report = json.loads(as_json.stdout)
    assert (report["outcome"], report["counts"]["goods_in"], as_json.stderr) == ("ok", 40, "")
    assert torgsync("sync", local.folder, "--quiet").out == ""


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (("unmapped =", "unmaped ="), 2, 'did you mean "unmapped"?'),
        (("base.fdb", "absent.fdb"), 1, "absent.fdb"),
        (('kind = "trs"', 'kind = "tsr"'), 2, "shop.toml"),
    ],
)
def test_a_fault_ends_with_its_exit_code_and_one_clear_message(local, torgsync, change, code, message):  # noqa: F811
    local.base(TYPES, SECTIONS, GOODS)
    text = (local.folder / "shop.toml").read_text()
    (local.folder / "shop.toml").write_text(text.replace(*change))
    done = torgsync("sync", local.folder)
    assert done.code == code
    assert message in done.out + done.err
    assert "Traceback" not in done.err
    assert "next:" in done.out + done.err


def test_an_unknown_shop_is_a_usage_error(tmp_path, torgsync, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    done = torgsync("sync", "nowhere")
    assert done.code == 2
    assert 'no shop "nowhere"' in done.err


def test_explain_says_why_a_good_is_in_its_category(local, torgsync):  # noqa: F811
    local.base(TYPES, SECTIONS, GOODS)
    torgsync("sync", local.folder, "--quiet")
    found = json.loads(torgsync("explain", local.folder, "2", "--json").out)
    assert found[0]["category"] == "Посуд > Тарілки [20]"
    assert found[0]["decided_by"] == "inherit"
    assert torgsync("explain", local.folder, "987654").code == 2


def test_a_base_is_built_from_csv_and_inspected(tmp_path, torgsync):  # noqa: F811
    sample = Path(__file__).parents[2] / "data" / "samples" / "trade-equipment" / "input"
    base = tmp_path / "shop.fdb"
    built = torgsync("base", "build", base, "--from-csv", sample, "--json")
    assert json.loads(built.out)["counts"]["PRODUCT_TYPES"] == 4, built.err
    again = torgsync("base", "build", base, "--from-csv", sample)
    assert again.code == 2
    assert "--overwrite" in again.err
    shown = torgsync("inspect", base)
    assert "PRODUCT_TYPES" in shown.out
    assert "[source.map.product_types]" in shown.out


def test_a_base_is_built_from_a_real_export_by_the_command_of_the_design(real, tmp_path, torgsync):  # noqa: F811
    done = torgsync(
        "base", "build", tmp_path / "base.fdb", "--from-trs", real.night("2025-02-09"),
        "--encoding", "cp1251", "--no-header", "--json",
    )  # fmt: skip
    assert json.loads(done.out)["counts"] == {"PRODUCT_TYPES": 457, "SECTIONS": 78, "GOODS": 1864}, done.err
