"""SFTP: files over SSH to a host whose key is known in advance; through paramiko."""

from __future__ import annotations

import posixpath
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import paramiko
from paramiko.sftp import CMD_EXTENDED

from schemas.errors import StoreError
from stores.delivery.destination import Destination
from stores.delivery.session import CHUNK, ConnectionFailed, missing_folder, network_explained, one_line


class _Fingerprint(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """Accepts the one host key whose fingerprint the settings name."""

    def __init__(self, label: str, fingerprint: str) -> None:
        self.label, self.fingerprint = label, fingerprint.rstrip("=")

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Compare."""
        if key.fingerprint.rstrip("=") != self.fingerprint:
            raise _refused_key(self.label, key, "not the one of host_fingerprint")


class _Known(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """Refuses a host that known_hosts does not name."""

    def __init__(self, label: str, known_hosts: Path) -> None:
        self.label, self.known_hosts = label, known_hosts

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Refuse."""
        raise _refused_key(self.label, key, f"not in {self.known_hosts} for {hostname}")


def _refused_key(label: str, key: Any, why: str) -> StoreError:
    return StoreError(
        f"{label}: the host's key is {why}: it showed {key.get_name()} {key.fingerprint}",
        "ask the host's administrator whether this is its key, and only then enter it",
    )


@contextmanager
def sftp_session(target: Destination) -> Iterator[SftpSession]:
    """Log in to the verified host and find the folder."""
    settings = target.settings
    secret, key_file = target.secret, target.file("key_file")
    client = paramiko.SSHClient()
    if settings.host_fingerprint is not None:
        client.set_missing_host_key_policy(_Fingerprint(target.label, settings.host_fingerprint))
    else:
        known_hosts = target.file("known_hosts") or Path("~/.ssh/known_hosts").expanduser()
        client.set_missing_host_key_policy(_Known(target.label, known_hosts))
        if known_hosts.is_file():
            client.load_host_keys(str(known_hosts))
    try:
        with _login_explained(target):
            connection = socket.create_connection((target.host, target.port), settings.timeout_seconds)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer may wait for 40 ms
            client.connect(
                target.host,
                target.port,
                target.user,
                sock=connection,
                password=None if key_file else secret,
                passphrase=secret if key_file else None,
                key_filename=str(key_file) if key_file else None,
                allow_agent=False,
                look_for_keys=False,
                timeout=settings.timeout_seconds,
                banner_timeout=settings.timeout_seconds,
                auth_timeout=settings.timeout_seconds,
                channel_timeout=settings.timeout_seconds,
            )
            sftp = _open_sftp(client, target)
        session = SftpSession(sftp, target.label, target.remote_folder)
        session.enter()
        yield session
    finally:
        client.close()


def _open_sftp(client: Any, target: Destination) -> Any:
    try:
        sftp = client.open_sftp()
    except (paramiko.SSHException, EOFError) as error:
        if not client.get_transport().is_active():
            raise
        raise StoreError(
            f"{target.label}: the server gives the login {target.user} no SFTP: {one_line(error)}",
            "ask the server's administrator to allow SFTP for it",
        ) from error
    sftp.get_channel().settimeout(target.settings.timeout_seconds)
    return sftp


@contextmanager
def _login_explained(target: Destination) -> Iterator[None]:
    label = target.label
    with network_explained(label, "connecting"):
        try:
            yield
        except paramiko.BadHostKeyException as error:
            raise _refused_key(label, error.key, "not the one in known_hosts, so it was changed") from error
        except paramiko.PasswordRequiredException as error:
            raise StoreError(f"{label}: the key file has a passphrase", "name its variable in password_env") from error
        except paramiko.AuthenticationException as error:
            what = "key_file" if target.settings.key_file else f"the password in {target.settings.password_env}"
            raise StoreError(f"{label}: the login {target.user} was refused", f"correct user, or {what}") from error
        except paramiko.SSHException as error:
            raise ConnectionFailed(f"{label}: no SSH connection: {one_line(error)}", "check host and port") from error
        except ValueError as error:
            raise StoreError(f"{label}: the key file cannot be used: {error}", "give a private key") from error


class SftpSession:
    """An open SFTP connection; names are files of the folder."""

    puts_whole = False

    def __init__(self, sftp: Any, label: str, folder: str) -> None:
        self.sftp, self.label, self.folder = sftp, label, folder

    def _path(self, name: str) -> str:
        return posixpath.join(self.folder, name)

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn every failure of this protocol into one line.

        The protocol has three codes: no such file, no right, and "failure" for all else, a full disk included.
        """
        with network_explained(self.label, doing):
            try:
                yield
            except paramiko.SSHException as error:
                raise ConnectionFailed(
                    f"{self.label}: the connection broke ({doing}): {one_line(error)}", "run again"
                ) from error
            except PermissionError as error:
                raise StoreError(
                    f"{self.label}: no right for that ({doing})", "give the login the right to write there"
                ) from error
            except FileNotFoundError as error:
                raise StoreError(f"{self.label}: a file is missing ({doing})", "run again") from error
            except OSError as error:
                if not _said_by_server(error):
                    raise
                raise StoreError(
                    f"{self.label}: the server refused ({doing}): {one_line(error)}",
                    "check for a full disk or quota there",
                ) from error

    def enter(self) -> None:
        """Check that the folder exists and is a folder."""
        with self.explained("entering the folder"):
            try:
                is_folder = stat.S_ISDIR(self.sftp.stat(self.folder).st_mode or 0)
            except (FileNotFoundError, PermissionError) as error:
                raise missing_folder(self.label) from error
        if not is_folder:
            raise missing_folder(self.label)

    def size(self, name: str) -> int | None:
        """Return the size of the file in bytes; None where there is none."""
        with self.explained(f"asking for {name}"):
            try:
                return int(self.sftp.stat(self._path(name)).st_size)
            except FileNotFoundError:
                return None

    def read(self, name: str, take: Callable[[bytes], object]) -> None:
        """Pass the content of the file to ``take``, piece by piece."""
        with self.explained(f"reading {name}"), self.sftp.open(self._path(name), "rb") as file:
            while block := file.read(CHUNK):
                take(block)

    def put(self, name: str, stream: BinaryIO, size: int) -> None:
        """Write a file. Blocks are sent without waiting; after the last one all answers are awaited.

        paramiko's ``putfo`` ignores answers that arrive after it closed the file, and so misses a block that the server
        refused.
        """
        with self.explained(f"sending {name}"):
            file = self.sftp.open(self._path(name), "wb")
            try:
                file.set_pipelined(True)
                block = stream.read(CHUNK)
                while following := stream.read(CHUNK):
                    file.write(block)
                    block = following
                file.set_pipelined(False)
                file.write(block)
            finally:
                with suppress(OSError, EOFError, paramiko.SSHException):
                    file.close()

    def keep(self, name: str, kept: str) -> str | None:
        """Give the old file a second name by a hard link, where the server can (OpenSSH does)."""
        beside = f"{kept}.part"
        self.remove(beside)
        try:
            with self.explained(f"keeping {name}"):
                # as paramiko's posix_rename does; paramiko has no method for this other extension of OpenSSH
                self.sftp._request(CMD_EXTENDED, "hardlink@openssh.com", self._path(name), self._path(beside))
                self.sftp.posix_rename(self._path(beside), self._path(kept))
        except ConnectionFailed:
            raise
        except StoreError:
            return f"the server cannot copy a file, so {kept} is not kept"
        self.remove(beside)  # it is left over where both names are one file already, after a run that broke here
        return None

    def replace(self, part: str, name: str, kept: str) -> str | None:
        """Rename over the old file, atomically where the server can (OpenSSH does); else rename the old file first."""
        with self.explained(f"renaming {part} to {name}"):
            old = self._mode(name)
            if old is not None:
                with suppress(PermissionError, FileNotFoundError):
                    self.sftp.chmod(
                        self._path(part), old
                    )  # keep the rights that somebody gave the old file, as a web server may need them
            try:
                self.sftp.posix_rename(self._path(part), self._path(name))
                return None
            except OSError as error:
                if not _said_by_server(error):
                    raise
                if old is None:
                    self.sftp.rename(self._path(part), self._path(name))
                    return None
        self.remove(kept)
        with self.explained(f"putting {name} aside"):
            self.sftp.rename(self._path(name), self._path(kept))
        with self.explained(f"renaming {part} to {name}"):
            try:
                self.sftp.rename(self._path(part), self._path(name))
            except OSError as error:
                if _said_by_server(error):
                    self.sftp.rename(self._path(kept), self._path(name))
                raise
        return f"the server does not rename over a file: {name} was absent for a moment, the older is {kept}"

    def remove(self, name: str) -> None:
        """Remove the file; a missing file is not an error."""
        with self.explained(f"removing {name}"), suppress(FileNotFoundError):
            self.sftp.remove(self._path(name))

    def _mode(self, name: str) -> int | None:
        try:
            return stat.S_IMODE(self.sftp.stat(self._path(name)).st_mode or 0)
        except FileNotFoundError:
            return None


def _said_by_server(error: OSError) -> bool:
    """Tell whether the server sent this error: paramiko raises its "failure" as an OSError without a number.

    Network errors have a number. "Socket is closed" is paramiko's message for a closed connection.
    """
    return error.errno is None and not isinstance(error, TimeoutError) and "closed" not in str(error)
