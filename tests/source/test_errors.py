"""Every way in which a base cannot be read: one clear sentence, a next step, no traceback; each provoked for real."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from schemas.errors import SettingsError, SourceError, TorgsyncError
from schemas.settings.shop import SourceSettings
from sources.firebird import client as embedded_module
from sources.firebird.connection import parse_dsn
from sources.firebird.extract import read_base
from sources.firebird.schema_map import load_map
from tests.firebird_server import FirebirdServer
from tests.patience import PATIENCE
from tests.source.conftest import PASSWORD_ENV, Place
from tests.source.frames import goods


def fails(settings: SourceSettings, folder: Path, words: str, next_step: str) -> TorgsyncError:
    once = settings.model_copy(update={"tries": 1})  # tests/source/test_silence.py tries again
    with pytest.raises((SourceError, SettingsError), match=words) as caught:
        read_base(once, folder)
    assert next_step in caught.value.next_step
    assert "SQLCODE" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such base"),
        (b"", "not a Firebird base, or a cut one"),
        (b"SQLite format 3", "not a Firebird base, or a cut one"),
        (b"GoodID;GoodName\r\n" * 9000, "the file is not a Firebird base"),
        ("folder", "not a Firebird base, or a cut one"),
    ],
    ids=["absent", "empty", "short", "text", "folder"],
)
def test_a_file_that_is_no_base_is_named(tmp_path: Path, content: object, words: str) -> None:
    path = tmp_path / "base.fdb"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    error = fails(SourceSettings(dsn="base.fdb"), tmp_path, words, "check dsn")
    assert str(path) in error.message


def test_a_half_copied_base_is_refused(embedded: Place) -> None:
    embedded.build(goods=goods(500))
    path = embedded.folder / "base.fdb"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    fails(embedded.settings("base.fdb"), embedded.folder, "cut one|cannot be read|refused", "")


HOLDER = """
import sys, fdb
from sources.firebird.client import load_client
load_client()
connection = fdb.connect(dsn=sys.argv[1], user="SYSDBA", charset="UTF8")
print("open", flush=True)
sys.stdin.read()
"""


def test_a_base_that_another_process_has_open_is_named(embedded: Place) -> None:
    embedded.build()
    command = [sys.executable, "-c", HOLDER, embedded.dsn("base.fdb")]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        fails(embedded.settings("base.fdb"), embedded.folder, "another process has the base open", "wait until")
    finally:
        holder.communicate("")
    assert len(embedded.read().goods) == 3


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become a user without rights")
@pytest.mark.parametrize(("mode", "words"), [(0, "may not be opened by this user"), (0o444, "its disk, is read-only")])
def test_a_file_without_rights_is_named(embedded: Place, mode: int, words: str) -> None:
    embedded.build()
    (embedded.folder / "base.fdb").chmod(mode)
    # The other user gets a lock folder of its own: on one that root has used, the engine would wait for ever.
    code = (
        "import os, sys; from pathlib import Path; from schemas.settings.shop import SourceSettings;"
        "from sources.firebird.extract import read_base;"
        "from sources.firebird.client import load_client; load_client();"
        "os.setuid(65534); os.environ['FIREBIRD_LOCK'] = sys.argv[2];"
        "\ntry: read_base(SourceSettings(dsn=sys.argv[1]), Path('/'))"
        "\nexcept Exception as error: print(type(error).__name__, error)"
    )
    with tempfile.TemporaryDirectory() as folder:  # not pytest's, which no other user may enter
        Path(folder).chmod(0o777)
        base, locks = Path(folder) / "base.fdb", Path(folder) / "locks"
        locks.mkdir()
        locks.chmod(0o777)
        shutil.move(embedded.folder / "base.fdb", base)
        command = [sys.executable, "-c", code, str(base), str(locks)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert "SourceError" in done.stdout, done.stderr
    assert words in done.stdout
    assert "GRANT" not in done.stdout


@pytest.mark.server
def test_a_base_of_an_older_firebird_points_to_the_shops_server(tcp: Place) -> None:
    tcp.build()
    assert tcp.server is not None
    settings = SourceSettings(dsn=str(tcp.server.folder / "base.fdb"))
    fails(settings, tcp.folder, "on-disk structure 12.0", "host/port:path")


@pytest.mark.server
@pytest.mark.parametrize(("user", "password"), [("SYSDBA", "wrong"), ("NOBODY", "wrong"), ("SYSDBA", "")])
def test_a_wrong_login_is_named_without_the_password(
    tcp: Place, monkeypatch: pytest.MonkeyPatch, user: str, password: str
) -> None:
    tcp.build()
    monkeypatch.setenv(PASSWORD_ENV, password)
    error = fails(tcp.settings("base.fdb", user=user), tcp.folder, "wrong user or password", "password_env")
    assert "wrong\n" not in str(error)


@pytest.mark.server
def test_a_base_that_the_server_does_not_have_is_named(tcp: Place) -> None:
    fails(tcp.settings("none.fdb"), tcp.folder, "there is no such base", "check dsn")


@pytest.mark.server
def test_a_base_that_the_server_does_not_allow_is_named(tcp: Place) -> None:
    server = tcp.server
    assert server is not None
    settings = SourceSettings(dsn=f"{server.host}/{server.port}:/elsewhere/x.fdb", password_env=PASSWORD_ENV)
    fails(settings, tcp.folder, "does not allow this base", "DatabaseAccess")


@pytest.mark.server
def test_a_user_without_rights_is_told_what_to_grant(
    tcp: Place, monkeypatch: pytest.MonkeyPatch, firebird_server: FirebirdServer
) -> None:
    tcp.build()
    monkeypatch.setenv(PASSWORD_ENV, firebird_server.reader_password)
    settings = tcp.settings("base.fdb", user=firebird_server.reader)
    fails(settings, tcp.folder, "may not read while reading table PRODUCT_TYPES", "GRANT SELECT")
    for table in ("PRODUCT_TYPES", "SECTIONS", "GOODS"):
        monkeypatch.setenv(PASSWORD_ENV, firebird_server.password)
        tcp.run("base.fdb", f"GRANT SELECT ON {table} TO {firebird_server.reader}")
    monkeypatch.setenv(PASSWORD_ENV, firebird_server.reader_password)
    assert len(read_base(settings, tcp.folder).goods) == 3


def test_nobody_listening_is_named(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    fails(SourceSettings(dsn=f"127.0.0.1/{port}:/x.fdb"), tmp_path, "nobody listens there", "port")


def test_an_unknown_host_is_named(tmp_path: Path) -> None:
    fails(SourceSettings(dsn="no-such-host.invalid:/x.fdb"), tmp_path, "no such host", "host in dsn")


def test_a_server_that_is_not_firebird_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            client, _ = listener.accept()
            client.sendall(b"220 FTP server ready\r\n" * 4)
            client.recv(100)
            client.close()

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        fails(SourceSettings(dsn=f"127.0.0.1/{port}:/x.fdb"), tmp_path, "not a Firebird server|cut|refused", "")
        thread.join(5)


class CuttingProxy:
    """Passes TCP on to the server and cuts the line after so many bytes of answers."""

    def __init__(self, server: FirebirdServer, after: int) -> None:
        self.server, self.left = server, after
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        client, _ = self.listener.accept()
        upstream = socket.create_connection((self.server.host, self.server.port))

        def forth() -> None:
            while data := client.recv(65536):
                upstream.sendall(data)

        threading.Thread(target=self._quietly, args=(forth,), daemon=True).start()

        def back() -> None:
            while (data := upstream.recv(4096)) and self.left > 0:
                self.left -= len(data)
                client.sendall(data)

        self._quietly(back)
        for line in (client, upstream):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)  # close() alone sends nothing while another thread still reads
            line.close()
        self.listener.close()

    @staticmethod
    def _quietly(pump) -> None:
        with suppress(OSError):
            pump()


@pytest.mark.server
@pytest.mark.parametrize("after", [3_000, 30_000, 300_000])
def test_a_connection_cut_while_reading_gives_nothing_and_says_so(
    tcp: Place, firebird_server: FirebirdServer, after: int
) -> None:
    tcp.build(goods=goods(600))
    proxy = CuttingProxy(firebird_server, after)
    dsn = f"127.0.0.1/{proxy.port}:{firebird_server.folder / 'base.fdb'}"
    settings = SourceSettings(dsn=dsn, password_env=PASSWORD_ENV)
    fails(settings, tcp.folder, "the connection was cut", "run the same command again")
    assert len(tcp.read().goods) == 600


def test_a_missing_table_names_the_closest_one(place: Place) -> None:
    place.build()
    mapped = load_map("stand-in")
    types = mapped.product_types.model_copy(update={"table": "PRODUCT_TYPE"})
    settings = place.settings("base.fdb", map=mapped.model_copy(update={"product_types": types}))
    fails(settings, place.folder, 'no table "PRODUCT_TYPE".*did you mean "PRODUCT_TYPES"', "torgsync inspect")


def test_a_missing_column_names_the_closest_one(place: Place) -> None:
    place.build()
    mapped = load_map("stand-in")
    sections = mapped.sections.model_copy(update={"number": "NUMBR"})
    settings = place.settings("base.fdb", map=mapped.model_copy(update={"sections": sections}))
    fails(settings, place.folder, 'no column of SECTIONS "NUMBR".*did you mean "NUMBER"', "torgsync inspect")


def test_an_unknown_map_names_the_closest_one(tmp_path: Path) -> None:
    fails(SourceSettings(dsn="x.fdb", map="standin"), tmp_path, 'did you mean "stand-in"', "named map")


def test_an_unknown_charset_names_the_closest_one(tmp_path: Path) -> None:
    fails(SourceSettings(dsn="x.fdb", charset="WIN-1251"), tmp_path, 'did you mean "WIN1251"', "charset")


def test_a_password_variable_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_ENV, raising=False)
    settings = SourceSettings(dsn="x.fdb", password_env=PASSWORD_ENV)
    fails(settings, tmp_path, f"{PASSWORD_ENV}, which is not set", "export")


def test_a_machine_without_libtommath_is_told_which_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_module, "_TOMMATH", "libtommath-nowhere.so.1")
    with pytest.raises(SourceError, match="is not installed") as caught:
        embedded_module._load_tommath()
    assert "apt-get install libtommath1" in caught.value.next_step


@pytest.mark.parametrize(
    ("dsn", "over_network"),
    [
        ("base.fdb", False),
        ("sub/base.fdb", False),
        ("/abs/base.fdb", False),
        (r"C:\Torgsoft\base.fdb", False),
        ("D:/Torgsoft/base.fdb", False),
        ("shop:/base.fdb", True),
        ("shop:alias", True),
        (r"192.168.0.5/3051:C:\Torgsoft\base.fdb", True),
        ("[::1]/3050:/base.fdb", True),
        ("inet://shop:3050/base.fdb", True),
    ],
)
def test_a_dsn_is_a_file_or_a_server(tmp_path: Path, dsn: str, over_network: bool) -> None:
    parsed = parse_dsn(dsn, tmp_path)
    assert parsed.over_network is over_network
    if dsn == "base.fdb":
        assert parsed.text == str(tmp_path / "base.fdb")
