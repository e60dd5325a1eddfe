"""Options and arguments that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Flow = Annotated[
    bool | None,
    typer.Option("--flow/--no-flow", help="Run as a Prefect flow. Default: only when PREFECT_API_URL is set."),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow", metavar="GUARD=N", help="Let a guard pass up to N rows, in this one run. It is recorded. Repeatable."
    ),
]
Stores = Annotated[
    list[str] | None, typer.Option("--store", help="Only this store. Repeatable. Default: all of the shop.")
]
Wait = Annotated[
    int, typer.Option("--wait", min=0, metavar="MINUTES", help="Minutes to wait for another run of the shop.")
]
RunName = Annotated[str, typer.Argument(help="A run: its name, the start of its name, or last.")]
RetriedRun = Annotated[
    str, typer.Argument(metavar="RUN", help="A run, as elsewhere. last: the last one that left a store behind.")
]
ShopName = Annotated[str, typer.Argument(help="A folder that holds shop.toml, or its name below shops/.")]
