"""What lies at a target after a delivery, and what does not change."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from schemas.errors import StoreError
from schemas.settings.delivery import DeliverySettings
from stores.delivery import Destination, check, deliver, read_digest
from stores.delivery.s3 import s3_session
from tests.delivery.places import BEFORE, NAME, NEW, OLD, OLDER, Place, marker


def put(content: bytes):
    def write(stream: BinaryIO) -> int:
        return stream.write(content)

    return write


def test_a_first_file_arrives_with_its_marker_and_nothing_else(place):
    done = deliver(place.target, NAME, put(NEW))
    assert (done.published, done.result, done.notes) == (True, len(NEW), ())
    assert place.state() == {NAME: NEW, f"{NAME}.sha256": marker(NEW)}
    assert read_digest(place.target, NAME) == done.sha256 == hashlib.sha256(NEW).hexdigest()


def test_a_new_file_replaces_the_old_one_which_is_kept_where_the_server_can(place):
    place.load(BEFORE)
    done = deliver(place.target, NAME, put(NEW))
    assert done.published
    assert place.state() == place.after(BEFORE, NEW)
    assert bool(done.notes) is not place.in_one_step or place.kind == "s3"


def test_the_same_file_is_not_sent_again(place, monkeypatch):
    place.load(BEFORE)
    monkeypatch.setattr("stores.delivery.transfer.Transfer._put", lambda *_: pytest.fail("sent"))
    assert not deliver(place.target, NAME, put(OLD)).published
    assert place.state() == BEFORE


def test_a_file_without_a_marker_that_holds_our_content_gets_one_and_is_not_sent_again(place):
    place.load({NAME: OLD, f"{NAME}.prev": OLDER, f"{NAME}.sha256": marker(OLD)[:70]})
    assert read_digest(place.target, NAME) is None
    assert not deliver(place.target, NAME, put(OLD)).published
    assert place.state() == BEFORE


def test_a_file_of_the_same_size_that_somebody_else_put_there_is_replaced(place):
    place.load({NAME: OLD})
    assert deliver(place.target, NAME, put(NEW)).published
    assert place.state() == place.after({NAME: OLD}, NEW)


def test_a_file_that_somebody_cut_short_is_replaced_although_the_marker_says_it_is_ours(place):
    place.load({**BEFORE, NAME: OLD[:-1]})
    assert read_digest(place.target, NAME) is None
    assert deliver(place.target, NAME, put(OLD)).published
    assert place.state()[NAME] == OLD


def test_where_nothing_lies_there_is_no_digest(place):
    assert read_digest(place.target, NAME) is None


def test_a_check_tells_what_the_protocol_cannot_do_and_writes_nothing(place):
    place.load(BEFORE)
    assert any("prev" in gap for gap in check(place.target)) == place.kind.startswith("ftp")
    assert place.state() == BEFORE


def test_an_empty_file_is_never_delivered(place):
    place.load(BEFORE)
    with pytest.raises(StoreError, match="would be empty"):
        deliver(place.target, NAME, put(b""))
    assert place.state() == BEFORE


def test_what_the_writer_raises_passes_through_and_nothing_is_sent(place):
    def broken(stream: BinaryIO) -> None:
        stream.write(NEW)
        raise ZeroDivisionError

    place.load(BEFORE)
    with pytest.raises(ZeroDivisionError):
        deliver(place.target, NAME, broken)
    assert place.state() == BEFORE


@pytest.mark.parametrize("name", ["a/b", "../a", "a\\b", "a\nDELE b", "", ".", ".."])
def test_a_file_name_that_leads_elsewhere_is_refused(tmp_path, name):
    settings = DeliverySettings(target="ftp://feed@127.0.0.1:1/", password_env="FEED_PASSWORD")
    with pytest.raises(StoreError, match="not a plain file name"):
        deliver(Destination(settings, tmp_path), name, put(NEW))


@pytest.mark.parametrize("kind", ["ftp", "ftps", "sftp", "s3"])
def test_a_reader_never_sees_a_part_of_a_file_nor_a_moment_without_one(place_of, kind):
    place = place_of(kind)
    contents = [bytes([65 + n]) * 3_000_000 for n in range(6)]
    place.load({NAME: contents[0]})
    stop, seen = threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            content = _now(place)
            seen.add((len(content), content[:1], content == content[:1] * len(content)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for content in contents[1:]:
            deliver(place.target, NAME, put(content))
    finally:
        stop.set()
        reader.join()
    assert seen <= {(3_000_000, content[:1], True) for content in contents}
    assert len(seen) > 1


def _now(place: Place) -> bytes:
    if place.kind == "s3":
        with s3_session(place.target) as session:
            content = bytearray()
            session.read(NAME, content.extend)
            return bytes(content)
    return (place.target.base / place.target.remote_folder.strip("/") / NAME).read_bytes()


def test_a_local_folder_gets_the_file_alone(tmp_path: Path):
    target = Destination(DeliverySettings(target="feeds"), tmp_path)
    with pytest.raises(StoreError, match="does not exist"):
        check(target)
    done = deliver(target, NAME, put(NEW), create=True)
    assert done.published
    assert (tmp_path / "feeds" / NAME).read_bytes() == NEW
    assert not deliver(target, NAME, put(NEW)).published
    assert [path.name for path in (tmp_path / "feeds").iterdir()] == [NAME]
    assert read_digest(target, NAME) == done.sha256
    assert read_digest(target, "other") is None
    assert check(target)


def test_rights_that_somebody_gave_the_old_file_stay_over_sftp(place_of):
    place = place_of("sftp")
    place.load(BEFORE)
    path = place.target.base / place.target.remote_folder.strip("/") / NAME
    path.chmod(0o604)
    deliver(place.target, NAME, put(NEW))
    assert path.stat().st_mode & 0o777 == 0o604


def test_a_path_from_where_the_login_begins_is_found(place_of):
    for kind in ("ftp", "sftp"):
        place = place_of(kind)
        begun = place.target.settings.model_copy(
            update={"target": place.target.settings.target.replace("/place", "/~/place")}
        )
        deliver(Destination(begun, place.target.base), NAME, put(NEW))
        assert place.state()[NAME] == NEW
