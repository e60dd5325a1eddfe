"""A file is whole or not there, wherever its writer dies, and its name stands on the disk after its content."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from files.atomic import force, write_file
from tests.faults.sweep import Effects, fail, forked, kill, watched


@pytest.mark.parametrize("act", [fail, kill], ids=["error", "kill -9"])
def test_a_file_is_the_old_or_the_new_one_wherever_its_writer_dies(tmp_path: Path, act: Any):
    def folder(name: str) -> Path:
        made = tmp_path / name
        made.mkdir()
        (made / "plan.json").write_bytes(b"old content")
        return made

    def work(made: Path, place: int | None) -> int:
        with watched(Effects(made, place, act)) as effects:
            try:
                write_file(made / "plan.json", lambda stream: stream.write(b"new content"))
            except OSError:
                return 7
        return 0 if place is None else len(effects.labels)

    rehearsal = Effects(folder("all"))
    with watched(rehearsal):
        write_file(rehearsal.root / "plan.json", lambda stream: stream.write(b"new content"))
    assert any("replace" in label for label in rehearsal.labels)
    for place in range(1, len(rehearsal.labels) + 1):
        made = folder(f"broken-{place}")
        assert forked(lambda made=made, place=place: work(made, place)) == (-9 if act is kill else 7)
        renamed = place > rehearsal.labels.index("before replace plan.json.part") + 1
        assert (made / "plan.json").read_bytes() == (b"new content" if renamed else b"old content")
        if act is fail:
            assert [path.name for path in made.iterdir()] == ["plan.json"]
        assert write_file(made / "plan.json", lambda stream: stream.write(b"newer")) == (5, True)
        assert [path.name for path in made.iterdir()] == ["plan.json"]


def test_the_content_is_forced_before_the_name_and_the_name_after_it(tmp_path: Path, monkeypatch):
    done: list[tuple[str, str]] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        done.append(("fsync", Path(f"/proc/self/fd/{descriptor}").resolve().name))
        real_fsync(descriptor)

    def replace(source: Any, target: Any) -> None:
        done.append(("replace", Path(target).name))
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_file(tmp_path / "a", lambda stream: stream.write(b"1"))
    assert done == [("fsync", "a.part"), ("replace", "a"), ("fsync", tmp_path.name)]


def test_a_part_that_is_not_kept_leaves_the_old_file_alone(tmp_path: Path):
    final = tmp_path / "a"
    final.write_bytes(b"old")
    seen: list[bytes] = []
    before = final.stat().st_mtime_ns

    def refuse(part: Path) -> bool:
        seen.append(part.read_bytes())
        return False

    assert write_file(final, lambda stream: stream.write(b"new"), refuse) == (3, False)
    assert (seen, final.read_bytes(), final.stat().st_mtime_ns) == ([b"new"], b"old", before)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_forced_is_no_error_and_a_file_is_one(tmp_path: Path, monkeypatch):
    file = tmp_path / "a"
    file.write_bytes(b"1")
    monkeypatch.setattr(os, "fsync", lambda descriptor: fail("fsync", OSError))
    force(tmp_path)
    with pytest.raises(OSError, match="planted"):
        force(file)
