"""A delivery is broken at every step of its protocol; what lies there is whole, and the next run ends the same."""

from __future__ import annotations

import hashlib

import pytest

from schemas.errors import StoreError
from stores.delivery import deliver, read_digest
from stores.delivery.marker import parse_marker
from tests.delivery.places import BEFORE, NAME, NEW, OLD, Faults, Killed, Place
from tests.delivery.test_deliver import put


def whole(place: Place) -> None:
    """The old file or the new one lies there, and a marker that fits in size tells its true content."""
    state = place.state()
    present = state.get(NAME)
    if present is None and not place.in_one_step and place.kind != "s3":
        present = state[f"{NAME}.prev"]  # the declared gap: the old file was put aside
        assert f"{NAME}.part" in state
    assert present in (OLD, NEW)
    told = parse_marker(state.get(f"{NAME}.sha256", b""), NAME)
    if told is not None and NAME in state:
        assert told.sha256 == hashlib.sha256(present).hexdigest()


@pytest.mark.parametrize("how", ["unsent", "unanswered", "killed"])
def test_broken_at_any_step_it_is_whole_and_the_next_run_completes_it(place, monkeypatch, how):
    step = 0
    while True:
        step += 1
        place.load(BEFORE)
        with monkeypatch.context() as patch:
            faults = Faults(patch, step, how)
            try:
                deliver(place.target, NAME, put(NEW))
            except (StoreError, Killed):
                assert faults.struck
        if not faults.struck:
            break
        whole(place)
        # alternately: the next run brings the same content, or finds that the old one is wanted again
        wanted = NEW if step % 2 else OLD
        before = place.state()
        deliver(place.target, NAME, put(wanted))
        state = place.state()
        assert state[NAME] == wanted
        assert read_digest(place.target, NAME) == hashlib.sha256(wanted).hexdigest()
        if wanted == NEW:
            assert state == place.after(BEFORE, NEW), (step, sorted(before))
    assert step > 8
    assert place.state() == place.after(BEFORE, NEW)


def test_a_connection_that_breaks_before_the_file_is_replaced_is_tried_again(place, monkeypatch):
    monkeypatch.setattr("stores.delivery.carry.PAUSES", (0, 0))
    place.load(BEFORE)
    with monkeypatch.context() as patch:
        faults = Faults(patch, 4, "unsent")
        monkeypatch.setattr("stores.delivery.carry.time.sleep", lambda _: setattr(faults, "active", False))
        assert deliver(place.target, NAME, put(NEW)).published
        assert faults.struck
    assert place.state() == place.after(BEFORE, NEW)
