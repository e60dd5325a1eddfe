"""The suite uses the OpenCart databases of tests/opencart."""

from tests.opencart.conftest import databases, make_shop  # noqa: F401
