"""One run from its start to its end: the shop is held, the run is recorded, its report is written whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pandas as pd

from engine.alerts.alerts import announce, announce_refused, judge
from engine.lock import hold
from engine.outputs import write_outputs
from engine.run import Run
from engine.run_report import fill_report
from engine.secrets import scrubbed
from engine.setup.shops import shop_word
from engine.steps import PlainSteps
from schemas.errors import Interrupted, NotApproved, SettingsError, ShopBusy, TorgsyncError, closest
from schemas.report import Outcome, Purpose, RunReport
from schemas.settings.shop import Shop
from state.database import State
from state.history import History
from state.url import state_url
from transforms.guards import GUARDS
from transforms.redirects import CLOCK_STEP

_OUTCOMES: dict[int, Outcome] = {3: "guard stop", 4: "some stores failed", 5: "quarantine over its limit"}


@dataclass(frozen=True)
class Setting:
    """What surrounds a run: who started it, and what it may touch.

    ``stores``: only these, by name; none means all. ``wait``: seconds for which a shop that another run holds is
    waited for. ``flow_run``: id of the Prefect flow run that it is. ``signals``: what a host raises to end the process,
    beside our own Interrupted; it passes through once the run is recorded as interrupted.
    """

    stores: tuple[str, ...] = ()
    wait: float = 0.0
    flow_run: str = ""
    signals: tuple[type[BaseException], ...] = ()


AS_USUAL = Setting()


def now() -> datetime:
    """The moment at which a run begins, in local time: its date is the run's night."""
    return datetime.now().astimezone()


def run_session(
    shop: Shop,
    steps: PlainSteps,
    body: Callable[[Run], None],
    purpose: Purpose = "sync",
    continues: str = "",
    allow: Mapping[str, int] | None = None,
    command: str = "",
    setting: Setting = AS_USUAL,
) -> RunReport:
    """Do ``body`` as a run of the shop and return its report, also when it was stopped.

    ``command`` is what one types to do it again, for messages. Raises ShopBusy when another run holds the shop; errors
    that are not ours pass through, after the report.
    """
    for guard in allow or {}:
        if guard not in GUARDS:
            raise SettingsError(f'no guard "{guard}" that can be allowed', closest(guard, list(GUARDS)))
    names = [store.name for store in shop.stores]
    for store in setting.stores:
        if store not in names:
            raise SettingsError(f'shop {shop.name} has no store "{store}"', closest(store, names))
    try:
        with hold(shop, setting.wait):
            return _recorded(shop, steps, body, purpose, continues, allow or {}, command, setting)
    except ShopBusy:
        raise
    except TorgsyncError as error:  # what happens inside a run is in its report: this one has not begun
        announce_refused(shop, purpose, error)
        raise


def _recorded(
    shop: Shop,
    steps: PlainSteps,
    body: Callable[[Run], None],
    purpose: Purpose,
    continues: str,
    allow: Mapping[str, int],
    command: str,
    setting: Setting,
) -> RunReport:
    state = State(state_url(shop), shop.name)
    try:
        if purpose != "apply":  # a plan file names its shop: it tells by itself that it is another's
            refuse_renamed(shop, state)
        begun = now()
        name = f"{begun:%Y%m%d-%H%M%S}-{uuid4().hex[:8]}"
        started = begun.isoformat("T", "milliseconds")
        report = RunReport(run=name, shop=shop.name, purpose=purpose, continues=continues, started_at=started)
        again = command or " ".join(
            [f"torgsync {purpose} {shop_word(shop)}", *(f"--store {s}" for s in setting.stores)]
        )
        history = History(shop.folder / "history")
        run = Run(shop, report, state, history, allow, again, setting.stores, progress=steps.progress)
        run.warnings += [*shop.warnings, *_clock(begun, state)]
        state.start_run(report, setting.flow_run)
        _guarded(run, steps, body, setting)
    finally:
        state.close()
    return report


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


def _guarded(run: Run, steps: PlainSteps, body: Callable[[Run], None], setting: Setting) -> None:
    report = run.report
    try:
        body(run)
        report.outcome = "ok"
    except TorgsyncError as error:
        report.outcome = "refused" if isinstance(error, NotApproved) else _OUTCOMES.get(error.exit_code, "failed")
        report.exit_code, report.message, report.next_step = error.exit_code, error.message, error.next_step
    except (KeyboardInterrupt, Interrupted) as error:
        _interrupted(run, error)
    except setting.signals as error:
        _interrupted(run, error)
        raise
    except BaseException as error:
        report.outcome, report.exit_code = "failed", 1
        report.message = scrubbed(run.shop, f"{type(error).__name__}: {error}")
        report.next_step = "run again; if it happens again, report it with the log"
        run.broken = True
        raise
    finally:
        _end(run, steps)


def _end(run: Run, steps: PlainSteps) -> None:
    """Record the run, then tell those who have to know: inside the lock, as what could not be sent is recorded too."""
    try:
        try:
            _finish(run, steps)
        except (KeyboardInterrupt, Interrupted) as error:  # at the very end: the run is recorded all the same
            _interrupted(run, error)
            _finish(run, steps)
    except Exception as error:
        report = run.report
        report.outcome, report.exit_code = "failed", report.exit_code or 1
        report.message = report.message or f"the run could not be recorded: {type(error).__name__}"
        announce(run)
        raise
    if warnings := announce(run):
        run.warnings += warnings
        with suppress(Exception):  # the run is recorded: a warning that cannot be must not fail it
            _finish(run, steps)


def _interrupted(run: Run, error: BaseException) -> None:
    report = run.report
    report.outcome, report.exit_code = "interrupted", getattr(error, "exit_code", 130)
    report.message = "stopped by Ctrl-C" if isinstance(error, KeyboardInterrupt) else "stopped by a signal"
    report.next_step = f"torgsync resume {shop_word(run.shop)} {report.run}, or run again" if run.plan else "run again"
    run.broken = True


def _finish(run: Run, steps: PlainSteps) -> None:
    """The report, the files for a person, and the run's row in the state."""
    report = run.report
    report.seconds = steps.seconds
    fill_report(run)
    judge(run)
    try:
        write_outputs(run)
    except (OSError, TorgsyncError) as error:
        _outputs_failed(report, error)
    rejected = run.quarantine
    run.state.finish_run(report, pd.DataFrame() if rejected is None else rejected)


def _outputs_failed(report: RunReport, error: Exception) -> None:
    """The stores are as the run left them; what failed are the files for a person."""
    told = f"the run's files could not be written: {getattr(error, 'message', error)}"
    report.warnings.append(told)
    if report.outcome == "ok":
        report.outcome, report.exit_code = "failed", 1
        report.message = f"the stores are up to date, but {told}"
        report.next_step = "free space or correct the rights of the output folder, then run again"
