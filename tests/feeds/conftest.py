"""Fixtures of the feeds' tests."""

from tests.real_nights import real  # noqa: F401 - a fixture, found by its name
