"""Server, schedules, worker and reports of one machine: started in their order, watched, and ended in good order.

docs/adr/0016-processes.md says why this is not an existing process manager.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from engine.alerts.alerts import failures, overdue, send_late
from flows.dead_runs import NO_ANSWER, DeadRuns
from flows.local_server import POOL, Child, environment, server_child, wait_until_up, worker_child
from schemas.command import COMMAND
from schemas.errors import Interrupted, SettingsError
from schemas.settings.alerts import TOO_OLD
from schemas.settings.shop import Shop

_LOOK = 600.0
"""Seconds between two looks for a night that is missing."""
_TOO_OFTEN = 5, 300.0
"""A child that ends so many times within so many seconds is not started again."""

Say = Callable[[str], None]
"""Hears one sentence about what goes on."""


@dataclass(frozen=True)
class Addresses:
    """Where to listen (``host``, ``port`` of Prefect, ``reports_port``; 0 takes a free one), and Prefect's folder.

    ``keep_days``: Prefect forgets what ended longer ago.
    """

    host: str
    port: int
    reports_port: int
    home: Path
    keep_days: int = 60


@dataclass(frozen=True)
class Served:
    """What is up: the addresses of Prefect and of the runs' pages, how many deployments, and after how long."""

    url: str
    reports: str
    deployments: int
    seconds: float


def serve(shops: Sequence[Shop], where: Addresses, limit: int, ready: Callable[[Served], None], say: Say) -> None:
    """Serve until a signal comes; then end every run, the worker and the server in good order.

    ``limit``: so many runs at a time. Raises SettingsError for a home that another serve uses, a port that is taken,
    and a server or worker that cannot be kept alive.
    """
    home = where.home.resolve()
    with _only_one(home):
        _serve(shops, where, home, limit, ready, say)


def _serve(
    shops: Sequence[Shop], where: Addresses, home: Path, limit: int, ready: Callable[[Served], None], say: Say
) -> None:
    from flows.reports_server import serve_reports

    for number in (where.port, where.reports_port):
        _check_free(where.host, number)
    reports = serve_reports({shop.name: shop for shop in shops}, where.host, where.reports_port)
    reports_url = f"http://{where.host}:{reports.server_address[1]}"
    env = environment(where.host, where.port, home, reports_url, where.keep_days)
    os.environ.update(env)  # for the client in this process, before prefect is imported
    server = server_child(where.host, where.port, env, home)
    worker = worker_child(env, home)
    try:
        begun = time.monotonic()
        say("starting the Prefect server (10 to 20 seconds) …")
        server.start()
        wait_until_up(server, env["PREFECT_API_URL"])
        from flows.deployments import deploy

        done = deploy(shops, POOL, Path.cwd(), automate=False, limit=limit)
        dead = DeadRuns(POOL, say)
        worker.before = dead.end
        worker.start()
        url = f"http://{where.host}:{where.port}"
        ready(Served(url, reports_url, len(done.registered), time.monotonic() - begun))
        _watch([server, worker], Overdue(shops, say), say, dead)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("ending the worker and its runs, then the server …")
        worker.stop()
        server.stop()
        reports.shutdown()


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold Prefect's folder: a second server on one database, and a worker that ends the runs of the first, do harm.

    The lock is the operating system's and ends with this process.
    """
    lock = FileLock(home / "serve.lock")
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise SettingsError(
            f"{COMMAND} serve is running already with {home}", "use that one, or choose another folder: --home"
        ) from error
    except OSError as error:
        raise SettingsError(
            f"{home}: {error.strerror or error}", "choose a folder that can be written: --home"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"{host}:{port}: {error.strerror}",
                f"is {COMMAND} serve running already? Else choose another: --port, --reports-port",
            ) from error


class Overdue:
    """Looks now and then whether a shop's last good night is too old, and tells it once."""

    def __init__(self, shops: Sequence[Shop], say: Say) -> None:
        self.shops, self.say, self.told, self.next = shops, say, dict[str, str](), 0.0

    def look(self) -> None:
        """Look, unless that was done a few minutes ago."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + _LOOK
        for shop in self.shops:
            late = overdue(shop, TOO_OLD, datetime.now().astimezone())
            if late and self.told.get(shop.name) != late.run:
                self.told[shop.name] = late.run
                self.say(f"torgsync: {shop.name}: {late.sentence}")
                for failure in failures(send_late(shop, late.sentence)):
                    self.say(f"torgsync: warning: {failure}")


def _watch(children: Sequence[Child], overdue: Overdue, say: Say, dead: DeadRuns | None = None) -> None:
    """Start again what ends by itself; raises SettingsError for a child that cannot be kept alive."""
    try:
        while True:
            for child in children:
                child.limit_log()
                with suppress(*NO_ANSWER):  # no answer of the server, which starts again too: a moment later
                    if child.ended:
                        _start_again(child, say)
            if dead is not None:
                with suppress(*NO_ANSWER):
                    dead.look()
            overdue.look()
            time.sleep(0.5)
    except KeyboardInterrupt:
        raise Interrupted(130) from None


def _start_again(child: Child, say: Say) -> None:
    most, within = _TOO_OFTEN
    recent = [start for start in child.starts if time.monotonic() - start < within]
    if len(recent) >= most:
        raise SettingsError(f"the {child.name} ended {most} times within {within:.0f} s", f"see {child.log}")
    child.start()
    say(f"the {child.name} ended by itself: starting it again (its log: {child.log})")
