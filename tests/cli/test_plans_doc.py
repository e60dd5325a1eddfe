"""docs/plans.md cannot lie about guards and kinds of operations."""

from pathlib import Path

import pytest

from schemas.plan import KINDS
from transforms.guards import GUARDS

TEXT = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("guard", GUARDS)
def test_every_guard_is_documented_with_what_it_says(guard):
    assert f"| `{guard}` | {GUARDS[guard]} |" in TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_operation_is_documented_with_what_it_means(kind):
    assert f"| `{kind}` | {KINDS[kind]} |" in TEXT
