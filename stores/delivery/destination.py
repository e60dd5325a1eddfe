"""One place that takes files: the settings made ready to use, with nothing secret in what is shown."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from schemas.errors import StoreError
from schemas.settings.delivery import PORTS, DeliverySettings


@dataclass(frozen=True)
class Destination:
    """Where files go. ``base`` is the shop's folder: relative paths of the settings are relative to it."""

    settings: DeliverySettings
    base: Path

    @property
    def is_folder(self) -> bool:
        """True where no server is asked."""
        return self.settings.protocol == "folder"

    @property
    def folder(self) -> Path:
        """The folder of this machine."""
        return self.path(self.settings.target)

    @property
    def makes_folder(self) -> bool:
        """Whether a missing folder is made: one below the shop's; one outside may be a share that is not mounted."""
        return self.is_folder and self.folder.is_relative_to(self.base)

    @property
    def host(self) -> str:
        """The server's name; for s3 the bucket's."""
        return self.settings.address.hostname or ""

    @property
    def port(self) -> int:
        """The server's port."""
        return self.settings.address.port or PORTS[self.settings.protocol]

    @property
    def user(self) -> str:
        """The login, or s3's access key."""
        return self.settings.login or ""

    @property
    def remote_folder(self) -> str:
        """The folder on the server: from its root, or from where the login begins for ``/~/…``; s3: the prefix."""
        path = unquote(self.settings.address.path).rstrip("/")
        if self.settings.protocol == "s3":
            return path.strip("/")
        if path == "/~" or path.startswith("/~/"):
            return path[3:] or "."
        return path or "/"

    @property
    def place(self) -> str:
        """The target as it is shown: without the login."""
        if self.is_folder:
            return str(self.folder)
        url = self.settings.address
        return f"{self.settings.protocol}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"

    @property
    def secret(self) -> str | None:
        """The password out of its environment variable. Raises StoreError where that is not set, or empty."""
        name = self.settings.password_env
        if name is None:
            return None
        if not os.environ.get(name):
            raise StoreError(f"{self.place}: environment variable {name} (password_env) is not set", "set it")
        return os.environ[name]

    def path(self, text: str) -> Path:
        """A path of the settings on this machine."""
        return (self.base / Path(text).expanduser()).resolve()

    def file(self, key: str) -> Path | None:
        """The file that this key of the settings names, if any. Raises StoreError where it does not lie there."""
        text: str | None = getattr(self.settings, key)
        if text is None:
            return None
        path = self.path(text)
        if not path.is_file():
            raise StoreError(f"{self.place}: {key} {path} is not there", f"correct {key} in shop.toml")
        return path
