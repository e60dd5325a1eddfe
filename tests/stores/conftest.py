"""The OpenCart databases of tests/opencart serve the suite here too."""

from tests.opencart.conftest import databases, make_shop  # noqa: F401
