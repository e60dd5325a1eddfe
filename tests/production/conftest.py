"""``torgsync serve`` as an operator starts it: real processes, a real Prefect server, shops in folders."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.alerts.conftest import receiver  # noqa: F401 - a fixture, found by its name
from tests.chain.conftest import sequential  # noqa: F401 - a fixture, found by its name
from tests.e2e.conftest import ShopFolder, local  # noqa: F401 - a fixture, found by its name
from tests.e2e.test_promises import GOODS, SECTIONS, TYPES
from tests.patience import PATIENCE
from tests.prefect_server import (  # noqa: F401 - fixtures, found by their names
    on_disk,
    prefect_server,
    prefect_server_url,
)
from tests.source.conftest import Place

ROOT = Path(__file__).parents[2]
CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], Any], seconds: float = PATIENCE, told: str = "") -> Any:
    """Wait for a true value and return it; fails after ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {told or what}"
        time.sleep(0.2)


@dataclass
class Served:
    """A machine on which ``torgsync serve`` runs."""

    folder: Path
    port: int
    reports: int
    process: subprocess.Popen[str]
    audit: Path
    shops: dict[str, ShopFolder] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._ask("POST", path, json=body or {})

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        limit = 60 if method == "GET" else PATIENCE
        for _ in range(
            20
        ):  # while its SQLite is busy the server is slow or answers an error: Prefect's client waits too
            try:
                answer = httpx.request(method, f"{self.url}/api{path}", timeout=limit, **more)
            except httpx.ReadTimeout:
                if method != "GET":
                    raise
                continue
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deployment(self, name: str, flow: str = "sync-shop") -> dict[str, Any]:
        return self.get(f"/deployments/name/{flow}/{name}")

    def start(self, name: str, parameters: dict[str, Any] | None = None, flow: str = "sync-shop") -> str:
        """Start a deployment as the UI does; returns the id of the flow run."""
        id_ = self.deployment(name, flow)["id"]
        return str(self.post(f"/deployments/{id_}/create_flow_run", {"parameters": parameters or {}})["id"])

    def state(self, run: str) -> dict[str, Any]:
        return self.get(f"/flow_runs/{run}")["state"]

    def ended(self, run: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Return the final state of a flow run."""
        ends = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
        wait_for(lambda: self.state(run)["type"] in ends, seconds, f"the end of flow run {run}")
        return self.state(run)

    def artifacts(self, run: str) -> dict[str, Any]:
        """Return the newest artifact of each key: a run that is retried writes them again."""
        found = self.post("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})
        return {item["key"]: item for item in sorted(found, key=lambda item: str(item["created"]))}

    def children(self, word: str) -> list[psutil.Process]:
        """Return the processes below ``torgsync serve`` with this word in the command line."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in below if word in " ".join(_words(child))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


AUDIT = """
import os, sys
def _look(event, args):
    if event == "socket.connect":
        address = args[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
            _note(f"connect {address}")
    elif event == "socket.getaddrinfo" and args[0] not in (None, "localhost", "127.0.0.1", "::1", b"localhost", ""):
        _note(f"look up {args[0]!r}")
def _note(text):
    with open(os.environ["TORGSYNC_TEST_AUDIT"], "a") as stream:
        stream.write(text + "\\n")
sys.addaudithook(_look)
"""
"""Every Python that ``serve`` starts loads it: it logs each connection that would leave the machine."""


def far_from_now() -> str:
    """Return a time of day for the nightly runs that is not during the tests."""
    hour = datetime.now(ZoneInfo("Europe/Kyiv")).hour
    return "14:30" if hour < 8 or hour > 20 else "02:30"


CALM = """[alerts]
max_hidden_share = 1.0
"""
"""Limits for a shop in which a quarter of the goods has no category, so that the first night gives no warning."""
SOFT = """[guards]
max_removed_share = 0.5
max_short_share = 0.5
[approval]
removed_goods = 1
"""
LONG_MEMORY = "[history]\nkeep_runs = 500\n"
HURRY = "hours = 0.001\n"
"""No answer within 3.6 seconds means no."""


def make_shop(folder: Path, name: str, more: str = "") -> ShopFolder:
    """Make a shop with 40 goods in a separate folder below ``shops/``."""
    where = folder / "shops" / name
    where.mkdir(parents=True)
    shop = ShopFolder(where, Place("embedded", where))
    shop.settings(more=more)
    path = where / "shop.toml"
    text = path.read_text().replace('name = "test"', f'name = "{name}"')
    path.write_text(text.replace("[sections]", f'[schedule]\nat = "{far_from_now()}"\n[sections]'))
    shop.base(TYPES, SECTIONS, GOODS)
    return shop


def serve(folder: Path, shops: dict[str, ShopFolder], *more: str) -> Served:
    """Start ``torgsync serve`` with ``more`` options and wait until it prints that it is up."""
    port, reports = free_port(), free_port()
    spy = folder / "spy"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(AUDIT)
    audit = folder / "audit.txt"
    audit.touch()
    foreign = ("PREFECT_", "TORGSYNC_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
        "PYTHONPATH": f"{spy}{os.pathsep}{ROOT}",
        "TORGSYNC_TEST_AUDIT": str(audit),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "10",
    }
    words = ["serve", "--port", str(port), "--reports-port", str(reports), "--limit", "3", *more]
    code = "from cli.main import main; main()"
    log = (folder / "serve.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=folder, env=env, stdout=log, stderr=log, text=True
    )
    served = Served(folder, port, reports, process, audit, shops)

    def up() -> bool:
        said = (folder / "serve.log").read_text()
        assert process.poll() is None, said
        return "Prefect is up" in said

    wait_for(up, told="torgsync serve is up")
    wait_for(lambda: served.post("/work_pools/torgsync/workers/filter"), told="the worker")
    return served


@pytest.fixture(scope="package")
def served() -> Iterator[Served]:
    """Start one machine for all tests of this folder, with one shop for each test."""
    with on_disk("machine") as folder:
        yield from _served(folder)


def _served(folder: Path) -> Iterator[Served]:
    more = {
        "form": "",
        "busy": CALM + "[history]\nkeep_runs = 500\n",
        "asked": CALM + SOFT,
        "unanswered": CALM + SOFT + HURRY,
        "approved": CALM + SOFT,
        "changed": CALM + SOFT,
    }
    names = ("form", "stopped", "asked", "unanswered", "approved", "changed", "killed", "mended", "busy", "declared")
    shops = {name: make_shop(folder, name, more.get(name, CALM)) for name in names}
    machine = serve(folder, shops)
    try:
        yield machine
    finally:
        process = machine.process
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        left = [child for child in below if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        for child in left:
            child.kill()
        assert process.returncode == 143
        assert left == [], "torgsync serve ends all that it started"


@pytest.fixture(scope="module")  # no other event loop can run in this process meanwhile
def chromium() -> Iterator[Browser]:
    """Start headless Chromium."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("NO BROWSER: chromium not found. The Prefect UI is NOT tested: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(CHROMIUM))
        yield browser
        browser.close()


@pytest.fixture
def page(served: Served, chromium: Browser) -> Iterator[Page]:
    """Open a page of the browser; its requests to other hosts are written into the audit."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})

    def look(request: Any) -> None:
        if not request.url.startswith((f"{served.url}/", f"http://127.0.0.1:{served.reports}/", "data:", "blob:")):
            with served.audit.open("a") as stream:
                stream.write(f"browser {request.url}\n")

    page.on("request", look)
    yield page
    page.close()


def rows(table: Any) -> list[dict[str, Any]]:
    """Return the rows of a table artifact."""
    return json.loads(table["data"]) if isinstance(table["data"], str) else table["data"]
