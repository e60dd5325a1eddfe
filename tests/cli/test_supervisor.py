"""How ``torgsync serve`` keeps its processes, without Prefect: the children are small Python modules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.local_server import Child
from flows.serve import Overdue, _watch
from schemas.errors import SettingsError


def child(folder: Path, *words: str) -> Child:
    return Child("worker", list(words), dict(os.environ), folder / "logs" / "worker.log")


def test_a_child_that_ends_by_itself_is_started_again_and_given_up_after_five_ends(tmp_path):
    dying = child(tmp_path, "this")
    said: list[str] = []
    dying.start()
    with pytest.raises(SettingsError, match="the worker ended 5 times within 300 s") as stopped:
        _watch([dying], Overdue([], said.append), said.append)
    assert stopped.value.next_step == f"see {dying.log}"
    assert len(said) == 4
    assert all("starting it again" in sentence for sentence in said)
    assert dying.log.read_text().count("The Zen of Python") == 5, "what each start said is in the log"


def test_a_child_that_is_stopped_has_ended_when_stop_returns(tmp_path):
    busy = child(tmp_path, "http.server", "0", "--bind", "127.0.0.1")
    busy.start()
    assert not busy.ended
    busy.stop()
    assert busy.ended
