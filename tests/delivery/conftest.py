"""One server of each kind for all tests of this folder; each test has a separate folder or bucket there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncssh
import pytest
import trustme
from minio import Minio

from schemas.settings.delivery import DeliverySettings
from stores.delivery import Destination
from tests.delivery.places import Place, in_bucket, on_disk
from tests.delivery.servers import (
    PASSWORD,
    USER,
    NoOverwriteHandler,
    PlainSftp,
    ftp_server,
    s3_server,
    sftp_server,
    tls_handler,
)

KINDS = ("ftp", "ftp-no-overwrite", "ftps", "sftp", "sftp-plain", "s3")
NUMBERS = count(1)


@dataclass(frozen=True)
class Keys:
    """The keys and certificates of the servers."""

    cafile: Path
    certificate: Path
    host_key: asyncssh.SSHKey


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    return Keys(folder / "ca.pem", folder / "server.pem", asyncssh.generate_private_key("ssh-ed25519"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEED_PASSWORD", PASSWORD)
    monkeypatch.setattr("stores.delivery.carry.PAUSES", ())


@pytest.fixture(scope="session")
def place_of(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """Return a function that makes an empty target of a kind; the first of a kind starts its server."""
    with ExitStack() as stack:
        base = tmp_path_factory.mktemp("served")
        started: dict[str, object] = {}

        def started_once(kind: str) -> object:
            if kind not in started:
                server = {
                    "ftp": lambda: ftp_server(base),
                    "ftp-no-overwrite": lambda: ftp_server(base, NoOverwriteHandler),
                    "ftps": lambda: ftp_server(base, tls_handler(keys.certificate)),
                    "sftp": lambda: sftp_server(base, keys.host_key),
                    "sftp-plain": lambda: sftp_server(base, keys.host_key, PlainSftp),
                    "s3": s3_server,
                }[kind]
                started[kind] = stack.enter_context(server())
            return started[kind]

        def make(kind: str) -> Place:
            where = started_once(kind)
            name = f"place{next(NUMBERS)}"
            common = {"user": USER, "password_env": "FEED_PASSWORD", "timeout_seconds": 60}
            if kind == "s3":
                client = Minio(str(where).removeprefix("http://"), "key", "secret", secure=False, region="us-east-1")
                client.make_bucket(name)
                settings = DeliverySettings(target=f"s3://{name}/feeds", endpoint=str(where), **common)
                return Place(kind, Destination(settings, base), *in_bucket(client, name))
            protocol = kind.partition("-")[0]
            if protocol == "ftps":
                common["cafile"] = str(keys.cafile)
            if protocol == "sftp":
                common["host_fingerprint"] = keys.host_key.get_fingerprint()
            settings = DeliverySettings(target=f"{protocol}://127.0.0.1:{where}/{name}", **common)
            load, state = on_disk(base / name)
            load({})
            whole = kind in ("ftp", "ftps", "sftp")
            return Place(
                kind, Destination(settings, base), load, state, in_one_step=whole, keeps=kind not in ("ftp", "ftps")
            )

        yield make


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Place:
    return place_of(request.param)
