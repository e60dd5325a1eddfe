"""Guards: what stops a run before the first write, and what is only told (docs/guards.md, design.md section 4).

``schemas.guards`` declares them. Each measures rows and has a limit of rows; ``--allow GUARD=N`` raises the limit to N
for one run.
"""

from schemas.guards import FEW, GUARDS
from transforms.guards.check import (
    NOTHING,
    allowance,
    check_extract,
    check_quarantine,
    check_violations,
    told_sentences,
)
from transforms.guards.compare import (
    catalogue_violations,
    category_violations,
    drift_violations,
    first_night_violations,
    night_violations,
)
from transforms.guards.limits import Limits
from transforms.guards.rows import (
    extract_violations,
    feed_violations,
    first_feed_violations,
    history_violations,
    number_violations,
    state_violations,
    store_violations,
    taken_violations,
)

__all__ = [
    "FEW",
    "GUARDS",
    "NOTHING",
    "Limits",
    "allowance",
    "catalogue_violations",
    "category_violations",
    "check_extract",
    "check_quarantine",
    "check_violations",
    "drift_violations",
    "extract_violations",
    "feed_violations",
    "first_feed_violations",
    "first_night_violations",
    "history_violations",
    "night_violations",
    "number_violations",
    "state_violations",
    "store_violations",
    "taken_violations",
    "told_sentences",
]
