"""Receivers of alerts, and a shop that sends alerts to them."""

from __future__ import annotations

import pytest

from tests.alerts.receivers import http_receiver
from tests.cli.conftest import loaded, loaded_once, torgsync  # noqa: F401 - fixtures, found by their names
from tests.e2e.conftest import local  # noqa: F401 - a fixture, found by its name


@pytest.fixture
def receiver(monkeypatch):
    """Start one webhook as the only receiver of alerts."""
    with http_receiver() as found:
        monkeypatch.setenv("TORGSYNC_ALERT_URLS", found.url())
        yield found
