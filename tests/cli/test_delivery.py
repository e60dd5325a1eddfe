"""A feed that cannot be delivered: exit code 4, one clear line, the other store is up to date, the old file stays."""

from __future__ import annotations

import asyncssh
import pytest
import trustme

from tests.cli.conftest import Loaded, Torgsync, renamed
from tests.delivery.conftest import Keys, _quick, keys  # noqa: F401 - fixtures, found by their names
from tests.delivery.servers import FTPHandler, ftp_server, full_disk_handler, sftp_server, tls_handler

STORE = '[[stores]]\nname = "far"\nkind = "trs"\nuser = "feed"\npassword_env = "FEED_PASSWORD"\ntimeout_seconds = 5\n'


class Full(full_disk_handler("552 Disk full - please upload later.")):  # type: ignore[misc]
    """Full from the first byte: the shop's file is small."""

    class dtp_handler(FTPHandler.dtp_handler):  # type: ignore[name-defined, misc]
        def handle_read(self) -> None:
            super().handle_read()
            if self.receive:
                self._resp = ("552 Disk full - please upload later.", lambda _: None)
                self.close()

        handle_read_event = handle_read


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("wrong certificate", "certificate is refused"),
        ("wrong host key", "the host's key is not the one"),
        ("wrong password", "the login feed was refused"),
        ("full disk", "Disk full"),
        ("missing folder", "/ghost: the folder does not exist"),
    ],
)
def test_what_keeps_a_feed_from_its_server_is_one_line_and_exit_code_4(
    torgsync: Torgsync,
    loaded: Loaded,
    keys: Keys,  # noqa: F811
    tmp_path,
    monkeypatch,
    fault,
    told,
):
    served = tmp_path / "served"
    served.mkdir()
    (served / "TSGoods.trs").write_bytes(b"old")
    more = ""
    if fault == "wrong certificate":
        trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
        server, protocol, more = ftp_server(served, tls_handler(keys.certificate)), "ftps", 'cafile = "../other.pem"\n'
    elif fault == "wrong host key":
        other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
        server, protocol, more = sftp_server(served, keys.host_key), "sftp", f'host_fingerprint = "{other}"\n'
    else:
        server, protocol = ftp_server(served, Full if fault == "full disk" else FTPHandler), "ftp"
    if fault == "wrong password":
        monkeypatch.setenv("FEED_PASSWORD", "wrong and secret")
    with server as port:
        path = "/ghost" if fault == "missing folder" else ""
        loaded.shop.settings(more=f'{STORE}target = "{protocol}://127.0.0.1:{port}{path}"\n{more}')
        loaded.goods(renamed(1, "Інша назва"))
        done = torgsync("sync", loaded.folder)
    assert done.code == 4
    (line,) = [line for line in done.out.splitlines() if "store far" in line and "FAILED" in line]
    assert told in line
    assert "far" in done.err
    assert "secret" not in done.out + done.err
    assert (served / "TSGoods.trs").read_bytes() == b"old"
    assert any("Інша назва" in str(row) for row in loaded.shown()[1]), "the other store is up to date"
