"""Whatever fails is told in one line with what to do, never with the password, and the old file stays whole."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asyncssh
import pytest
import trustme

from schemas.errors import StoreError
from schemas.settings.delivery import DeliverySettings
from stores.delivery import Destination, check, deliver, read_digest
from stores.delivery.session import ConnectionFailed
from tests.delivery.conftest import Keys
from tests.delivery.places import BEFORE, NAME, NEW, OLD, Place, on_disk
from tests.delivery.servers import (
    PASSWORD,
    USER,
    DyingData,
    DyingSftp,
    FTPHandler,
    FullSftp,
    ReadOnlySftp,
    ftp_server,
    full_disk_handler,
    sftp_server,
    tls_handler,
)
from tests.delivery.test_deliver import put


def target(url: str, base: Path, **keys: object) -> Destination:
    given = {"user": USER, "password_env": "FEED_PASSWORD", "timeout_seconds": 2, **keys}
    return Destination(DeliverySettings(target=url, **given), base)


def refused(where: Destination, *words: str, kind: type[StoreError] = StoreError) -> StoreError:
    """Deliver, which fails with these words, in one line, with a next step and without the password."""
    with pytest.raises(StoreError) as caught:
        deliver(where, NAME, put(NEW))
    error = caught.value
    for word in words:
        assert word in error.message, error.message
    assert isinstance(error, kind)
    assert "\n" not in error.message
    assert error.next_step
    assert PASSWORD not in str(error) + str(error.__cause__)
    return error


def other(place: Place, **update: object) -> Destination:
    """The place's target with other settings."""
    return Destination(place.target.settings.model_copy(update=update), place.target.base)


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """An HTTP server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


URLS = {
    "ftp": ("ftp://{host}:{port}/feeds", {}),
    "ftps": ("ftps://{host}:{port}/feeds", {}),
    "sftp": ("sftp://{host}:{port}/feeds", {"host_fingerprint": "SHA256:" + "a" * 43}),
    "s3": ("s3://feeds", {"endpoint": "https://{host}:{port}", "region": "eu"}),
}


def at(protocol: str, host: str, port: int, base: Path) -> Destination:
    url, keys = URLS[protocol]
    return target(
        url.format(host=host, port=port), base, **{k: v.format(host=host, port=port) for k, v in keys.items()}
    )


@pytest.mark.parametrize("protocol", URLS)
def test_nobody_listens(protocol, tmp_path):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        refused(at(protocol, "127.0.0.1", reserved.getsockname()[1], tmp_path), "nobody listens", kind=ConnectionFailed)


@pytest.mark.parametrize("protocol", URLS)
def test_the_host_is_unknown(protocol, tmp_path):
    refused(at(protocol, "no-such-host.invalid", 4, tmp_path), "name is not known", kind=ConnectionFailed)


@pytest.mark.parametrize("protocol", URLS)
def test_the_server_never_answers(protocol, tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        where = at(protocol, "127.0.0.1", silent.getsockname()[1], tmp_path)
        quick = Destination(where.settings.model_copy(update={"timeout_seconds": 0.3}), tmp_path)
        refused(quick, "" if protocol == "sftp" else "no answer in time", kind=ConnectionFailed)


@pytest.mark.parametrize("protocol", URLS)
def test_something_else_listens_there(protocol, tmp_path):
    class Nonsense(BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    with serving(Nonsense) as port:
        refused(at(protocol, "127.0.0.1", port, tmp_path), kind=ConnectionFailed)


@pytest.mark.parametrize("kind", ["ftp", "ftps", "sftp"])
def test_a_wrong_password_is_told_without_it_and_not_tried_again(kind, place_of, monkeypatch):
    place = place_of(kind)
    place.load(BEFORE)
    monkeypatch.setenv("FEED_PASSWORD", "wrong and secret")
    monkeypatch.setattr("stores.delivery.carry.PAUSES", (0, 0))
    monkeypatch.setattr("stores.delivery.carry.time.sleep", lambda _: pytest.fail("tried again"))
    error = refused(place.target, "the login feed was refused")
    assert "FEED_PASSWORD" in error.next_step
    assert "wrong and secret" not in str(error)
    assert place.state() == BEFORE


@pytest.mark.parametrize("value", [None, ""])
def test_a_password_that_is_not_set_is_told(value, place, monkeypatch):
    monkeypatch.delenv("FEED_PASSWORD")
    if value is not None:
        monkeypatch.setenv("FEED_PASSWORD", value)
    refused(place.target, "FEED_PASSWORD", "is not set")


@pytest.mark.parametrize("kind", ["ftp", "ftps", "sftp"])
def test_a_missing_folder_is_an_error_and_is_not_made(kind, place_of):
    place = place_of(kind)
    url = place.target.settings.target
    refused(other(place, target=f"{url}/ghost"), "/ghost: the folder does not exist")
    with pytest.raises(StoreError, match="does not exist"):
        check(other(place, target=f"{url}/ghost"))
    assert place.state() == {}


def test_a_file_where_the_folder_should_be_is_told(place_of):
    place = place_of("sftp")
    place.load({"feeds": b"no folder"})
    refused(other(place, target=f"{place.target.settings.target}/feeds"), "the folder does not exist")


def test_a_missing_bucket_is_an_error_and_is_not_made(place_of):
    place = place_of("s3")
    refused(other(place, target="s3://ghost/feeds"), "s3://ghost/feeds: the folder does not exist")


def test_a_certificate_of_an_unknown_authority_is_refused(place_of, tmp_path):
    place = place_of("ftps")
    place.load(BEFORE)
    refused(other(place, cafile=None), "certificate is refused")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    refused(other(place, cafile=str(tmp_path / "other.pem")), "certificate is refused")
    assert place.state() == BEFORE


def test_a_certificate_of_another_host_is_refused(place_of):
    place = place_of("ftps")
    elsewhere = place.target.settings.target.replace("127.0.0.1", "localhost")
    refused(other(place, target=elsewhere), "certificate is refused", "localhost")


def test_an_s3_service_with_a_certificate_of_an_unknown_authority_is_refused(keys: Keys, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys.certificate)
    with serving(BaseHTTPRequestHandler, context) as port:
        refused(at("s3", "127.0.0.1", port, tmp_path), "certificate is refused")


def test_a_cafile_without_a_certificate_is_told(place_of, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    place = place_of("ftps")
    refused(other(place, cafile=str(tmp_path / "ca.pem")), "holds no certificate")
    refused(other(place, cafile=str(tmp_path / "gone.pem")), "gone.pem is not there")


def test_a_server_without_tls_never_gets_the_password(tmp_path):
    seen = []

    class Plain(FTPHandler):
        def ftp_PASS(self, line: str) -> None:
            seen.append(line)

    with ftp_server(tmp_path, Plain) as port:
        refused(target(f"ftps://127.0.0.1:{port}/", tmp_path), "offers no TLS")
    assert seen == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_data_connections_resume_the_tls_session(version, keys, tmp_path, monkeypatch):
    handler = tls_handler(keys.certificate)
    real = ssl.create_default_context

    def of_version(**given: object) -> ssl.SSLContext:
        context = real(**given)
        context.minimum_version = context.maximum_version = version
        return context

    monkeypatch.setattr(ssl, "create_default_context", of_version)
    with ftp_server(tmp_path, handler) as port:
        deliver(target(f"ftps://127.0.0.1:{port}/", tmp_path, cafile=str(keys.cafile)), NAME, put(NEW))
    assert handler.dtp_handler.resumed == [True, True]


def test_an_unknown_host_key_is_refused_and_shown(place_of, tmp_path):
    place = place_of("sftp")
    (tmp_path / "known_hosts").write_text("")
    where = other(place, host_fingerprint=None, known_hosts=str(tmp_path / "known_hosts"))
    error = refused(where, "not in", "known_hosts", place.target.settings.host_fingerprint)
    assert "administrator" in error.next_step
    assert (tmp_path / "known_hosts").read_text() == ""


def test_a_changed_host_key_is_refused(place_of, tmp_path):
    place = place_of("sftp")
    place.load(BEFORE)
    (tmp_path / "known_hosts").write_text(known(place, asyncssh.generate_private_key("ssh-ed25519")))
    where = other(place, host_fingerprint=None, known_hosts=str(tmp_path / "known_hosts"))
    refused(where, "not the one in known_hosts")
    refused(other(place, host_fingerprint="SHA256:" + "A" * 43), "not the one of host_fingerprint")
    assert place.state() == BEFORE


def test_a_known_host_is_trusted(place_of, keys, tmp_path):
    place = place_of("sftp")
    (tmp_path / "known_hosts").write_text(known(place, keys.host_key))
    where = other(place, host_fingerprint=None, known_hosts=str(tmp_path / "known_hosts"))
    assert deliver(where, NAME, put(NEW)).published


def known(place: Place, key: asyncssh.SSHKey) -> str:
    return f"[127.0.0.1]:{place.target.port} {key.export_public_key().decode().strip()}\n"


@pytest.mark.filterwarnings("ignore:.*bcrypt")
@pytest.mark.parametrize("passphrase", [None, PASSWORD])
def test_a_key_file_logs_in(passphrase, keys, tmp_path):
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "key").write_bytes(key.export_private_key(passphrase=passphrase, rounds=4))
    (tmp_path / "clients").write_bytes(key.export_public_key())
    (tmp_path / "feeds").mkdir()
    given = {"key_file": "key", "host_fingerprint": keys.host_key.get_fingerprint()}
    with sftp_server(tmp_path, keys.host_key, clients=tmp_path / "clients") as port:
        url = f"sftp://127.0.0.1:{port}/feeds"
        where = target(url, tmp_path, password_env="FEED_PASSWORD" if passphrase else None, **given)
        assert deliver(where, NAME, put(NEW)).published
        if passphrase:
            refused(target(url, tmp_path, password_env=None, **given), "passphrase")
        (tmp_path / "key").write_text("no key")
        refused(target(url, tmp_path, **given), "key")


FULL = {
    "552": "552 Disk full - please upload later.",
    "452": "452 Insufficient storage.",
    "451": "451 Failure writing to local file.",
    "426": "426 No space left on device; transfer aborted.",
}


@pytest.mark.parametrize("code", FULL)
def test_a_full_disk_is_told_and_the_part_is_removed(code, tmp_path):
    load, state = on_disk(tmp_path / "feeds")
    load(BEFORE)
    with ftp_server(tmp_path, full_disk_handler(FULL[code])) as port:
        error = refused(target(f"ftp://127.0.0.1:{port}/feeds", tmp_path), FULL[code])
    assert "space" in str(error)
    assert state() == BEFORE


def test_a_login_without_sftp_is_told(keys, tmp_path):
    with sftp_server(tmp_path, keys.host_key, None) as port:
        where = target(f"sftp://127.0.0.1:{port}/", tmp_path, host_fingerprint=keys.host_key.get_fingerprint())
        assert not isinstance(refused(where, "gives the login feed no SFTP"), ConnectionFailed)


@pytest.mark.parametrize("server", [FullSftp, ReadOnlySftp])
def test_an_sftp_server_that_refuses_a_block_or_all_is_believed(server, keys, tmp_path):
    load, state = on_disk(tmp_path / "feeds")
    load(BEFORE)
    with sftp_server(tmp_path, keys.host_key, server) as port:
        where = target(f"sftp://127.0.0.1:{port}/feeds", tmp_path, host_fingerprint=keys.host_key.get_fingerprint())
        refused(where, "no right" if server is ReadOnlySftp else "No space left")
    assert state() == BEFORE


def test_an_ftp_login_without_the_right_to_write_is_told(tmp_path):
    load, state = on_disk(tmp_path / "feeds")
    load(BEFORE)
    with ftp_server(tmp_path, perm="elr") as port:
        error = refused(target(f"ftp://127.0.0.1:{port}/feeds", tmp_path), "refused (sending TSGoods.trs.part)")
    assert "right" in error.next_step
    assert state() == BEFORE


@pytest.mark.parametrize("protocol", ["ftp", "sftp"])
def test_a_server_that_dies_in_the_middle_of_a_file_leaves_the_old_one(protocol, keys, tmp_path):
    load, state = on_disk(tmp_path / "feeds")
    load(BEFORE)
    dying = type("Dying", (FTPHandler,), {"dtp_handler": DyingData})
    server = ftp_server(tmp_path, dying) if protocol == "ftp" else sftp_server(tmp_path, keys.host_key, DyingSftp)
    given = {"host_fingerprint": keys.host_key.get_fingerprint()} if protocol == "sftp" else {}
    with server as port:
        refused(target(f"{protocol}://127.0.0.1:{port}/feeds", tmp_path, **given), kind=ConnectionFailed)
    left = state()
    assert len(left.pop(f"{NAME}.part")) < len(NEW)
    assert left == BEFORE


def test_a_server_that_stores_less_than_was_sent_is_found_out(tmp_path, monkeypatch):
    load, state = on_disk(tmp_path / "feeds")
    load(BEFORE)

    class Filter(FTPHandler):
        def on_file_received(self, file: str) -> None:
            Path(file).write_bytes(NEW[:-1])

    with ftp_server(tmp_path, Filter) as port:
        refused(target(f"ftp://127.0.0.1:{port}/feeds", tmp_path), f"{len(NEW) - 1} of {len(NEW)} bytes arrived")
    assert state() == BEFORE


class Unready(BaseHTTPRequestHandler):
    """A service behind a proxy that has lost it."""

    requests = 0

    def do_GET(self) -> None:
        Unready.requests += 1
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_an_s3_service_that_is_not_ready_is_asked_as_often_as_declared(tmp_path, monkeypatch):
    monkeypatch.setattr("stores.delivery.carry.PAUSES", (0, 0))
    with serving(Unready) as port:
        where = target("s3://feeds", tmp_path, endpoint=f"http://127.0.0.1:{port}", region="eu")
        refused(where, "no S3 answer", kind=ConnectionFailed)
    assert Unready.requests == 3


def test_an_access_key_that_is_refused_is_told(tmp_path):
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>"
            self.send_response(403)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        log_message = Unready.log_message

    with serving(Refusing) as port:
        where = target("s3://feeds", tmp_path, endpoint=f"http://127.0.0.1:{port}", region="eu")
        refused(where, "the access key feed was refused", "SignatureDoesNotMatch")


def test_a_full_temporary_folder_is_told(place, monkeypatch):
    place.load(BEFORE)

    def full(stream: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="cannot be prepared") as caught:
        deliver(place.target, NAME, full)
    assert "TMPDIR" in caught.value.next_step
    assert place.state() == BEFORE


def test_a_break_after_the_file_was_replaced_says_so_and_is_not_tried_again(place_of, monkeypatch):
    place = place_of("sftp")
    place.load(BEFORE)
    monkeypatch.setattr("stores.delivery.carry.PAUSES", (0, 0))
    calls = []

    def cut(*_: object) -> None:
        calls.append(1)
        raise ConnectionFailed("cut", "run again")

    monkeypatch.setattr("stores.delivery.transfer.Transfer._mark", cut)
    error = refused(place.target, "the new file may be in place already")
    assert "to complete it" in error.next_step
    assert len(calls) == 1  # nothing is tried again from there on
    assert place.state()[NAME] == NEW
    assert read_digest(place.target, NAME) is None


def test_a_rename_that_fails_after_the_old_file_was_put_aside_puts_it_back(tmp_path):
    load, state = on_disk(tmp_path / "feeds")
    load(BEFORE)

    class Refusing(FTPHandler):
        def ftp_RNTO(self, path: str) -> str | None:
            if path.endswith(NAME) and self._rnfr.endswith(".part"):
                self.respond("550 No.")
                return None
            return super().ftp_RNTO(path)

    with ftp_server(tmp_path, Refusing) as port:
        refused(target(f"ftp://127.0.0.1:{port}/feeds", tmp_path), "550 No.")
    assert state()[NAME] == OLD


def test_a_local_folder_that_may_not_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "feeds").mkdir()
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(StoreError, match="no right to write"):
        check(Destination(DeliverySettings(target="feeds"), tmp_path))
