"""The target of a feed: a local folder, or a URL of a file server. These are keys of feed stores in ``shop.toml``.

The model of a store may inherit from ``DeliverySettings``, so that each key is declared here only.
"""

from __future__ import annotations

import re
from os.path import realpath
from pathlib import Path
from posixpath import normpath
from typing import Literal, Self, get_args
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.errors import closest
from schemas.settings.base import Settings

Protocol = Literal["folder", "ftp", "ftps", "sftp", "s3"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

PROTOCOL_KEYS: dict[Protocol, tuple[str, ...]] = {
    "folder": (),
    "ftp": ("user", "password_env", "passive"),
    "ftps": ("user", "password_env", "passive", "cafile"),
    "sftp": ("user", "password_env", "key_file", "known_hosts", "host_fingerprint"),
    "s3": ("user", "password_env", "endpoint", "region", "cafile"),
}
"""The keys of each protocol; others are refused, as they would have no effect."""

PORTS = {"ftp": 21, "ftps": 21, "sftp": 22}

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")


class DeliverySettings(Settings):
    """The target and the login. Secrets are given only by the name of an environment variable."""

    model_config = ConfigDict(hide_input_in_errors=True)

    target: str = Field(description="a folder, or ftp:// ftps:// sftp://user@host[:port]/path, or s3://bucket/prefix")
    user: str | None = Field(None, description="the login, where the URL names none; for s3 the access key")
    password_env: str | None = Field(
        None, description="environment variable with the password, the key file's passphrase, or s3's secret key"
    )
    key_file: str | None = Field(None, description="sftp: the private key")
    known_hosts: str | None = Field(None, description="sftp: file of known host keys; default: ~/.ssh/known_hosts")
    host_fingerprint: str | None = Field(None, description="sftp: SHA256:… of the host's key, instead of known_hosts")
    cafile: str | None = Field(None, description="ftps, s3: certificates to trust instead of the system's")
    endpoint: str = Field("https://s3.amazonaws.com", description="s3: address of the service")
    region: str | None = Field(None, description="s3: the bucket's region, where the service wants one")
    passive: bool = Field(True, description="ftp, ftps: the server opens the data ports")
    timeout_seconds: float = Field(30, gt=0, le=600, description="how long one answer may take")

    @field_validator("target")
    @classmethod
    def _known_target(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the folder or URL is empty")
        if "://" not in value:
            return value
        scheme = value.partition("://")[0].lower()
        if scheme in ("http", "https"):
            raise ValueError(
                f"{scheme}:// takes no files; for a store that fetches the file give a folder that it can read"
            )
        if scheme not in PROTOCOLS or scheme == "folder":
            raise ValueError(f'no protocol "{scheme}": {closest(scheme, list(PROTOCOLS[1:]))}, or a folder')
        _check_url(_split(value), is_bucket=scheme == "s3")
        return value

    @field_validator("endpoint")
    @classmethod
    def _plain_endpoint(cls, value: str) -> str:
        parts = _split(value)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("an address like https://minio.example.org:9000, without a path")
        if parts.username is not None:
            raise ValueError("without a login: give user and password_env")
        return value

    @field_validator("password_env")
    @classmethod
    def _variable_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            raise ValueError("the name of an environment variable, not the password itself")
        return value

    @field_validator("host_fingerprint")
    @classmethod
    def _sha256_fingerprint(cls, value: str | None) -> str | None:
        if value is not None and not FINGERPRINT.fullmatch(value):
            raise ValueError("a fingerprint as ssh-keygen -l shows it: SHA256: and 43 characters")
        return value

    @model_validator(mode="after")
    def _keys_fit_the_protocol(self) -> Self:
        allowed = PROTOCOL_KEYS[self.protocol]
        where = "a folder" if self.protocol == "folder" else f"{self.protocol}://"
        for key in sorted({key for keys in PROTOCOL_KEYS.values() for key in keys} - set(allowed)):
            if getattr(self, key) != DeliverySettings.model_fields[key].default:
                raise ValueError(f"{key} means nothing for {where}")
        if self.protocol == "folder":
            return self
        if self.user is not None and self.address.username is not None:
            raise ValueError("the login is in the URL and in user: give one")
        if self.login is None:
            raise ValueError("give user" + ("" if self.protocol == "s3" else f", or {where}USER@…"))
        if self.password_env is None and self.key_file is None:
            raise ValueError("give password_env" + (" or key_file" if self.protocol == "sftp" else ""))
        if self.known_hosts is not None and self.host_fingerprint is not None:
            raise ValueError("give known_hosts or host_fingerprint, not both")
        return self

    @classmethod
    def of(cls, store: BaseModel) -> DeliverySettings:
        """Take the settings from any model that has their keys, such as a store of ``shop.toml``."""
        return DeliverySettings(**{key: getattr(store, key) for key in cls.model_fields if hasattr(store, key)})

    @property
    def protocol(self) -> Protocol:
        """Return the protocol of the target."""
        scheme, found, _ = self.target.partition("://")
        return next(name for name in PROTOCOLS if name == scheme.lower()) if found else "folder"

    @property
    def address(self) -> SplitResult:
        """Return the parts of a target that is a URL."""
        return _split(self.target)

    def place_of(self, filename: str, folder: Path) -> str:
        """Return one canonical name of a file there: a path without links and dots, or a URL. ``folder`` is the shop's.

        The login is part of it, as two logins of one server may have different folders.
        """
        if self.protocol == "folder":
            return realpath(folder / Path(self.target).expanduser() / filename)
        url = self.address
        path = normpath(f"/{unquote(url.path).strip('/')}/{filename}")
        if self.protocol == "s3":
            return f"{self.endpoint.rstrip('/').lower()}/{url.hostname}{path}"
        kind = "ftp" if self.protocol == "ftps" else self.protocol
        return f"{kind}://{self.login}@{url.hostname}:{url.port or PORTS[self.protocol]}{path}"

    @property
    def login(self) -> str | None:
        """Return the login."""
        return self.user if self.user is not None or self.address.username is None else unquote(self.address.username)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its text has a part of the URL, which may be a password
        raise ValueError("not a URL: its host or port cannot be read") from None
    return parts


def _check_url(parts: SplitResult, *, is_bucket: bool) -> None:
    """Refuse parts of a URL that would be ignored, and a password in it."""
    if parts.password is not None:
        raise ValueError("a password is in the URL: put it into an environment variable, name that in password_env")
    if not parts.hostname:
        raise ValueError("the URL names no " + ("bucket" if is_bucket else "host"))
    if is_bucket and (parts.username is not None or parts.port is not None):
        raise ValueError("s3://BUCKET/PREFIX: the access key belongs in user, the address of the service in endpoint")
    if parts.query or parts.fragment or "@" in parts.path:  # a password with / or # in it would end up here
        raise ValueError("? # @ in a path are written %3F %23 %40")
    if ".." in unquote(parts.path).split("/") or not unquote(parts.path).isprintable():
        raise ValueError("the path holds .. or a control character")
