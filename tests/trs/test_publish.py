"""A file is published whole or not at all (domain.md section 5)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from schemas.errors import StoreError
from stores import publish as module
from stores.publish import publish


def put(content: bytes) -> Callable[[BinaryIO], int]:
    return lambda stream: stream.write(content)


def test_a_file_is_put_in_its_place_and_the_writers_result_comes_back(tmp_path: Path) -> None:
    done = publish(tmp_path, "TSGoods.trs", put(b"abc"))
    assert (done.result, done.published) == (3, True)
    assert (tmp_path / "TSGoods.trs").read_bytes() == b"abc"
    assert [path.name for path in tmp_path.iterdir()] == ["TSGoods.trs"]


def test_the_same_content_again_leaves_file_and_time_alone(tmp_path: Path) -> None:
    first = publish(tmp_path, "f", put(b"abc"))
    os.utime(tmp_path / "f", ns=(10**18, 10**18))
    again = publish(tmp_path, "f", put(b"abc"))
    assert (again.published, again.sha256) == (False, first.sha256)
    assert (tmp_path / "f").stat().st_mtime_ns == 10**18
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert publish(tmp_path, "f", put(b"abd")).published
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_writer_that_breaks_off_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    publish(tmp_path, "f", put(b"old"))

    def broken(stream: BinaryIO) -> None:
        stream.write(b"new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path, "f", broken)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"f": b"old"}


def test_an_empty_file_is_never_published(tmp_path: Path) -> None:
    publish(tmp_path, "f", put(b"old"))
    with pytest.raises(StoreError, match="would be empty"):
        publish(tmp_path, "f", put(b""))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"f": b"old"}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_refuses_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    publish(tmp_path, "f", put(b"old"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os if step == "fsync" else Path, step, full)
    with pytest.raises(StoreError, match="cannot be written: No space left on device"):
        publish(tmp_path, "f", put(b"new"))
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"f": b"old"}


def test_what_a_killed_run_left_behind_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"half of an older and longer file")
    publish(tmp_path, "f", put(b"new"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"f": b"new"}


def test_a_missing_folder_is_an_error_with_a_next_step_unless_it_is_our_own(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the folder does not exist") as caught:
        publish(tmp_path / "share", "f", put(b"x"))
    assert "mount" in caught.value.next_step
    assert not (tmp_path / "share").exists()
    assert publish(tmp_path / "a" / "output", "f", put(b"x"), create=True).published
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be created"):
        publish(tmp_path / "file" / "output", "f", put(b"x"), create=True)


def test_a_folder_in_the_files_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        publish(tmp_path, "f", put(b"x"))
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_rights_that_an_administrator_gave_the_file_stay(tmp_path: Path) -> None:
    publish(tmp_path, "f", put(b"old"))
    (tmp_path / "f").chmod(0o640)
    assert publish(tmp_path, "f", put(b"new")).published
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("dangling", [False, True])
def test_the_file_that_a_link_leads_to_is_written_and_the_link_stays(tmp_path: Path, dangling: bool) -> None:
    shared, target = tmp_path / "www", tmp_path / "feed"
    shared.mkdir()
    target.mkdir()
    (target / "f").symlink_to("../www/x.trs")
    if not dangling:
        (shared / "x.trs").write_bytes(b"old")
        (shared / "x.trs").chmod(0o640)
    done = publish(target, "f", put(b"new"))
    assert (done.published, (shared / "x.trs").read_bytes()) == (True, b"new")
    assert (target / "f").is_symlink()
    assert not (shared / "x.trs").is_symlink()
    if not dangling:
        assert (shared / "x.trs").stat().st_mode & 0o777 == 0o640
    assert not publish(target, "f", put(b"new")).published
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["f", "feed", "www", "x.trs"]


def test_a_link_to_nowhere_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    (tmp_path / "f").symlink_to("gone/x.trs")
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(StoreError, match="whose folder does not exist") as caught:
        publish(tmp_path, "f", put(b"x"))
    assert "mount" in caught.value.next_step
    with pytest.raises(StoreError, match="leads back to itself"):
        publish(tmp_path, "round", put(b"x"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "round"]
