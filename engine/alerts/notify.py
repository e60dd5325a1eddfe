"""Sends an alert to apprise URLs and a heartbeat to its URL: in parallel, within a time limit, without secrets.

Apprise URLs are passwords: messages show only the scheme, and the host where it is a host and not a token. Each URL has
a separate thread, and nobody waits for it after the time limit: a slow receiver cannot delay a run.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from database.scrubbing import without

SECONDS = 20.0
"""Seconds for all receivers together."""

_PATIENCE = 10  # seconds without an answer after which a heartbeat fails
_HOSTED = ("mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms", "http", "https")
_THREAD = "torgsync-alert"


@dataclass(frozen=True)
class Sent:
    """The result for one receiver; ``to`` has no secret, ``error`` is empty after a success."""

    to: str
    error: str = ""


def split_urls(text: str) -> list[str]:
    """Split the URLs of an environment variable: separated by blanks or commas; a comma inside a URL stays."""
    return [url for url in re.split(r"[\s,]+(?=[A-Za-z][\w+.-]*://)", text.strip().rstrip(",")) if url]


def redacted(url: str) -> str:
    """Return a URL without secrets: ``mailtos://mail.example/…``, ``tgram://…``."""
    scheme, found, _ = url.partition("://")
    if not found or not re.fullmatch(r"[A-Za-z][\w+.-]*", scheme):
        return "a URL without a scheme"
    host = ""
    if scheme.lower() in _HOSTED:
        with suppress(ValueError):
            parts = urlsplit(url)
            # a password with / ? # in it ends the host too early: a part of the password would look like the host
            after = re.sub(r"(?<=[?&])[\w+-]+=[^?&#]*", "", f"{parts.path}?{parts.query}#{parts.fragment}")
            host = "" if "@" in after else parts.hostname or ""
    return f"{scheme}://{host}/…" if host else f"{scheme}://…"


def send(urls: Sequence[str], title: str, body: str, ok: bool, heartbeat: str | None = None) -> list[Sent]:
    """Send the message to every URL, and the heartbeat: a GET where ``ok``, else the body to ``URL/fail``.

    Returns one result per receiver, in their order, after ``SECONDS`` at most; raises nothing.
    """
    jobs: list[tuple[str, Callable[[], str]]] = [
        (redacted(url), partial(_by_apprise, url, title, body, ok)) for url in urls
    ]
    if heartbeat:
        message = None if ok else f"{title}\n\n{body}"
        jobs.append((f"heartbeat {redacted(heartbeat)}", partial(_beat, heartbeat, message)))
    end = time.monotonic() + SECONDS
    errors: list[str | None] = [None] * len(jobs)
    threads = [
        threading.Thread(target=_into, args=(errors, position, job), name=_THREAD, daemon=True)
        for position, (_, job) in enumerate(jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = f"no answer within {SECONDS:.0f} s"
    return [Sent(to, late if error is None else error) for (to, _), error in zip(jobs, list(errors), strict=True)]


def _into(errors: list[str | None], position: int, job: Callable[[], str]) -> None:
    try:
        errors[position] = job()
    except Exception as error:  # a receiver's library may raise anything: its text may hold the URL, so it is not shown
        errors[position] = type(error).__name__


def _by_apprise(url: str, title: str, body: str, ok: bool) -> str:
    """Send by apprise; returns an empty text after a success, else apprise's message without any part of the URL."""
    heard = _listen()
    import apprise

    sender = apprise.Apprise(asset=apprise.AppriseAsset(app_id="torgsync", app_desc="torgsync", app_url=""))
    if not sender.add(url):
        return "not a URL that apprise knows"
    kind = apprise.NotifyType.INFO if ok else apprise.NotifyType.FAILURE
    if sender.notify(body=body, title=title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT):
        return ""
    return without(" ".join(heard.texts()) or "the receiver refused it", _parts(url))


def _beat(url: str, body: str | None) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return "not an http or https URL"
    headers = {"User-Agent": "torgsync"}
    user, found, host = parts.netloc.rpartition("@")
    if found:  # urllib takes it as a part of the host
        headers["Authorization"] = f"Basic {b64encode(unquote(user).encode()).decode()}"
    path = parts.path
    if body is not None:
        path = f"{path.rstrip('/')}/fail"
        headers["Content-Type"] = "text/plain; charset=utf-8"
    asked = Request(
        urlunsplit((parts.scheme, host, path, parts.query, "")), None if body is None else body.encode(), headers
    )
    try:
        # not httpx: it writes every URL into the log, and the URL of a heartbeat is a secret
        with urlopen(asked, timeout=_PATIENCE):
            return ""
    except OSError as error:  # HTTPError and URLError too
        if code := getattr(error, "code", None):
            return f"it answered {code}"
        return f"it cannot be reached ({type(getattr(error, 'reason', error)).__name__})"


def _parts(url: str) -> list[str]:
    """Return all parts of a URL that may be secret: all but the scheme and a real host."""
    scheme, _, rest = url.partition("://")
    host = redacted(url).removeprefix(f"{scheme}://").removesuffix("/…")
    words = [word for word in re.split(r"[/:@?&=,#+]", rest) if word.lower() != host]
    return [url, *words, *map(unquote, words)]


class _Heard(logging.Handler):
    """Collects apprise's messages of one thread, which is one receiver. None of them reaches a log or the terminal."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._own = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record with the id of its thread."""
        self._own.said = [*self.texts(), record.getMessage()]

    def texts(self) -> list[str]:
        """Return the messages of this thread."""
        return getattr(self._own, "said", [])


_lock = threading.Lock()
_heard: _Heard | None = None


def _listen() -> _Heard:
    """Redirect apprise's log, once, as it names URLs; also that of urllib3, which does so in debug mode."""
    global _heard
    with _lock:
        if _heard is None:
            _heard = _Heard()
            logger = logging.getLogger("apprise")
            logger.propagate = False
            logger.addHandler(_heard)
            for name in ("urllib3.connectionpool", "requests"):
                logging.getLogger(name).addFilter(lambda record: record.threadName != _THREAD)
        return _heard
