"""The ``torgsync`` command. Heavy imports stay inside the commands: ``--help`` answers at once."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated

import typer

from cli.console import note
from cli.groups import alerts_app, base_app, opencart_app, quarantine_app, runs_app
from cli.options import Allow, Flow, Json, Quiet, RetriedRun, RunName, ShopName, Stores, Wait
from engine.signals import end_on_sigterm
from schemas.errors import Interrupted, TorgsyncError

app = typer.Typer(
    name="torgsync",
    help="Synchronization sections for Torgsoft, every night: from the Firebird base to the online store.",
    epilog="torgsync --version prints where the pages are that messages name (docs/shop.md and others).",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: importing rich takes longer than everything else
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(base_app, name="base")
app.add_typer(runs_app, name="runs")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(alerts_app, name="alerts")
app.add_typer(opencart_app, name="opencart")


def _show_version(wanted: bool) -> None:
    """Print the version and the folder of the documentation, which is beside the code, also in a wheel."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"torgsync {version('torgsync')}\ndocs: {Path(__file__).resolve().parent.parent / 'docs'}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and where docs/ lies."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point: runs the command and turns a TorgsyncError into one message and its exit code."""
    # garbage collection during imports takes a sixth of the start, and modules are never garbage
    gc.set_threshold(50_000)
    end_on_sigterm()
    try:
        app(standalone_mode=True)
    except TorgsyncError as error:
        _fail(error)
    except Interrupted as error:
        note("torgsync: stopped by a signal")
        raise SystemExit(error.exit_code) from None


def _fail(error: TorgsyncError) -> None:
    note(f"torgsync: {error}")
    raise SystemExit(error.exit_code)


@app.command(epilog="Example: torgsync sync household --json")
def sync(
    shop: ShopName,
    stores: Stores = None,
    allow: Allow = None,
    wait: Wait = 0,
    flow: Flow = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read the shop's base, decide every good's category, and bring every store up to date."""
    from cli.run import parse_allow, run_sync

    run_sync(shop, parse_allow(allow), flow, as_json, quiet, stores or [], wait)


@app.command(epilog="Example: torgsync chain cosmetics shops/toys --workers 2")
def chain(
    shops: Annotated[list[str] | None, typer.Argument(help="Folders or names. Default: all below shops/.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many at a time. Default: one per processor.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run them on the workers of a Dask scheduler instead.")
    ] = None,
    flow: Flow = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the sync of many shops at once; a failure does not affect the others. Exits with the worst code."""
    from cli.chain import run_chain_command

    run_chain_command(shops, workers, dask, flow, as_json, quiet)


@app.command(epilog="Example: torgsync plan household --detailed-exitcode")
def plan(
    shop: ShopName,
    to: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the plan file here.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the plan as a page into this file.")] = None,
    detailed: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 10 when the plan would change something.")
    ] = False,
    stores: Stores = None,
    allow: Allow = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what sync would do, and write a plan file; no store is changed."""
    from cli.plans import run_plan
    from cli.run import parse_allow

    run_plan(shop, to, html, detailed, parse_allow(allow), as_json, quiet, stores or [])


@app.command(epilog="Example: torgsync apply shops/myshop/output/plan.json")
def apply(
    plan_file: Annotated[Path, typer.Argument(help="The file that torgsync plan wrote.")],
    shop: Annotated[
        str | None, typer.Option(help="The shop's folder or name. Default: by the name in the plan.")
    ] = None,
    allow: Allow = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Apply exactly the operations of a plan file; a stale plan is refused."""
    from cli.plans import run_apply
    from cli.run import parse_allow

    run_apply(plan_file, shop, parse_allow(allow), as_json, quiet)


@app.command(epilog="Example: torgsync resume myshop last")
def resume(
    shop: ShopName,
    run: RunName = "last",
    allow: Allow = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Resume an interrupted run by its plan."""
    from cli.plans import run_again
    from cli.run import parse_allow

    run_again("resume", shop, run, parse_allow(allow), as_json, quiet)


@app.command(epilog="Example: torgsync retry myshop last")
def retry(
    shop: ShopName,
    run: RetriedRun = "last",
    allow: Allow = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Load again only the stores that failed in a run."""
    from cli.plans import run_again
    from cli.run import parse_allow

    run_again("retry", shop, run, parse_allow(allow), as_json, quiet)


@app.command(epilog="Example: torgsync rollback myshop --to 20261123-023000-1a2b --plan-only")
def rollback(
    shop: ShopName,
    to: Annotated[
        str,
        typer.Option("--to", help="A run, by its name or the start of it; or a night, as in 2026-11-23."),
    ],
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Show what would be done; change nothing.")] = False,
    allow: Allow = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Bring every store back to the catalogue of an earlier run; numbers and the ids of stores stay."""
    from cli.plans import run_rollback
    from cli.run import parse_allow

    run_rollback(shop, to, plan_only, parse_allow(allow), as_json, quiet)


@app.command(epilog="Example: torgsync serve household")
def serve(
    shops: Annotated[list[str] | None, typer.Argument(help="Shops. Default: all below shops/.")] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Prefect has no login: use only an address of this machine.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Prefect UI.")] = 4200,
    reports_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the runs' pages. 0: a free one.")] = 4201,
    home: Annotated[Path, typer.Option(help="Where Prefect keeps its database and logs.")] = Path(".prefect"),
    limit: Annotated[int, typer.Option(min=1, help="At most this number of runs at a time.")] = 2,
    keep_days: Annotated[int, typer.Option(min=1, help="Days after which Prefect forgets a run.")] = 60,
) -> None:
    """Run the nightly job on this machine: Prefect's server and UI, schedules, a worker and the reports."""
    from cli.serve import run_serve

    run_serve(shops, host, port, reports_port, home, limit, keep_days)


@app.command(epilog="Example: PREFECT_API_URL=http://prefect:4200/api torgsync deploy --pool torgsync")
def deploy(
    shops: Annotated[list[str] | None, typer.Argument(help="Shops. Default: all below shops/.")] = None,
    pool: Annotated[str, typer.Option(help="The work pool; a missing one is created, for processes.")] = "torgsync",
    folder: Annotated[
        Path, typer.Option(help="The folder in which workers start: shops are found from there.")
    ] = Path(),
    no_folder: Annotated[bool, typer.Option("--no-folder", help="The work pool decides where workers start.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete torgsync's deployments of other shops.")] = False,
    as_json: Json = False,
) -> None:
    """Register each shop's deployments (nightly, manual, plan-only, rollback) on the server of PREFECT_API_URL."""
    from cli.deploy import run_deploy

    run_deploy(shops, pool, None if no_folder else folder.resolve(), prune, as_json)


@app.command(epilog="Example: torgsync report household last --html report.html")
def report(
    shop: ShopName,
    run: RunName = "last",
    html: Annotated[Path | None, typer.Option("--html", help="Write the run as a page into this file.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a run did."""
    from cli.report import run_report

    run_report(shop, run, html, as_json)


@app.command(epilog="Example: torgsync demo trade-equipment")
def demo(
    sample: Annotated[str, typer.Argument(help="household, trade-equipment, hostile or cosmetics.")] = "household",
    folder: Annotated[Path, typer.Option(help="The folder for the demo shop.")] = Path("demo"),
    flow: Flow = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build a sample shop with a Firebird base and run the whole nightly job on it."""
    from cli.demo import run_demo

    run_demo(sample, folder, flow, as_json, quiet)


@app.command(epilog="Example: torgsync samples --check")
def samples(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when an output is stale.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Regenerate the committed outputs of data/samples/."""
    from cli.samples import run_samples

    run_samples(check, as_json, quiet)


@app.command(epilog='Example: torgsync explain household "Сковорода 24"')
def explain(
    shop: Annotated[str, typer.Argument(help="A folder that holds shop.toml, or its name below shops/.")],
    key: Annotated[str, typer.Argument(help="A good's id, type:ID, number:N, or part of a good's name.")],
    as_json: Json = False,
) -> None:
    """Explain why a good is in its category, from the outputs of the last run."""
    from cli.explain import run_explain

    run_explain(shop, key, as_json)


@app.command(epilog="Example: torgsync init shops/myshop --dsn 127.0.0.1/3050:/base.fdb --store trs --store sql")
def init(
    folder: Annotated[Path, typer.Argument(help="The shop's new folder; its name becomes the shop's.")],
    dsn: Annotated[str | None, typer.Option(help="Its base: a file, or host/port:path. It is read.")] = None,
    user: Annotated[str, typer.Option(help="The base's user.")] = "SYSDBA",
    password_env: Annotated[str | None, typer.Option(help="Environment variable that holds the password.")] = None,
    store: Annotated[
        list[str] | None,
        typer.Option(help="sql, trs, yml, google, csv, json, woocommerce or opencart. Repeatable. Default: trs."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Create a new shop: a folder with a shop.toml that fits the base, and an empty rules.yaml."""
    from cli.init import run_init

    run_init(folder, dsn, user, password_env, store or ["trs"], as_json)


@app.command(epilog="Example: torgsync doctor household")
def doctor(shop: ShopName, as_json: Json = False) -> None:
    """Check all that a run of a shop needs: settings, base, rules, state, stores, alerts. Changes nothing."""
    from cli.doctor import run_doctor

    run_doctor(shop, as_json)


@app.command(
    epilog="Example: torgsync inspect 127.0.0.1/3050:C:\\\\Torgsoft\\\\base.fdb --password-env TORGSOFT_PASSWORD"
)
def inspect(
    dsn: Annotated[str, typer.Argument(help="A file, or host/port:path.")],
    user: Annotated[str, typer.Option(help="The base's user.")] = "SYSDBA",
    password_env: Annotated[str | None, typer.Option(help="Environment variable that holds the password.")] = None,
    as_json: Json = False,
) -> None:
    """Read the metadata of a base and propose a schema map for shop.toml."""
    from cli.inspect import run_inspect

    run_inspect(dsn, user, password_env, as_json)
