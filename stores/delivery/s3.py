"""S3 and compatible services (MinIO and others), through minio. An object appears complete or not at all."""

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
"""Bytes. Larger files are sent in parts of this size, to limit the memory."""

ABSENT = ("NoSuchKey", "NoSuchObject")
WRONG_LOGIN = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")
MOMENTARY = ("SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "XMinioServerNotInitialized")
FULL = ("QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "XMinioAdminBucketQuotaExceeded")


@contextmanager
def s3_session(target: Destination) -> Iterator[S3Session]:
    """Open a client of the bucket. It repeats nothing: only ``deliver`` tries again."""
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
        self.client, self.target, self.label = client, target, target.label
        self.bucket = target.host

    def _key(self, name: str) -> str:
        return posixpath.join(self.target.remote_folder, name)

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn every failure of this protocol into one line."""
        with network_explained(self.label, doing):
            try:
                yield
            except S3Error as error:
                raise self._told(error, doing) from error
            except (ServerError, InvalidResponseError) as error:
                raise ConnectionFailed(
                    f"{self.label}: {self.target.settings.endpoint} answered with no S3 answer ({doing})",
                    "check endpoint, and whether the service runs",
                ) from error
            except MinioException as error:
                raise StoreError(f"{self.label}: {error} ({doing})", "check endpoint and bucket") from error
            except HTTPError as error:
                raise _network_error(error) from error

    def _told(self, error: S3Error, doing: str) -> StoreError:
        if error.code == "NoSuchBucket":
            return missing_folder(self.label)
        if error.code in WRONG_LOGIN:
            return StoreError(
                f"{self.label}: the access key {self.target.user} was refused: {error.code}",
                f"correct user, or the secret key in {self.target.settings.password_env}",
            )
        if error.code in MOMENTARY:
            return ConnectionFailed(f"{self.label}: the service is not ready ({doing}): {error.code}", "run again")
        if error.code in FULL:
            return StoreError(f"{self.label}: no space left there ({doing}): {error.code}", "raise the quota there")
        return StoreError(
            f"{self.label}: the service refused ({doing}): {error.code}: {error.message}",
            "give the access key the rights to list the bucket and to read, write and delete objects",
        )

    def enter(self) -> None:
        """Check that the bucket exists. A prefix needs no check: the first object creates it."""
        with self.explained("looking into the bucket"):
            next(iter(self.client.list_objects(self.bucket, prefix=self._key("torgsync.check"))), None)

    def size(self, name: str) -> int | None:
        """Return the size of the object in bytes; None where there is none."""
        with self.explained(f"asking for {name}"):
            try:
                return self.client.stat_object(self.bucket, self._key(name)).size
            except S3Error as error:
                if error.code in ABSENT:
                    return None
                raise

    def read(self, name: str, take: Callable[[bytes], object]) -> None:
        """Pass the content of the object to ``take``, piece by piece."""
        with self.explained(f"reading {name}"):
            response = self.client.get_object(self.bucket, self._key(name))
            try:
                for block in response.stream(CHUNK):
                    take(block)
            finally:
                response.close()

    def put(self, name: str, stream: BinaryIO, size: int) -> None:
        """Write an object; its old content stays until the upload is complete."""
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        with self.explained(f"sending {name}"):
            self.client.put_object(self.bucket, self._key(name), stream, size, content_type=kind, part_size=PART)

    def keep(self, name: str, kept: str) -> str | None:
        """Copy within the bucket."""
        with self.explained(f"keeping {name}"):
            self.client.copy_object(self.bucket, self._key(kept), CopySource(self.bucket, self._key(name)))
        return None

    def replace(self, part: str, name: str, kept: str) -> str | None:
        """Fail: never called, as ``put`` is atomic."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Remove the object; a missing one is not an error."""
        with self.explained(f"removing {name}"):
            self.client.remove_object(self.bucket, self._key(name))


def _network_error(error: HTTPError) -> OSError:
    """Return the network error inside an error of urllib3, so that messages are the same for every protocol."""
    reason = getattr(error, "reason", None) or error
    causes = (reason.__cause__, *reason.args) if isinstance(reason, BaseException) else ()
    return next((cause for cause in causes if isinstance(cause, OSError)), ConnectionError(str(reason)))
