"""The result of a chain for a person: failures first."""

from __future__ import annotations

from schemas.chain import WORST_LAST, ChainReport, ShopResult

_CELL = str.maketrans({"|": "\\|", "\n": " ", "\r": " ", "<": "&lt;", "`": "'"})
"""Names and messages come from bases and stores. In a Markdown table each must stay one cell of plain text."""


def worst_first(shops: list[ShopResult]) -> list[ShopResult]:
    """Sort the shops: failed ones first, the worst at the top; shops of equal outcome keep the order of the chain."""
    return sorted(shops, key=lambda shop: -WORST_LAST.index(shop.exit_code if shop.exit_code in WORST_LAST else 1))


def chain_text(report: ChainReport) -> str:
    """Return the result for a terminal. The summary is the last line, as the end of the output is seen first."""
    lines = []
    width = max((len(shop.shop) for shop in report.shops), default=0)
    for shop in worst_first(report.shops):
        lines.append(f"  {shop.shop:<{width}}  {shop.outcome}: {shop.did}")
        if shop.exit_code and shop.next_step:
            lines.append(f"  {'':<{width}}  next: {shop.next_step}")
    return "\n".join([*lines, f"{report.sentence} ({report.seconds:.0f} s, {report.runner})"])


def chain_markdown(report: ChainReport) -> str:
    """Return the result as a Markdown table for the Prefect UI."""
    head = "| shop | outcome | goods | written | what it did | what to do next | seconds | run |"
    rows = [_row(shop) for shop in worst_first(report.shops)]
    title = f"**{report.sentence}** in {report.seconds:.0f} s, {report.runner}"
    return "\n".join([title, "", head, "|---|---|--:|--:|---|---|--:|---|", *rows, ""])


def _row(shop: ShopResult) -> str:
    outcome = shop.outcome if not shop.exit_code else f"**{shop.outcome}**"
    goods = "–" if shop.goods is None else f"{shop.goods}"
    next_step = shop.next_step if shop.exit_code else ""
    cells = [shop.shop, outcome, goods, f"{shop.written}", shop.did, next_step, f"{shop.seconds:.1f}", shop.run]
    return f"| {' | '.join(cell.translate(_CELL) for cell in cells)} |"
