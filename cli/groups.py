"""Commands with sub-commands: ``base``, ``runs``, ``quarantine``, ``alerts``, ``opencart``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.options import Json, Quiet, ShopName


class ListGroup(TyperGroup):
    """A group whose ``list`` may be left out: ``torgsync runs household`` means ``torgsync runs list household``."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Insert ``list`` before arguments that do not begin with a command of the group."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


base_app = typer.Typer(no_args_is_help=True, help="Build a stand-in base (the vendor's base is not published).")
runs_app = typer.Typer(
    cls=ListGroup,
    help="What was run, and what changed between two runs; torgsync runs SHOP lists. Commands take --json.",
    epilog="Example: torgsync runs household --limit 5",
)
quarantine_app = typer.Typer(
    no_args_is_help=True, help="Rejected rows: look at them, accept them, validate them again."
)
alerts_app = typer.Typer(no_args_is_help=True, help="Alerts: try them, and find shops whose night is late or missing.")
opencart_app = typer.Typer(no_args_is_help=True, help="Look into a shop's OpenCart tables; nothing is written.")

LastRun = Annotated[str, typer.Option("--run", help="A run: its name, the start of its name, or last.")]
Table = Annotated[str, typer.Argument(help="product_types, sections or goods.")]
Key = Annotated[str, typer.Argument(help="The row's id; row:N for a row without one.")]
Reason = Annotated[str | None, typer.Option("--reason", help="One reason only. Default: all that the row has.")]


@base_app.command(
    "build", epilog="Example: torgsync base build shop.fdb --from-trs TSGoods.trs --encoding cp1251 --no-header"
)
def base_build(
    target: Annotated[Path, typer.Argument(help="The base to create.")],
    from_csv: Annotated[
        Path | None, typer.Option(help="A folder with product_types.csv, sections.csv, goods.csv.")
    ] = None,
    from_trs: Annotated[Path | None, typer.Option(help="A TSGoods.trs as Torgsoft wrote it.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of the input. Default: detected from the file.")
    ] = None,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether the TRS file has a header.")
    ] = None,
    layout: Annotated[int | None, typer.Option(help="50, 48 or 40 columns. Default: detected from the file.")] = None,
    chain_separator: Annotated[
        str | None, typer.Option(help="; or | in section chains. Default: detected from the file.")
    ] = None,
    charset: Annotated[str, typer.Option(help="Charset of the base: WIN1251, UTF8 or NONE.")] = "WIN1251",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing base.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build a stand-in base from CSV samples or from a real sync file."""
    from cli.base import run_base_build

    run_base_build(
        target, from_csv, from_trs, encoding, header, layout, chain_separator, charset, overwrite, as_json, quiet
    )


@runs_app.command("list", epilog="Example: torgsync runs household --limit 5")
def runs_list(
    shop: Annotated[
        str | None, typer.Argument(help="The shop. Default: the one of this folder, else all below shops/.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this number of runs.")] = 20,
    as_json: Json = False,
) -> None:
    """List what each run did, newest first.

    Marks the run that is loaded now and the last one that every store took. A run that died is shown as interrupted.
    """
    from cli.runs import run_list

    run_list(shop, limit, as_json)


@runs_app.command("diff", epilog="Example: torgsync runs diff household 20261123-023000-1a2b last")
def runs_diff(
    shop: ShopName,
    before: Annotated[str, typer.Argument(metavar="A", help="The earlier run: its name, or the start of it.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The later one, or last: the one that is loaded.")] = "last",
    as_json: Json = False,
) -> None:
    """Show what changed from one run to another.

    The kept catalogues are compared: categories and goods as operations, removals first.
    """
    from cli.runs import run_diff

    run_diff(shop, before, after, as_json)


@quarantine_app.command("list", epilog="Example: torgsync quarantine list household")
def quarantine_list(shop: ShopName, run: LastRun = "last", as_json: Json = False) -> None:
    """Rejected rows by table and reason, with what to do."""
    from cli.quarantine import run_list

    run_list(shop, run, as_json)


@quarantine_app.command("show", epilog="Example: torgsync quarantine show household 1234")
def quarantine_show(shop: ShopName, key: Key, run: LastRun = "last", as_json: Json = False) -> None:
    """One row: why, since when, accepted or not."""
    from cli.quarantine import run_show

    run_show(shop, key, run, as_json)


@quarantine_app.command("accept", epilog='Example: torgsync quarantine accept household goods 1234 --note "old stock"')
def quarantine_accept(
    shop: ShopName,
    table: Table,
    key: Key,
    note: Annotated[str, typer.Option(help="Why it may stay as it is, for the next reader.")],
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Accept a row: it no longer counts towards the limits.

    It stays rejected, but [quarantine] max_rows and max_share do not count it.
    """
    from cli.quarantine import run_accept

    run_accept(shop, table, key, reason, note, as_json)


@quarantine_app.command("unaccept", epilog="Example: torgsync quarantine unaccept household goods 1234")
def quarantine_unaccept(shop: ShopName, table: Table, key: Key, reason: Reason = None, as_json: Json = False) -> None:
    """Let an accepted row count towards the limits again."""
    from cli.quarantine import run_unaccept

    run_unaccept(shop, table, key, reason, as_json)


@quarantine_app.command("replay", epilog="Example: torgsync quarantine replay household")
def quarantine_replay(shop: ShopName, run: LastRun = "last", as_json: Json = False) -> None:
    """Validate the rows of a run again.

    Uses today's settings, rules and schemas and the kept extract of the run. Reads neither the base nor a store.
    """
    from cli.quarantine import run_replay

    run_replay(shop, run, as_json)


@alerts_app.command("test", epilog="Example: torgsync alerts test myshop")
def alerts_test(shop: ShopName, as_json: Json = False) -> None:
    """Send a test message to every URL, and the heartbeat; exit 1 when one of them failed."""
    from cli.alerts import run_test

    run_test(shop, as_json)


@alerts_app.command("check", epilog="Example: torgsync alerts check cosmetics garden --max-age 26h --send")
def alerts_check(
    shops: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SHOP]...", help="Default: the one here, else all below shops/."),
    ] = None,
    max_age: Annotated[str, typer.Option("--max-age", help="As in 26h, 90m or 2d.")] = "26h",
    send: Annotated[bool, typer.Option("--send", help="Send what is found as alerts as well.")] = False,
    as_json: Json = False,
) -> None:
    """Exit 1 when a shop's last run that ended ok is too old, or its last run did not: for cron or monitoring."""
    from cli.alerts import run_check

    run_check(shops or [], max_age, send, as_json)


@opencart_app.command("check", epilog="Example: torgsync opencart check myshop")
def opencart_check(
    shop: ShopName,
    store: Annotated[
        str | None, typer.Option(help="One store only. Default: every OpenCart store of the shop.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check all categories, torgsync's or not, for faults that make pages vanish; exit 1 when there is one."""
    from cli.opencart import run_check

    run_check(shop, store, as_json)
