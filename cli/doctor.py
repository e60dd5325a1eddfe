"""``torgsync doctor``: checks everything that a run of a shop needs."""

from __future__ import annotations

from dataclasses import asdict

from cli.console import out, out_json


def run_doctor(shop: str, as_json: bool) -> None:
    """Print each check as soon as it is done; exit 1 when one has failed."""
    from engine.setup.doctor import examine

    found = []
    for finding in examine(shop):
        found.append(finding)
        if as_json:
            continue
        lines = finding.told.strip().splitlines() or [""]
        out(f"{finding.status:<8} {finding.check:<14} {lines[0]}")
        for line in [*lines[1:], *([f"next: {finding.next_step}"] if finding.next_step else [])]:
            out(f"{'':<23} {line}")
    failed = sum(finding.status == "failed" for finding in found)
    if as_json:
        out_json([asdict(finding) for finding in found])
    else:
        warned = sum(finding.status == "warning" for finding in found)
        out(f"\n{len(found)} {'check' if len(found) == 1 else 'checks'}: {failed} failed, {warned} with a warning")
    raise SystemExit(1 if failed else 0)
