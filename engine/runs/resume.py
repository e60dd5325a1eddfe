"""What goes on with an earlier run: apply a plan file, resume, retry, roll back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from engine.apply import carry_out, check_fresh
from engine.main_path import guard, nobody
from engine.planning import make_plan, plan_unread, settings_fingerprint
from engine.run import OwnCatalogue, Run
from engine.session import AS_USUAL, Setting, run_session
from engine.steps import PlainSteps, Steps
from engine.store_catalogues import take_own
from schemas.command import COMMAND
from schemas.errors import SettingsError, StalePlan, TorgsyncError, closest
from schemas.plan import Plan
from schemas.report import Purpose, RunReport
from schemas.settings.shop import Shop
from state.database import State
from state.history import History, read_plan


def apply_file(
    shop: Shop, path: Path, steps: PlainSteps | None = None, allow: Mapping[str, int] | None = None
) -> RunReport:
    """Do exactly what a plan file lists. A stale plan is refused with the reason, and nothing of it is applied."""
    return _apply(shop, read_plan(path), "apply", "", steps, None, allow, None, f"{COMMAND} apply {path}")


def resume(
    shop: Shop,
    run: str,
    steps: PlainSteps | None = None,
    allow: Mapping[str, int] | None = None,
    do: Steps | None = None,
    ask: Callable[[Run], None] = nobody,
    setting: Setting = AS_USUAL,
) -> RunReport:
    """Go on with a run that was interrupted or failed, by its own plan: what the stores lack of it is done."""
    row = find_run(shop, run)
    return _apply(
        shop,
        _plan_of(shop, row),
        "resume",
        row["run"],
        steps,
        do,
        _allowed(row, allow),
        None,
        _again("resume", shop, row),
        ask,
        setting,
    )


def retry(shop: Shop, run: str, steps: PlainSteps | None = None, allow: Mapping[str, int] | None = None) -> RunReport:
    """Try again only what failed in a run: the stores that refused."""
    row = find_run(shop, run)
    report = row["report"] or {}
    failed = [store["name"] for store in report.get("stores", []) if store["outcome"] == "failed"]
    if not failed:
        raise SettingsError(
            f"no store failed in run {row['run']} ({row['outcome']})",
            _again("resume", shop, row) if row["outcome"] == "interrupted" else "there is nothing to retry",
        )
    return _apply(
        shop,
        _plan_of(shop, row),
        "retry",
        row["run"],
        steps,
        None,
        _allowed(row, allow),
        failed,
        _again("retry", shop, row),
    )


def rollback(
    shop: Shop,
    to: str,
    steps: PlainSteps | None = None,
    do: Steps | None = None,
    allow: Mapping[str, int] | None = None,
    plan_only: bool = False,
    setting: Setting = AS_USUAL,
) -> RunReport:
    """Bring every store back to the catalogue of an earlier run; numbers and bindings stay.

    It must be a run that some store took; where it was for some stores only, these are brought back. Nothing is held:
    what was in the quarantine that night stands in the kept catalogue as the stores had it. The next sync brings the
    stores to the base's state again: mend the base, or pause the schedule, first.
    """
    row = _loaded_run(shop, to)
    steps = steps or PlainSteps()

    def body(run: Run) -> None:
        earlier = run.history.plan(row["run"])
        run.catalogue = run.history.catalogue(row["catalogue"])
        if earlier is not None:
            take_own(run, earlier)
            run.own = {store: OwnCatalogue(own.catalogue, {}) for store, own in run.own.items()}
        _leave_out(run, row, earlier)
        run.plan = steps("plan", make_plan, run, {})
        guard(run)
        if not plan_only:
            carry_out(run, do or steps)

    command = f"{COMMAND} rollback {shop.word} --to {row['run']}"
    purpose: Purpose = "plan" if plan_only else "rollback"
    return run_session(shop, steps, body, purpose, row["run"], allow, command, setting)


def _loaded_run(shop: Shop, run: str) -> dict[str, Any]:
    """A run that some store took, or may have taken before it died, found as ``find_run`` does.

    One that a guard stopped is refused: what was kept out of the stores must not come in by the back door.
    """
    state = State(shop.state_url, shop.name)
    try:
        begun = {now.run for now in state.confirmed().values()} | set(state.written_since(None))
        rows = [row for row in state.runs() if row["purpose"] != "plan" and row["catalogue"]]
    finally:
        state.close()
    loaded = [row for row in rows if row["outcome"] == "ok" or row["run"] in begun or _taken(row)]
    if found := _chosen(loaded, loaded, run):
        return found
    known = ", ".join(row["run"] for row in loaded[:5])
    row = find_run(shop, run)
    raise SettingsError(
        f"run {row['run']} ({row['outcome']}) was not loaded into any store",
        f"choose another: {known}" if known else "no run was loaded yet",
    )


def _taken(row: Mapping[str, Any]) -> list[str]:
    """The stores that took a run's catalogue, by its report."""
    return [store["name"] for store in (row["report"] or {}).get("stores", []) if store["outcome"] == "ok"]


def _leave_out(run: Run, row: Mapping[str, Any], earlier: Plan | None) -> None:
    """Let a rollback to a run for some stores only touch no other one.

    A run that died, or was made before reports said it, is asked by its plan: a store that it lacks was left out if an
    earlier run had loaded it; if none had, shop.toml got it later, and it is brought back with the others.
    """
    report = row["report"] or {}
    then = set(report.get("only") or ([store.store for store in earlier.stores] if earlier else []))
    if "only" in report:
        known = then | ({store.name for store in run.shop.stores} if report["only"] else set())
    else:
        known = then | {s for r in run.state.runs() if r["sequence"] < row["sequence"] for s in _taken(r)}
    left = [store.name for store in run.shop.stores if then and store.name in known - then]
    if not left:
        return
    told = f"run {row['run']} was for {', '.join(sorted(then))} only"
    run.only = tuple(store.name for store in run.shop.stores if store.name not in left)
    if not run.only:  # it would stand for all
        raise SettingsError(f"{told}, which the shop has no more", f"choose another: {COMMAND} runs")
    run.warnings.append(f"{told}: {', '.join(left)} stays as it is")


def _again(what: str, shop: Shop, row: Mapping[str, Any]) -> str:
    return f"{COMMAND} {what} {shop.word} {row['run']}"


def find_run(shop: Shop, run: str, plans: bool = False) -> dict[str, Any]:
    """The row of a run by its name, by the beginning of it, or ``last``; those that only planned with ``plans``.

    Raises SettingsError with what there is.
    """
    state = State(shop.state_url, shop.name)
    try:
        rows = [row for row in state.runs() if plans or row["purpose"] != "plan"]
    finally:
        state.close()
    refused = ("apply", "resume", "retry")  # without a catalogue: they were refused, and are not what one goes on with
    last = [row for row in rows if plans or row["catalogue"] or row["purpose"] not in refused]
    if found := _chosen(rows, last, run):
        return found
    known = [str(row["run"]) for row in rows]
    raise SettingsError(f'shop {shop.name} has no run "{run}"', closest(run, known[:20]) if known else "run sync first")


def _chosen(rows: Sequence[dict[str, Any]], last: Sequence[dict[str, Any]], run: str) -> dict[str, Any] | None:
    """The one of ``rows`` whose name this is, or begins so; the first of ``last`` for that word; None for no run."""
    found = list(last[:1]) if run == "last" else [row for row in rows if row["run"].startswith(run)]
    if len(found) > 1 and found[0]["run"] != run:
        names = ", ".join(row["run"] for row in found[:5])
        raise SettingsError(f'several runs begin with "{run}": {names}', "give the whole name")
    return found[0] if found else None


def run_of_night(shop: Shop, night: date | None) -> str:
    """The last run of a night, by its date, that every store took: what a rollback to that night goes back to.

    Raises SettingsError with the nights that there are.
    """
    state = State(shop.state_url, shop.name)
    try:
        ended = [row for row in state.runs() if row["outcome"] == "ok" and row["purpose"] != "plan"]
    finally:
        state.close()
    loaded = [(row["started_at"][:10], str(row["run"])) for row in ended if row["catalogue"]]
    found = [run for date_, run in loaded if night is not None and date_ == night.isoformat()]
    if found:
        return found[0]
    nights = list(dict.fromkeys(date_ for date_, _ in loaded))
    asked = "no night was given" if night is None else f"no run of shop {shop.name} was loaded on {night}"
    raise SettingsError(asked, f"nights to go back to: {', '.join(nights[:20])}" if nights else "run sync first")


def of_flow_run(shop: Shop, flow_run: str) -> str | None:
    """The run to go on with when a Prefect flow run is retried: its last one, where that has a plan and did not end.

    None where there is none: a run that a guard or a person stopped begins anew, as the base may have been mended.
    """
    state = State(shop.state_url, shop.name)
    try:
        mine = [row for row in state.runs() if flow_run and row["flow_run"] == flow_run and row["purpose"] != "plan"]
    finally:
        state.close()
    begun = ("running", "interrupted", "failed", "some stores failed")
    if not mine or mine[0]["outcome"] not in begun or History(shop.folder / "history").plan(mine[0]["run"]) is None:
        return None
    return str(mine[0]["run"])


def _allowed(row: Mapping[str, Any], allow: Mapping[str, int] | None) -> dict[str, int]:
    return {**(row["allowed"] or {}), **(allow or {})}


def _plan_of(shop: Shop, row: Mapping[str, Any]) -> Plan:
    plan = History(shop.folder / "history").plan(row["run"])
    if plan is None:
        raise SettingsError(
            f"run {row['run']} ended before it had a plan ({row['outcome']}): it wrote nothing to any store",
            f"{COMMAND} sync {shop.word}",
        )
    return plan


def _apply(
    shop: Shop,
    plan: Plan,
    purpose: Purpose,
    continues: str,
    steps: PlainSteps | None,
    do: Steps | None,
    allow: Mapping[str, int] | None,
    only: Collection[str] | None,
    command: str,
    ask: Callable[[Run], None] = nobody,
    setting: Setting = AS_USUAL,
) -> RunReport:
    steps = steps or PlainSteps()

    def body(run: Run) -> None:
        _check_plan(run, plan)
        run.plan = plan
        run.catalogue = run.history.catalogue(plan.catalogue)
        take_own(run, plan)
        if plan.extract:
            run.raw = run.history.extract(plan.extract)
        if continues:  # a plan file is applied as it is; a run goes on with the stores that it could not reach
            run.plan = (do or steps)("plan", plan_unread, run)
        (do or steps)("check", check_fresh, run, only)
        guard(run)
        ask(run)
        carry_out(run, do or steps, only)

    return run_session(shop, steps, body, purpose, continues, allow, command, setting)


def _check_plan(run: Run, plan: Plan) -> None:
    """Raise StalePlan where the plan does not fit the shop, its settings or its state any more."""
    again = f"make a new plan: {COMMAND} plan {run.shop.word}"
    if plan.shop != run.shop.name:
        raise TorgsyncError(f"the plan is for shop {plan.shop}, not {run.shop.name}", "give the right shop")
    if plan.settings != settings_fingerprint(run.shop):
        raise StalePlan("shop.toml or the rules were changed since the plan was made", again)
    loaded = run.state.loaded()
    base = loaded.run if loaded else ""
    if base != plan.base and (loaded is None or loaded.plan != plan.fingerprint):
        raise StalePlan(
            f"run {base or 'none'} was loaded since the plan was made (it knew {plan.base or 'none'})", again
        )
