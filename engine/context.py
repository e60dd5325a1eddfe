"""What surrounds a run: the shop, what it remembers, who started it and how each step is run. Nothing here fills up
later but ``report`` and ``findings``, which no step of the main path reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.memory import Memory
from engine.stages import Findings
from engine.steps import Steps
from schemas.report import Purpose, RunReport
from schemas.settings.shop import Shop
from schemas.settings.stores import StoreSettings
from state.database import State
from state.history import History


@dataclass(frozen=True)
class RunOptions:
    """What a person or a host decides about one run.

    ``allow``: guards that may pass, each up to so many rows. ``stores``: only these, by name; None means all.
    ``wait_seconds``: how long to wait for a shop that another run holds. ``flow_run``: id of the Prefect flow run that
    it is. ``signals``: what a host raises to end the process, beside our own Interrupted; it passes through once the
    run is recorded as interrupted.
    """

    allow: Mapping[str, int] = field(default_factory=dict)
    stores: tuple[str, ...] | None = None
    wait_seconds: float = 0.0
    flow_run: str = ""
    signals: tuple[type[BaseException], ...] = ()


@dataclass(frozen=True)
class RunKind:
    """What a run is for. ``continues``: the earlier run that it goes on with, or goes back to. ``command``: what a
    person types to do the same again; empty for the usual one of its purpose.
    """

    purpose: Purpose = "sync"
    continues: str = ""
    command: str = ""


@dataclass(frozen=True)
class Run:
    """One run of one shop. ``stores`` are those that it may touch, ``command`` is what a person types to repeat it."""

    shop: Shop
    report: RunReport
    state: State
    history: History
    memory: Memory
    steps: Steps
    options: RunOptions
    stores: tuple[StoreSettings, ...]
    command: str
    findings: Findings = field(default_factory=Findings)

    @property
    def name(self) -> str:
        """The run's name, as in ``20261123-023000-1a2b3c4d``."""
        return self.report.run

    def warn(self, *sentences: str) -> None:
        """Add sentences to the report's warnings."""
        self.findings.warnings.extend(sentences)
