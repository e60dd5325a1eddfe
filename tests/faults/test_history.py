"""What is kept of earlier nights appears whole and goes whole, wherever the process that writes or forgets it dies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schemas.errors import StateError, TorgsyncError
from state.history import History
from tests.faults.nights import copy, extract
from tests.faults.sweep import Effects, fail, forked, kill, watched


def kept(folder: Path) -> list[str]:
    """Fingerprints of the extracts of nights 0 and 1, both kept in ``folder``."""
    history = History(folder)
    return [history.save_extract(extract(night)) for night in (0, 1)]


def check(folder: Path, night: int, fingerprint: str) -> None:
    found = History(folder).extract(fingerprint)
    pd.testing.assert_frame_equal(found.goods, extract(night).goods)
    pd.testing.assert_frame_equal(found.product_types, extract(night).product_types)


@pytest.mark.parametrize("act", [fail, kill], ids=["error", "kill -9"])
def test_an_extract_whose_forgetting_was_broken_off_is_whole_when_it_comes_again(tmp_path, act):
    first, second = kept(tmp_path / "kept")
    rehearsal = Effects(copy(tmp_path / "kept", tmp_path / "all"))
    with watched(rehearsal):
        History(tmp_path / "all").forget((), {second}, ())
    assert sum("unlink" in label for label in rehearsal.labels) >= 6
    for place in range(1, len(rehearsal.labels) + 1):
        folder = copy(tmp_path / "kept", tmp_path / f"broken-{place}")

        def work(folder: Path = folder, place: int = place) -> int:
            with watched(Effects(folder, place, act)):
                try:
                    History(folder).forget((), {second}, ())
                except StateError:
                    return 7
            return 0

        assert forked(work) == (-9 if act is kill else 7)
        check(folder, 1, second)
        assert History(folder).save_extract(extract(0)) == first
        check(folder, 0, first)
        History(folder).forget((), {first}, ())
        assert [path.name for path in (folder / "extracts").iterdir()] == [first[:20]]


def test_everything_that_is_kept_was_forced_to_the_disk_before_it_got_its_name(tmp_path, monkeypatch):
    """A power failure may lose what was not: a name without its content would break every night after it."""
    done: list[tuple[str, Any]] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        done.append(("fsync", Path(f"/proc/self/fd/{descriptor}").resolve().name))
        real_fsync(descriptor)

    def replace(source: Any, target: Any) -> None:
        done.append(("replace", Path(target).name))
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    fingerprint = History(tmp_path).save_extract(extract(0))
    assert done == [
        ("fsync", "product_types.parquet"), ("fsync", "sections.parquet"), ("fsync", "goods.parquet"),
        ("replace", fingerprint[:20]), ("fsync", "extracts"),
    ]  # fmt: skip


def test_a_damaged_history_is_one_clear_error_that_says_what_to_do(tmp_path):
    fingerprint, _ = kept(tmp_path)
    path = tmp_path / "extracts" / fingerprint[:20] / "goods.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(TorgsyncError, match=r"damaged: .*goods\.parquet cannot be read") as caught:
        History(tmp_path).extract(fingerprint)
    assert "backup" in caught.value.next_step
    path.unlink()
    with pytest.raises(TorgsyncError, match="cannot be read"):
        History(tmp_path).extract(fingerprint)
