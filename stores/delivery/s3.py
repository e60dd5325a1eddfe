"""S3 and what speaks its language (MinIO and others): an object appears whole or not at all; through minio."""

from __future__ import annotations

import mimetypes
import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from schemas.errors import StoreError
from stores.delivery.destination import Destination
from stores.delivery.session import CHUNK, ConnectionFailed, missing_folder, network_explained, trusted

PART = 16 * 1024 * 1024
"""Larger files go up in parts of this size, so that memory holds only some of them."""

ABSENT = ("NoSuchKey", "NoSuchObject")
WRONG_LOGIN = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")
MOMENTARY = ("SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "XMinioServerNotInitialized")
FULL = ("QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "XMinioAdminBucketQuotaExceeded")


@contextmanager
def s3_session(target: Destination) -> Iterator[S3Session]:
    """A client of the bucket. Nothing is retried here: ``deliver`` alone tries again."""
    settings = target.settings
    endpoint, secret = urlsplit(settings.endpoint), target.secret
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(settings.timeout_seconds),
        retries=urllib3.Retry(total=0, redirect=0),
        ssl_context=trusted(target),
    )
    try:
        client = Minio(
            endpoint.netloc,
            access_key=target.user,
            secret_key=secret,
            secure=endpoint.scheme == "https",
            region=settings.region,
            http_client=pool,
        )
        session = S3Session(client, target)
        session.enter()
        yield session
    finally:
        pool.clear()


class S3Session:
    """A bucket and a prefix in it."""

    puts_whole = True

    def __init__(self, client: Minio, target: Destination) -> None:
        self.client, self.target, self.place = client, target, target.place
        self.bucket = target.host

    def _key(self, name: str) -> str:
        return posixpath.join(self.target.remote_folder, name)

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn every failure of this protocol into one line."""
        with network_explained(self.place, doing):
            try:
                yield
            except S3Error as error:
                raise self._told(error, doing) from error
            except (ServerError, InvalidResponseError) as error:
                raise ConnectionFailed(
                    f"{self.place}: {self.target.settings.endpoint} answered with no S3 answer ({doing})",
                    "check endpoint, and whether the service runs",
                ) from error
            except MinioException as error:
                raise StoreError(f"{self.place}: {error} ({doing})", "check endpoint and bucket") from error
            except HTTPError as error:
                raise _network_error(error) from error

    def _told(self, error: S3Error, doing: str) -> StoreError:
        if error.code == "NoSuchBucket":
            return missing_folder(self.place)
        if error.code in WRONG_LOGIN:
            return StoreError(
                f"{self.place}: the access key {self.target.user} was refused: {error.code}",
                f"correct user, or the secret key in {self.target.settings.password_env}",
            )
        if error.code in MOMENTARY:
            return ConnectionFailed(f"{self.place}: the service is not ready ({doing}): {error.code}", "run again")
        if error.code in FULL:
            return StoreError(f"{self.place}: no space left there ({doing}): {error.code}", "raise the quota there")
        return StoreError(
            f"{self.place}: the service refused ({doing}): {error.code}: {error.message}",
            "give the access key the rights to list the bucket and to read, write and delete objects",
        )

    def enter(self) -> None:
        """Make sure that the bucket is there. A prefix is no folder: it begins to be with the first object."""
        with self.explained("looking into the bucket"):
            next(iter(self.client.list_objects(self.bucket, prefix=self._key("torgsync.check"))), None)

    def size(self, name: str) -> int | None:
        """How long the object is; None where there is none."""
        with self.explained(f"asking for {name}"):
            try:
                return self.client.stat_object(self.bucket, self._key(name)).size
            except S3Error as error:
                if error.code in ABSENT:
                    return None
                raise

    def read(self, name: str, take: Callable[[bytes], object]) -> None:
        """Hand over the object's content piece by piece."""
        with self.explained(f"reading {name}"):
            response = self.client.get_object(self.bucket, self._key(name))
            try:
                for block in response.stream(CHUNK):
                    take(block)
            finally:
                response.close()

    def put(self, name: str, stream: BinaryIO, size: int) -> None:
        """Write an object; its old content stays until the service has all of the new."""
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        with self.explained(f"sending {name}"):
            self.client.put_object(self.bucket, self._key(name), stream, size, content_type=kind, part_size=PART)

    def keep(self, name: str, kept: str) -> str | None:
        """Copy within the bucket."""
        with self.explained(f"keeping {name}"):
            self.client.copy_object(self.bucket, self._key(kept), CopySource(self.bucket, self._key(name)))
        return None

    def replace(self, part: str, name: str, kept: str) -> str | None:
        """Never asked for: what is put is whole."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Remove the object; none is no error."""
        with self.explained(f"removing {name}"):
            self.client.remove_object(self.bucket, self._key(name))


def _network_error(error: HTTPError) -> OSError:
    """The failure of the network that urllib3 has wrapped, so that it is told as for any other protocol."""
    reason = getattr(error, "reason", None) or error
    causes = (reason.__cause__, *reason.args) if isinstance(reason, BaseException) else ()
    return next((cause for cause in causes if isinstance(cause, OSError)), ConnectionError(str(reason)))
