"""docs/plans.md cannot lie about kinds of operations."""

from pathlib import Path

from schemas.plan import KINDS

TEXT = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")


def rows(head: str) -> list[list[str]]:
    """The cells of the one table whose first column has this head."""
    _, found = TEXT.split(f"\n| {head} |")
    lines = found.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_kinds_of_operations_that_are_documented_are_those_that_there_are_each_once_with_what_it_means():
    assert [row[:2] for row in rows("operation")] == [[f"`{kind}`", told] for kind, told in KINDS.items()]
