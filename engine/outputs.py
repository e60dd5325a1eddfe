"""The files that a run leaves in the shop's output folder, for a person."""

from __future__ import annotations

from functools import partial
from typing import Any, BinaryIO

from engine.context import Run
from engine.runs.pages import report_page
from reports.outputs import catalogue_files, csv_bytes
from stores.publish import publish


def write_outputs(run: Run) -> None:
    """Write the run's files: the catalogue only of a run that loaded it, the plan of every run that has one."""
    files: dict[str, bytes] = {}
    loaded = run.report.outcome in ("ok", "some stores failed") and run.report.purpose != "plan"
    found = run.findings
    if found.decided is not None and loaded:
        for store in found.decided.stores:
            catalogue = found.decided.catalogues[store].catalogue
            made = catalogue_files(catalogue.categories, catalogue.assignments, catalogue.offers)
            files |= {f"{store}/{name}" if store else name: content for name, content in made.items()}
    rejected = found.rejected
    if rejected is not None:
        files["quarantine.csv"] = csv_bytes(rejected)
    if found.plan is not None:
        files["plan.json"] = found.plan.to_json().encode()
    run.report.outputs = sorted([*files, "report.html", "report.json"])
    rows: list[dict[Any, Any]] = [] if rejected is None else rejected.to_dict("records")
    files["report.html"] = report_page(run.history, run.state, run.report, found.plan, rows).encode()
    files["report.json"] = (run.report.model_dump_json(indent=2) + "\n").encode()
    for name, content in files.items():
        place = run.shop.output / name
        write = partial(_written, content)
        publish(place.parent, place.name, write, create=True, mode=run.shop.new_file_mode)


def _written(content: bytes, stream: BinaryIO) -> int:
    return stream.write(content)
