"""A target of each kind with what its server holds, and a way to break its protocol at a chosen step."""

from __future__ import annotations

import ftplib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
import urllib3
from minio import Minio

from stores.delivery import Destination
from stores.delivery.marker import Marker

NAME = "TSGoods.trs"
SIZE = 100_000
OLDER, OLD, NEW = (letter * SIZE for letter in (b"z", b"a", b"b"))  # one size: only the content tells them apart


def marker(content: bytes) -> bytes:
    return Marker(hashlib.sha256(content).hexdigest(), len(content)).text(NAME)


BEFORE = {NAME: OLD, f"{NAME}.sha256": marker(OLD), f"{NAME}.prev": OLDER}


@dataclass(frozen=True)
class Place:
    """``in_one_step``: NAME is never absent. ``keeps``: it keeps NAME.prev."""

    kind: str
    target: Destination
    load: Callable[[dict[str, bytes]], None]
    state: Callable[[], dict[str, bytes]]
    in_one_step: bool = True
    keeps: bool = True

    def after(self, before: dict[str, bytes], content: bytes) -> dict[str, bytes]:
        """What an unbroken delivery leaves."""
        after = {**before, NAME: content, f"{NAME}.sha256": marker(content)}
        if self.keeps and NAME in before:
            after[f"{NAME}.prev"] = before[NAME]
        return after


def on_disk(folder: Path) -> tuple[Callable[[dict[str, bytes]], None], Callable[[], dict[str, bytes]]]:
    """Fill and read a folder that a server of this machine serves."""

    def load(files: dict[str, bytes]) -> None:
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content)

    return load, lambda: {path.name: path.read_bytes() for path in folder.iterdir()}


def in_bucket(client: Minio, bucket: str) -> tuple[Callable[[dict[str, bytes]], None], Callable[[], dict[str, bytes]]]:
    """Fill and read a bucket below the prefix ``feeds``."""
    from io import BytesIO

    def load(files: dict[str, bytes]) -> None:
        for found in list(client.list_objects(bucket, recursive=True)):
            client.remove_object(bucket, str(found.object_name))
        for name, content in files.items():
            client.put_object(bucket, f"feeds/{name}", BytesIO(content), len(content))

    def state() -> dict[str, bytes]:
        names = [str(found.object_name) for found in client.list_objects(bucket, recursive=True)]
        return {name.removeprefix("feeds/"): client.get_object(bucket, name).data for name in names}

    return load, state


class Killed(BaseException):
    """The process was ended: nothing handles this."""


class Faults:
    """Breaks the ``at``-th step of a protocol, and all after it. Steps are commands, packets or requests.

    ``how``: ``unsent`` the connection is cut before the step, ``unanswered`` the server did it and its answer is
    lost, ``killed`` our process ends before the step.
    """

    def __init__(self, monkeypatch: Any, at: int, how: str) -> None:
        self.at, self.how, self.count = at, how, 0
        self.active = True
        for owner, name in (
            (ftplib.FTP, "putcmd"),
            (ftplib.FTP, "getresp"),
            (paramiko.SFTPClient, "_send_packet"),
            (paramiko.SFTPClient, "_read_packet"),
            (urllib3.PoolManager, "urlopen"),
        ):
            monkeypatch.setattr(owner, name, self._wrapped(getattr(owner, name), name))

    @property
    def struck(self) -> bool:
        return self.count >= self.at

    def _wrapped(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        is_answer = name in ("getresp", "_read_packet")

        def call(owner: Any, *args: Any, **kwargs: Any) -> Any:
            counts = name == "urlopen" or is_answer == (self.how == "unanswered")
            if not self.active or not (counts or self.struck):
                return original(owner, *args, **kwargs)
            was_struck = self.struck
            self.count += counts
            if not self.struck:
                return original(owner, *args, **kwargs)
            if self.how == "unanswered" and not was_struck:
                original(owner, *args, **kwargs)
            if getattr(owner, "sock", None) is not None:
                owner.sock.close()
            raise Killed if self.how == "killed" else ConnectionResetError(104, "Connection reset by peer")

        return call
