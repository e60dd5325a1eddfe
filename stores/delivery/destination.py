"""One target of deliveries: its settings with defaults applied, and a label without secrets."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from schemas.errors import StoreError
from schemas.settings.delivery import PORTS, DeliverySettings


@dataclass(frozen=True)
class Destination:
    """One target of deliveries. ``base`` is the shop's folder: relative paths of the settings are relative to it."""

    settings: DeliverySettings
    base: Path

    @property
    def is_folder(self) -> bool:
        """Tell whether the target is a local folder."""
        return self.settings.protocol == "folder"

    @property
    def folder(self) -> Path:
        """Return the local folder."""
        return self.path(self.settings.target)

    @property
    def makes_folder(self) -> bool:
        """Tell whether to make a missing folder: only below the shop's, as others may be unmounted shares."""
        return self.is_folder and self.folder.is_relative_to(self.base)

    @property
    def host(self) -> str:
        """Return the name of the server; for s3 of the bucket."""
        return self.settings.address.hostname or ""

    @property
    def port(self) -> int:
        """Return the port of the server."""
        return self.settings.address.port or PORTS[self.settings.protocol]

    @property
    def user(self) -> str:
        """Return the login; for s3 the access key."""
        return self.settings.login or ""

    @property
    def remote_folder(self) -> str:
        """Return the folder on the server: from its root, or the login's folder for ``/~/…``; for s3 the prefix."""
        path = unquote(self.settings.address.path).rstrip("/")
        if self.settings.protocol == "s3":
            return path.strip("/")
        if path == "/~" or path.startswith("/~/"):
            return path[3:] or "."
        return path or "/"

    @property
    def label(self) -> str:
        """Return the target for messages: a path, or a URL without the login."""
        if self.is_folder:
            return str(self.folder)
        url = self.settings.address
        return f"{self.settings.protocol}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"

    @property
    def secret(self) -> str | None:
        """Return the password from its environment variable. Raises StoreError where that is not set, or empty."""
        name = self.settings.password_env
        if name is None:
            return None
        if not os.environ.get(name):
            raise StoreError(f"{self.label}: environment variable {name} (password_env) is not set", "set it")
        return os.environ[name]

    def path(self, text: str) -> Path:
        """Return a local path of the settings as an absolute one."""
        return (self.base / Path(text).expanduser()).resolve()

    def file(self, key: str) -> Path | None:
        """Return the file that this key of the settings names, or None. Raises StoreError where it does not exist."""
        text: str | None = getattr(self.settings, key)
        if text is None:
            return None
        path = self.path(text)
        if not path.is_file():
            raise StoreError(f"{self.label}: {key} {path} is not there", f"correct {key} in shop.toml")
        return path
