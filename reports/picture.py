"""The category tree as a picture: an SVG that loads nothing."""

from __future__ import annotations

from base64 import b64encode
from xml.sax.saxutils import escape

import pandas as pd

from reports.outputs import goods_below, preorder

MOST_ROWS = 150
"""The picture draws at most this number of categories: a longer one is unreadable. tree.txt has them all."""

_LINE, _INDENT, _WIDTH, _BAR = 22, 22, 900, 220


def tree_picture(categories: pd.DataFrame, title: str) -> str:
    """Draw the tree of ``categories`` with bars for their goods; returns SVG text of at most MOST_ROWS rows."""
    rows = [{str(name): value for name, value in row.items()} for row in categories.to_dict("records")]
    below = goods_below(rows)
    ordered = [row for row, _ in preorder(rows)]
    shown = ordered[:MOST_ROWS]
    most = max((below[int(row["number"])] for row in shown), default=0) or 1
    more = len(ordered) - len(shown)
    height = (len(shown) + 2 + bool(more)) * _LINE + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="system-ui, DejaVu Sans, sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(14, 20, title, "#1f2937", 'font-weight="600"'),
        _text(_WIDTH - 14, 20, "goods", "#6b7280", 'text-anchor="end"'),
    ]
    for position, row in enumerate(shown):
        goods = below[int(row["number"])]
        x, y = 14 + (int(row["depth"]) - 1) * _INDENT, (position + 2) * _LINE
        width = round(_BAR * goods / most)
        parts.append(
            f'<rect x="{_WIDTH - 64 - width}" y="{y - 11}" width="{width}" height="13" fill="#bfdbfe" rx="3"/>'
        )
        name = str(row["name"])
        name = name if len(name) <= 60 else name[:59] + "…"
        parts.append(_text(x, y, f"{name}  [{row['number']}]", "#1f2937" if goods else "#9ca3af"))
        parts.append(_text(_WIDTH - 14, y, str(goods), "#1f2937", 'text-anchor="end"'))
    if more:
        parts.append(_text(14, (len(shown) + 2) * _LINE, f"… and {more} more categories in tree.txt", "#6b7280"))
    return "\n".join([*parts, "</svg>"])


def as_url(svg: str) -> str:
    """Return the picture as a ``data:`` URL, which the UI shows without a request."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _text(x: int, y: int, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" xml:space="preserve" {more}>{escape(text)}</text>'
