"""The sample shops of ``data/samples``: set up with a Firebird base, run, and compared with the committed outputs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from engine.shops import load_shop
from schemas.errors import SettingsError, TorgsyncError, closest
from schemas.report import RunReport

if TYPE_CHECKING:
    import pandas as pd  # 0.4 s: only a command that needs it imports it

COMMITTED = ("assignments.csv", "categories.csv", "offers.csv", "quarantine.csv", "TSGoods.trs", "tree.txt")
"""The committed outputs of a sample: all but the report, which has times."""


def samples_folder() -> Path:
    """``data/samples`` of the checkout that this code runs from. Raises SettingsError where there is none."""
    folder = Path(__file__).resolve().parents[2] / "data" / "samples"
    if not folder.is_dir():
        raise SettingsError(f"{folder} is absent", "run from a checkout of torgsync, not from an installed package")
    return folder


def sample(name: str) -> Path:
    """The folder of a sample by its name. Raises SettingsError with the closest name."""
    samples = {path.parent.name: path.parent for path in samples_folder().glob("*/shop.toml")}
    if name not in samples:
        raise SettingsError(f'no sample "{name}"', closest(name, list(samples)))
    return samples[name]


def set_up(source: Path, target: Path) -> None:
    """Make a shop of a sample: settings and rules are copied, the stand-in base is built from its input."""
    from sources.stand_in.base import build_base

    target.mkdir(parents=True, exist_ok=True)
    for name in ("shop.toml", "rules.yaml"):
        shutil.copyfile(source / name, target / name)
    # UTF8: the samples have characters that WIN1251 lacks (the hryvnia sign)
    build_base(target / "base.fdb", *read_input(source / "input"), charset="UTF8", overwrite=True)


def read_input(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Product types, sections and goods of a sample: from its CSV files, or from the last night of its sync files."""
    if nights := sorted(folder.glob("*.trs")):
        from sources.trs.base import frames_from_trs
        from sources.trs.file import read_trs

        frames = frames_from_trs(read_trs(nights[-1]))
        return frames.product_types, frames.sections, frames.goods
    from sources.stand_in.csv_input import read_csv_dir

    return read_csv_dir(folder)


def run_sample(source: Path, target: Path) -> RunReport:
    """Set up a sample in an empty folder and run its sync there."""
    from engine.main_path import sync

    set_up(source, target)
    return sync(load_shop(target))


def stale_files(source: Path, new: Path) -> list[str]:
    """Return the names of committed outputs that differ from new ones."""
    return [
        name
        for name in COMMITTED
        if not (source / "output" / name).is_file()
        or (source / "output" / name).read_bytes() != (new / "output" / name).read_bytes()
    ]


def refresh_samples(check: bool) -> Iterator[tuple[str, list[str]]]:
    """Run every sample in a separate folder; yields its name and its stale committed outputs.

    Writes them again, unless ``check``. Raises TorgsyncError for a sample whose run fails.
    """
    for source in sorted(path.parent for path in samples_folder().glob("*/shop.toml")):
        with TemporaryDirectory() as folder:
            new = Path(folder) / source.name
            report = run_sample(source, new)
            if report.exit_code:
                raise TorgsyncError(f"sample {source.name}: {report.message}", report.next_step)
            stale = stale_files(source, new)
            for name in () if check else stale:
                (source / "output").mkdir(exist_ok=True)
                shutil.copyfile(new / "output" / name, source / "output" / name)
        yield source.name, stale
