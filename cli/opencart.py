"""``torgsync opencart check``: faults of categories that OpenCart's admin does not show (docs/opencart.md)."""

from __future__ import annotations

from cli.console import out, out_json
from engine.shops import load_shop


def run_check(shop: str, store: str | None, as_json: bool) -> None:
    """Print every finding; exit 1 when there is one. Raises SettingsError, and StoreError where none can be read."""
    from engine.setup.opencart import check_opencart, next_step

    found = check_opencart(load_shop(shop), store)
    if as_json:
        keys = ("code", "categories", "ours", "detail")
        out_json(
            {
                name: [
                    {**{key: getattr(finding, key) for key in keys}, "next_step": next_step(finding)}
                    for finding in findings
                ]
                for name, findings in found.items()
            }
        )
    else:
        for name, findings in found.items():
            out(f"{name}: {len(findings)} findings" if findings else f"{name}: the category tables have no faults")
            for finding in findings:
                out(f"  {finding}")
    if any(found.values()):
        raise SystemExit(1)
