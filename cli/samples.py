"""``torgsync samples``: the committed outputs of the sample shops, written again from their inputs."""

from __future__ import annotations

from cli.console import out, out_json


def run_samples(check: bool, as_json: bool, quiet: bool) -> None:
    """Run every sample; print which of its committed outputs were written, or are stale. Exit 1 for stale ones."""
    from engine.setup.samples import refresh_samples

    result = dict(refresh_samples(check))
    word = "stale" if check else "written"
    if as_json:
        out_json({word: result})
    elif not quiet:
        for name, files in result.items():
            out(f"{name}: {f'{word}: ' + ', '.join(files) if files else 'up to date'}")
    raise SystemExit(1 if check and any(result.values()) else 0)
