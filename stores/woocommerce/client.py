"""HTTP to one WooCommerce shop: keys, pages, batches, and the only module that repeats a request."""

from __future__ import annotations

import json
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from types import TracebackType
from typing import Any

import httpx

from schemas.errors import StoreError

Item = dict[str, Any]
PER_PAGE = 100
LONGEST_WAIT = 300.0
"""Seconds. Where a shop asks for a longer wait, the run leaves it to the next run."""


@dataclass(frozen=True)
class Clock:
    """Time and random numbers. Tests replace them."""

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class Access:
    """The URL of a shop and its keys; ``repr`` hides the keys."""

    name: str
    url: str
    key: str
    secret: str
    timeout: float = 120
    tries: int = 5

    def __repr__(self) -> str:
        return f"Access({self.name!r}, {self.url!r})"


class Client:
    """The REST API v3 of one shop. Every failure is a StoreError that says what to do; none holds a key."""

    def __init__(self, access: Access, clock: Clock | None = None) -> None:
        self.access, self.clock = access, clock or Clock()
        self._http = httpx.Client(
            base_url=f"{access.url}/wp-json/wc/v3/",
            auth=httpx.BasicAuth(access.key, access.secret),
            timeout=httpx.Timeout(access.timeout, connect=min(access.timeout, 20)),
            headers={"Accept": "application/json", "User-Agent": "torgsync"},
            verify=_certificates(),
            trust_env=access.url.startswith("https:"),  # a proxy of the environment, but never for this machine
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def pages(self, path: str, **parameters: Any) -> Iterator[Item]:
        """Yield every row of a collection, ordered by id so that no page shifts."""
        page = 1
        while True:
            query = {"per_page": PER_PAGE, "orderby": "id", "order": "asc", **parameters, "page": page}
            answer = self._tried("GET", path, partial(dict[str, Any], params=query))
            assert answer is not None
            rows, response = answer
            if not isinstance(rows, list):
                raise self._error("the store did not answer with a list", "check the store's url")
            yield from rows
            if page >= int(response.headers.get("X-WP-TotalPages") or 0):
                return
            page += 1

    def batch(
        self,
        path: str,
        create: Sequence[Item],
        update: Sequence[Item],
        find: Callable[[Sequence[Item]], Sequence[Item | None]],
    ) -> tuple[list[Item], list[Item]]:
        """Create and update rows in one request; the answers, row by row: the row itself, or ``{"error": …}``.

        After a request without an answer it is unknown what was done. Updates may be sent twice. For rows to create
        ``find`` returns those that the store has by now, and only the others are sent again.
        """
        there: dict[int, Item] = {}
        asked: list[int] = []

        def body() -> dict[str, Any] | None:
            asked[:] = [n for n in range(len(create)) if n not in there]
            sent = {"create": [create[n] for n in asked], "update": list(update)}
            sent = {verb: rows for verb, rows in sent.items() if rows}
            return {"json": sent} if sent else None

        def unsure() -> None:
            left = [n for n in range(len(create)) if n not in there]
            found = find([create[n] for n in left])
            there.update({n: row for n, row in zip(left, found, strict=True) if row is not None})

        answer = self._tried("POST", f"{path}/batch", body, unsure)
        rows: Mapping[str, Any] = answer[0] if answer is not None and isinstance(answer[0], dict) else {}
        created, updated = list(rows.get("create") or ()), list(rows.get("update") or ())
        if answer is not None and (len(created) != len(asked) or len(updated) != len(update)):
            raise self._error("the store answered a batch with another number of rows", "run again")
        there.update(zip(asked, created, strict=True) if answer is not None else ())
        return [there[n] for n in range(len(create))], updated

    def _tried(
        self,
        method: str,
        path: str,
        body: Callable[[], dict[str, Any] | None],
        unsure: Callable[[], None] | None = None,
    ) -> tuple[Any, httpx.Response] | None:
        """Send one request, again after 429, 5xx, a timeout or a cut connection. None: nothing was left to send."""
        problem = ""
        for attempt in range(self.access.tries):
            content = body()
            if content is None:
                return None
            wait, applied = 0.0, True
            try:
                response = self._http.request(method, path, **content)
            except httpx.TimeoutException:
                problem = f"no answer within {self.access.timeout:g} seconds"
            except httpx.ConnectError as error:
                problem, applied = f"no connection: {error}", False
            except httpx.TransportError as error:
                problem = f"the connection broke: {type(error).__name__}"
            else:
                found = _parsed(response)
                if response.is_success and found is not None:
                    return found, response
                problem = self._problem(response, found)
                if response.status_code == 429:
                    wait, applied = self._asked_wait(response), False
                elif response.status_code < 500 and not response.is_success:
                    raise self._refused(response, problem)
            if attempt + 1 < self.access.tries:
                backoff = min(30.0, 0.5 * 2**attempt) * (0.5 + self.clock.chance() / 2)
                self.clock.sleep(max(wait, backoff))
                if applied and unsure is not None:
                    unsure()
        raise self._error(
            f"{problem} ({method} {path}, tried {self.access.tries} times)",
            "run again when the store answers: finished operations stay and are not repeated",
        )

    def _asked_wait(self, response: httpx.Response) -> float:
        """Seconds that Retry-After asks for, as a number or as a date."""
        text = response.headers.get("Retry-After", "").strip()
        try:
            seconds = (
                float(text) if text.isdecimal() else (parsedate_to_datetime(text) - self.clock.now()).total_seconds()
            )
        except (ValueError, TypeError):
            return 0.0
        if seconds > LONGEST_WAIT:
            raise self._error(f"the store asks to wait for {seconds:.0f} seconds", "run again later")
        return max(seconds, 0.0)

    def _refused(self, response: httpx.Response, problem: str) -> StoreError:
        status = response.status_code
        if response.is_redirect:
            location = response.headers.get("Location", "").split("?")[0].split("/wp-json")[0]
            return self._error(f"the store redirects to {location}", "put that address into the store's url")
        steps = {
            401: "check the two keys, and that the web server passes the Authorization header on to PHP",
            403: "the keys need the permission Read/Write, of a user who may edit products",
            404: "check the store's url, that WooCommerce is active and that permalinks are not «plain»",
            413: "set a smaller batch for this store",
        }
        return self._error(problem, steps.get(status, "read the store's own message"))

    def _problem(self, response: httpx.Response, found: Any) -> str:
        status = f"HTTP {response.status_code}"
        if response.is_success:
            return f"{status}, but the answer is no JSON: {response.text[:80]!r}"
        if isinstance(found, dict) and found.get("code"):
            return f"{status} {found['code']}: {found.get('message', '')}"
        return status

    def _error(self, message: str, next_step: str) -> StoreError:
        return StoreError(f"store {self.access.name}: {self._hidden(message)}", next_step)

    def _hidden(self, text: str) -> str:
        """Remove the keys from a text: a shop may repeat what it received."""
        for secret in (self.access.key, self.access.secret):
            text = text.replace(secret, "…") if secret else text
        return " ".join(text.split())[:500]


@cache
def _certificates() -> ssl.SSLContext:
    """Load the trusted certificates; cached, as loading takes longer than a request."""
    return httpx.create_ssl_context()


def _parsed(response: httpx.Response) -> Any:
    """Return the JSON of an answer, or None. Some plugins write a byte order mark before it."""
    try:
        return json.loads(response.content.decode("utf-8-sig"))
    except ValueError:
        return None
