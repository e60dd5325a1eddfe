"""Fixtures that several folders of tests share."""

from tests.firebird_server import firebird_server  # noqa: F401 - a fixture, found by its name
