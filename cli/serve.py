"""``torgsync serve``: server, schedules, worker and reports of one machine in one command."""

from __future__ import annotations

import os
import signal
import socket
import time
from datetime import datetime
from pathlib import Path

from cli.console import note, out
from cli.deploy import deploy, shops_of
from engine.alerts.alerts import failures, overdue, send_late
from flows.local_server import POOL, Child, environment, server_child, wait_until_up, worker_child
from schemas.errors import Interrupted, SettingsError
from schemas.settings.alerts import TOO_OLD
from schemas.settings.shop import Shop

_LOOK = 600.0
"""Seconds between two looks for a night that is missing."""
_TOO_OFTEN = 5, 300.0
"""A child that ends so many times within so many seconds is not started again."""


def run_serve(words: list[str] | None, host: str, port: int, reports_port: int, home: Path, limit: int) -> None:
    """Serve until a signal comes; then end every run, the worker and the server in good order."""
    from flows.local_server import end_dead_runs
    from flows.reports_server import serve_reports

    shops = shops_of(words)
    for number in (port, reports_port):
        _check_free(host, number)
    home = home.resolve()
    reports = serve_reports({shop.name: shop for shop in shops}, host, reports_port)
    reports_url = f"http://{host}:{reports.server_address[1]}"
    env = environment(host, port, home, reports_url)
    os.environ.update(env)  # for the client in this process, before prefect is imported
    server = server_child(host, port, env, home)
    worker = worker_child(env, home)
    try:
        begun = time.monotonic()
        note("starting the Prefect server (10 to 20 seconds) …")
        server.start()
        wait_until_up(server, env["PREFECT_API_URL"])
        told = deploy(shops, POOL, Path.cwd(), automate=False, limit=limit)
        end_dead_runs(POOL)
        worker.start()
        out(_welcome(shops, f"http://{host}:{port}", reports_url, len(told["registered"]), time.monotonic() - begun))
        _watch([server, worker], Overdue(shops))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        note("ending the worker and its runs, then the server …")
        worker.stop()
        server.stop()
        reports.shutdown()


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"{host}:{port}: {error.strerror}",
                "is torgsync serve running already? Else choose another: --port, --reports-port",
            ) from error


def _welcome(shops: list[Shop], url: str, reports: str, number: int, seconds: float) -> str:
    nights = [f"  {shop.name}: every night at {shop.schedule.at} ({shop.schedule.timezone})" for shop in shops]
    return "\n".join(
        [f"Prefect is up after {seconds:.0f} s: {url}/deployments", f"reports: {reports}/SHOP", *nights,
         f"{number} deployments; to run one by hand: choose it there, then Run. Ctrl-C ends all of it."]
    )  # fmt: skip


class Overdue:
    """Looks now and then whether a shop's last good night is too old, and tells it once."""

    def __init__(self, shops: list[Shop]) -> None:
        self.shops, self.told, self.next = shops, dict[str, str](), 0.0

    def look(self) -> None:
        """Look, unless that was done a few minutes ago."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + _LOOK
        for shop in self.shops:
            late = overdue(shop, TOO_OLD, datetime.now().astimezone())
            if late and self.told.get(shop.name) != late.run:
                self.told[shop.name] = late.run
                note(f"torgsync: {shop.name}: {late.told}")
                for failure in failures(send_late(shop, late.told)):
                    note(f"torgsync: warning: {failure}")


def _watch(children: list[Child], overdue: Overdue) -> None:
    """Start again what ends by itself; raises SettingsError for a child that cannot be kept alive."""
    while True:
        for child in children:
            if not child.ended:
                continue
            most, within = _TOO_OFTEN
            recent = [start for start in child.starts if time.monotonic() - start < within]
            if len(recent) >= most:
                raise SettingsError(f"the {child.name} ended {most} times within {within:.0f} s", f"see {child.log}")
            note(f"the {child.name} ended by itself: starting it again (its log: {child.log})")
            child.start()
        try:
            overdue.look()
            time.sleep(0.5)
        except KeyboardInterrupt:
            raise Interrupted(130) from None
