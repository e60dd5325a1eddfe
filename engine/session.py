"""One run from its start to its end: the shop is locked, the run is recorded, its report is written in any case."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from engine.alerts.alerts import announce, announce_refused, judge
from engine.context import Run, RunKind, RunOptions
from engine.forget import forget
from engine.lock import hold
from engine.memory import Memory
from engine.outputs import write_outputs
from engine.run_report import fill_report
from engine.secrets import scrubbed
from engine.shops import shop_word
from engine.steps import Steps
from schemas.command import COMMAND
from schemas.errors import Interrupted, NotApproved, SettingsError, ShopBusy, StateError, TorgsyncError, closest
from schemas.report import Outcome, RunReport
from schemas.settings.shop import Shop
from state.database import State
from state.history import History
from state.open import open_state
from state.url import state_url
from transforms.guards import GUARDS
from transforms.redirects import CLOCK_STEP

_OUTCOMES: dict[int, Outcome] = {3: "guard stop", 4: "some stores failed", 5: "quarantine over its limit"}


def now() -> datetime:
    """The moment at which a run begins, with its time zone."""
    return datetime.now().astimezone()


def run_session(
    shop: Shop,
    body: Callable[[Run], None],
    kind: RunKind,
    options: RunOptions | None = None,
    steps: Steps | None = None,
) -> RunReport:
    """Do ``body`` as a run of the shop and return its report, also when the run was stopped.

    Raises ShopBusy when another run holds the shop. Errors that are not ours pass through, after the report.
    """
    options, steps = options or RunOptions(), steps or Steps()
    _check_options(shop, options)
    try:
        with hold(shop, options.wait_seconds):
            return _recorded(shop, body, kind, options, steps)
    except ShopBusy:
        raise
    except TorgsyncError as error:  # what happens inside a run is in its report: this one has not begun
        announce_refused(shop, kind.purpose, error)
        raise


def _check_options(shop: Shop, options: RunOptions) -> None:
    for guard in options.allow:
        if guard not in GUARDS:
            raise SettingsError(f'no guard "{guard}" that can be allowed', closest(guard, list(GUARDS)))
    names = [store.name for store in shop.stores]
    for store in options.stores or ():
        if store not in names:
            raise SettingsError(f'shop {shop.name} has no store "{store}"', closest(store, names))


def _recorded(shop: Shop, body: Callable[[Run], None], kind: RunKind, options: RunOptions, steps: Steps) -> RunReport:
    with open_state(shop) as state:
        if kind.purpose != "apply":  # a plan file names its shop: it shows that it is another's
            refuse_renamed(shop, state)
        run = _begin(shop, state, kind, options, steps)
        run.warn(*shop.warnings, *_clock(datetime.fromisoformat(run.report.started_at), state))
        state.start_run(run.report, options.flow_run)
        _guarded(run, body)
        try:
            forget(run)
        except (OSError, SQLAlchemyError, TorgsyncError) as error:  # the run is recorded: it is deleted another time
            run.report.warnings.append(
                f"what is too old could not be deleted: {getattr(error, 'message', type(error).__name__)}"
            )
    return run.report


def _begin(shop: Shop, state: State, kind: RunKind, options: RunOptions, steps: Steps) -> Run:
    """A run that begins now. Its night is the date in the time zone of the shop's schedule, not of the machine."""
    begun = now().astimezone(ZoneInfo(shop.schedule.timezone))
    report = RunReport(
        run=f"{begun:%Y%m%d-%H%M%S}-{uuid4().hex[:8]}",
        shop=shop.name,
        purpose=kind.purpose,
        continues=kind.continues,
        started_at=begun.isoformat("T", "milliseconds"),
    )
    history = History(shop.folder / "history")
    chosen = options.stores
    usual = " ".join([f"{COMMAND} {kind.purpose} {shop_word(shop)}", *(f"--store {store}" for store in chosen or ())])
    return Run(
        shop=shop,
        report=report,
        state=state,
        history=history,
        memory=Memory(shop, state, history, report.run, f"{begun:%Y-%m-%d}"),
        steps=steps,
        options=options,
        stores=tuple(store for store in shop.stores if chosen is None or store.name in chosen),
        command=kind.command or usual,
    )


def refuse_renamed(shop: Shop, state: State) -> None:
    """Raise SettingsError where the state file in the shop's own folder knows other shops only.

    Under a new name nothing would be known of the numbers that were given, and they would be given again with other
    meanings. A state that lies elsewhere may be of many shops: there a new one is nothing strange.
    """
    url = state_url(shop)
    file = Path(url.database or "")
    if url.get_backend_name() != "sqlite" or file.parent != shop.folder.resolve():
        return
    if others := state.strangers():
        raise SettingsError(
            f"{file.name} in the shop's folder is the state of {', '.join(others)}, and nothing in it is of "
            f"{shop.name}: was the shop renamed?",
            f'put name = "{others[0]}" back into shop.toml; if this is another shop, let it begin with a fresh state: '
            f"move {file.name} and history/ out of the folder",
        )


def _clock(begun: datetime, state: State) -> list[str]:
    """What is odd about the moment at which a run begins, beside that of the run before it.

    Nights of absence and the age of redirects go by the machine's clock, so a wrong one is told.
    """
    for last in state.runs(limit=1):
        before = datetime.fromisoformat(last["started_at"])
        before = before if before.tzinfo else before.astimezone()
        told = f"the run before this one, {last['run']}, began {before:%Y-%m-%d %H:%M}, this one {begun:%Y-%m-%d %H:%M}"
        if begun < before:
            return [f"the clock went back: {told}; put the machine's clock right"]
        if (ahead := (begun - before).days) > CLOCK_STEP:
            return [f"the clock went {ahead} days ahead: {told}; unless no run was due, put the machine's clock right"]
    return []


def _guarded(run: Run, body: Callable[[Run], None]) -> None:
    report = run.report
    try:
        body(run)
        report.outcome = "ok"
    except TorgsyncError as error:
        report.outcome = "refused" if isinstance(error, NotApproved) else _OUTCOMES.get(error.exit_code, "failed")
        report.exit_code, report.message, report.next_step = error.exit_code, error.message, error.next_step
        if isinstance(error, StateError):
            _without_memory(run)
    except (KeyboardInterrupt, Interrupted) as error:
        _interrupted(run, error)
    except run.options.signals as error:
        _interrupted(run, error)
        raise
    except BaseException as error:
        report.outcome, report.exit_code = "failed", 1
        report.message = scrubbed(run.shop, f"{type(error).__name__}: {error}")
        report.next_step = "run again; if it happens again, report it with the log"
        run.findings.broken = True
        raise
    finally:
        _end(run)


def _end(run: Run) -> None:
    """Record the run, then alert: inside the lock, as what could not be sent is recorded too."""
    try:
        try:
            _finish(run)
        except (KeyboardInterrupt, Interrupted) as error:  # at the very end: the run is recorded all the same
            _interrupted(run, error)
            _finish(run)
    except Exception as error:
        _not_recorded(run, error)
        announce(run)
        if not isinstance(error, TorgsyncError):
            raise
        return
    if warnings := announce(run):
        run.warn(*warnings)
        with suppress(Exception):  # the run is recorded: a warning that cannot be must not fail it
            _finish(run)


def _without_memory(run: Run) -> None:
    """Say what the stores are after the state or the history failed in the middle of a run."""
    if run.findings.plan is None or run.report.purpose == "plan":
        run.report.message += "; nothing was changed in any store"
        return
    run.findings.broken = True
    run.report.message += "; each store is as it was or up to date, the next run brings all of them up to date"


def _not_recorded(run: Run, error: Exception) -> None:
    """The run did its work, and at its end the state could not take that down."""
    report = run.report
    told, next_step = type(error).__name__, "run again"
    if isinstance(error, TorgsyncError):
        told, next_step = error.message, error.next_step
    if not report.message:
        loaded = report.outcome == "ok" and report.purpose != "plan"
        stores = "the stores are up to date, but " if loaded else ""
        report.message, report.next_step = f"{stores}the run could not be recorded: {told}", next_step
    report.outcome, report.exit_code = "failed", report.exit_code or 1
    with suppress(Exception):  # where the state can still be read, the files say the same as the alert
        write_outputs(run)


def _interrupted(run: Run, error: BaseException) -> None:
    report = run.report
    report.outcome, report.exit_code = "interrupted", getattr(error, "exit_code", 130)
    report.message = "stopped by Ctrl-C" if isinstance(error, KeyboardInterrupt) else "stopped by a signal"
    resume = f"{COMMAND} resume {shop_word(run.shop)} {report.run}, or run again"
    report.next_step = resume if run.findings.plan is not None else "run again"
    run.findings.broken = True


def _finish(run: Run) -> None:
    """The report, the files for a person, and the run's row in the state."""
    report = run.report
    report.seconds = run.steps.seconds
    fill_report(run)
    judge(run)
    try:
        write_outputs(run)
    except (OSError, TorgsyncError) as error:
        _outputs_failed(report, error)
    rejected = run.findings.rejected
    run.state.finish_run(report, pd.DataFrame() if rejected is None else rejected)


def _outputs_failed(report: RunReport, error: Exception) -> None:
    """The stores are as the run left them; what failed are the files for a person."""
    told = f"the run's files could not be written: {getattr(error, 'message', error)}"
    report.warnings.append(told)
    if report.outcome == "ok":
        report.outcome, report.exit_code = "failed", 1
        report.message = f"the stores are up to date, but {told}"
        report.next_step = "free space or correct the rights of the output folder, then run again"
