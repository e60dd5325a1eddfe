"""The wheel alone is a whole torgsync: its commands work in an empty folder of a machine that has no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["importlinter"]["root_packages"]
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "tests", "demo", "shops")


@dataclass(frozen=True)
class Installed:
    """A wheel, and the virtualenv into which it was installed."""

    wheel: Path
    venv: Path

    def run(self, program: str, *args: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a program of the virtualenv in a folder; Python's own variables are not passed on."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        words = [str(self.venv / "bin" / program), *args]
        return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=170, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of a copy of this repository, in a virtualenv that finds the packages of ours, but not the checkout.

    Built from a copy, as setuptools would take files that no longer exist from an old ``build`` folder.
    """
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "copy", ignore=NOT_COPIED)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    build = [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "copy")]
    subprocess.run(build, check=True, timeout=170)
    (wheel,) = folder.glob("*.whl")
    shutil.rmtree(folder / "copy")
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    # a folder that is named in a .pth file has its own .pth files ignored: what leads to the checkout is one of them
    (site / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    install = [*pip, "--python", str(venv / "bin" / "python"), "install", *offline, "--no-compile", str(wheel)]
    subprocess.run(install, check=True, timeout=170)
    return Installed(wheel, venv)


def test_the_wheel_holds_every_file_of_the_packages_the_samples_and_the_pages(installed: Installed):
    held = set(ZipFile(installed.wheel).namelist())
    wanted = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix != ".pyc"]
    wanted += [*(ROOT / "docs").rglob("*"), *(ROOT / "data/samples").glob("*/*.*")]
    wanted += [*(ROOT / "data/samples").glob("*/input/*")]
    names = {path.relative_to(ROOT).as_posix() for path in wanted if path.is_file()}
    local = {name for name in names if name.endswith((".fdb", ".db", "report.json")) or "/." in name}
    assert names - local - held == set()
    assert [name for name in held if name.startswith(("tests/", "benchmarks/", "scripts/"))] == []


def test_an_installed_wheel_takes_nothing_from_a_checkout(installed: Installed, tmp_path: Path):
    code = "import importlib, sys; [print(importlib.import_module(name).__path__[0]) for name in sys.argv[1:]]"
    done = installed.run("python", "-c", code, *PACKAGES, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    places = [Path(line) for line in done.stdout.splitlines()]
    assert len(places) == len(PACKAGES)
    assert [place for place in places if not place.is_relative_to(installed.venv)] == []


def test_the_demo_of_an_installed_wheel_runs_in_an_empty_folder(installed: Installed, tmp_path: Path):
    done = installed.run("torgsync", "demo", "--no-flow", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    output = tmp_path / "demo" / "household" / "output"
    committed = ROOT / "data" / "samples" / "household" / "output"
    for name in ("categories.csv", "TSGoods.trs"):
        assert (output / name).read_bytes() == (committed / name).read_bytes(), name
    assert (output / "report.html").stat().st_size > 0, "the page's template is there"


def test_every_sample_of_an_installed_wheel_gives_the_committed_outputs(installed: Installed, tmp_path: Path):
    done = installed.run("torgsync", "samples", "--check", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "trade-equipment: up to date" in done.stdout


def test_version_tells_the_release_and_where_the_pages_lie(installed: Installed, tmp_path: Path):
    done = installed.run("torgsync", "--version", folder=tmp_path)
    first, second = done.stdout.splitlines()
    assert first == f"torgsync {PROJECT['project']['version']}"
    pages = Path(second.removeprefix("docs: "))
    assert pages.is_relative_to(installed.venv)
    assert (pages / "shop.md").is_file()
