"""What one run has gathered so far: a run that was stopped reports as much as it has."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from flows.decide import Decided
from schemas.extract import Extract
from schemas.report import RunReport
from schemas.rules import Rules
from schemas.shop import Shop
from transforms.catalogue import Catalogue
from transforms.clean import Clean


@dataclass
class Run:
    """Filled step by step by ``flows.main_path``; ``None`` is a step that was not reached."""

    shop: Shop
    report: RunReport
    rules: Rules | None = None
    raw: Extract | None = None
    cleaned: Clean | None = None
    decided: Decided | None = None
    catalogue: Catalogue | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def quarantine(self) -> pd.DataFrame | None:
        """The rejected rows that are known so far."""
        found = self.decided.clean if self.decided else self.cleaned
        return None if found is None else found.quarantine
