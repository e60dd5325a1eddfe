"""SFTP: files over SSH to a host whose key is known beforehand; through paramiko."""

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

    def __init__(self, place: str, fingerprint: str) -> None:
        self.place, self.fingerprint = place, fingerprint.rstrip("=")

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Compare."""
        if key.fingerprint.rstrip("=") != self.fingerprint:
            raise _refused_key(self.place, key, "not the one of host_fingerprint")


class _Known(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """Refuses a host that known_hosts does not name."""

    def __init__(self, place: str, known_hosts: Path) -> None:
        self.place, self.known_hosts = place, known_hosts

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Refuse."""
        raise _refused_key(self.place, key, f"not in {self.known_hosts} for {hostname}")


def _refused_key(place: str, key: Any, why: str) -> StoreError:
    return StoreError(
        f"{place}: the host's key is {why}: it showed {key.get_name()} {key.fingerprint}",
        "ask the host's administrator whether this is its key, and only then enter it",
    )


@contextmanager
def sftp_session(target: Destination) -> Iterator[SftpSession]:
    """Log in to the verified host and find the folder."""
    settings = target.settings
    secret, key_file = target.secret, target.file("key_file")
    client = paramiko.SSHClient()
    if settings.host_fingerprint is not None:
        client.set_missing_host_key_policy(_Fingerprint(target.place, settings.host_fingerprint))
    else:
        known_hosts = target.file("known_hosts") or Path("~/.ssh/known_hosts").expanduser()
        client.set_missing_host_key_policy(_Known(target.place, known_hosts))
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
        session = SftpSession(sftp, target.place, target.remote_folder)
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
            f"{target.place}: the server gives the login {target.user} no SFTP: {one_line(error)}",
            "ask the server's administrator to allow SFTP for it",
        ) from error
    sftp.get_channel().settimeout(target.settings.timeout_seconds)
    return sftp


@contextmanager
def _login_explained(target: Destination) -> Iterator[None]:
    place = target.place
    with network_explained(place, "connecting"):
        try:
            yield
        except paramiko.BadHostKeyException as error:
            raise _refused_key(place, error.key, "not the one in known_hosts, so it was changed") from error
        except paramiko.PasswordRequiredException as error:
            raise StoreError(f"{place}: the key file has a passphrase", "name its variable in password_env") from error
        except paramiko.AuthenticationException as error:
            what = "key_file" if target.settings.key_file else f"the password in {target.settings.password_env}"
            raise StoreError(f"{place}: the login {target.user} was refused", f"correct user, or {what}") from error
        except paramiko.SSHException as error:
            raise ConnectionFailed(f"{place}: no SSH connection: {one_line(error)}", "check host and port") from error
        except ValueError as error:
            raise StoreError(f"{place}: the key file cannot be used: {error}", "give a private key") from error


class SftpSession:
    """An open SFTP connection; names are files of the folder."""

    puts_whole = False

    def __init__(self, sftp: Any, place: str, folder: str) -> None:
        self.sftp, self.place, self.folder = sftp, place, folder

    def _path(self, name: str) -> str:
        return posixpath.join(self.folder, name)

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn every failure of this protocol into one line.

        The protocol has three codes: no such file, no right, and "failure" for all else, a full disk included.
        """
        with network_explained(self.place, doing):
            try:
                yield
            except paramiko.SSHException as error:
                raise ConnectionFailed(
                    f"{self.place}: the connection broke ({doing}): {one_line(error)}", "run again"
                ) from error
            except PermissionError as error:
                raise StoreError(
                    f"{self.place}: no right for that ({doing})", "give the login the right to write there"
                ) from error
            except FileNotFoundError as error:
                raise StoreError(f"{self.place}: a file is gone ({doing})", "run again") from error
            except OSError as error:
                if not _said_by_server(error):
                    raise
                raise StoreError(
                    f"{self.place}: the server refused ({doing}): {one_line(error)}",
                    "look for a full disk or quota there",
                ) from error

    def enter(self) -> None:
        """Make sure that the folder is one."""
        with self.explained("entering the folder"):
            try:
                is_folder = stat.S_ISDIR(self.sftp.stat(self.folder).st_mode or 0)
            except (FileNotFoundError, PermissionError) as error:
                raise missing_folder(self.place) from error
        if not is_folder:
            raise missing_folder(self.place)

    def size(self, name: str) -> int | None:
        """How long the file is; None where there is none."""
        with self.explained(f"asking for {name}"):
            try:
                return int(self.sftp.stat(self._path(name)).st_size)
            except FileNotFoundError:
                return None

    def read(self, name: str, take: Callable[[bytes], object]) -> None:
        """Hand over the file's content piece by piece."""
        with self.explained(f"reading {name}"), self.sftp.open(self._path(name), "rb") as file:
            while block := file.read(CHUNK):
                take(block)

    def put(self, name: str, stream: BinaryIO, size: int) -> None:
        """Write a file: all blocks without waiting, but the last, which waits for the answers to all.

        paramiko's own ``putfo`` forgets the answers that are still on their way when it closes the file, and so a
        block that the server refused.
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
        """A second name for the old file, where the server makes links (OpenSSH does): no byte is copied."""
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
        self.remove(beside)  # it stays where both names are one file already, from a run that broke here
        return None

    def replace(self, part: str, name: str, kept: str) -> str | None:
        """Rename over, atomic where the server offers it (OpenSSH does); else the old file is put aside first."""
        with self.explained(f"renaming {part} to {name}"):
            old = self._mode(name)
            if old is not None:
                with suppress(PermissionError, FileNotFoundError):
                    self.sftp.chmod(self._path(part), old)  # a web server may read it by rights that somebody gave
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
        """Remove the file; none is no error."""
        with self.explained(f"removing {name}"), suppress(FileNotFoundError):
            self.sftp.remove(self._path(name))

    def _mode(self, name: str) -> int | None:
        try:
            return stat.S_IMODE(self.sftp.stat(self._path(name)).st_mode or 0)
        except FileNotFoundError:
            return None


def _said_by_server(error: OSError) -> bool:
    """paramiko raises the server's "failure" as an OSError without a number; those of the network have one.

    "Socket is closed" is its own, for a connection that is gone.
    """
    return error.errno is None and not isinstance(error, TimeoutError) and "closed" not in str(error)
