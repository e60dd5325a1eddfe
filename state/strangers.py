"""Whose a state database is: what a shop that was renamed looks like."""

from __future__ import annotations

from sqlalchemy import Engine, select

from state.tables import LOADED, RUNS


def strangers(engine: Engine, shop: str) -> list[str]:
    """The shops that a state database knows, where nothing in it is this shop's; none where something is.

    A run that ended before it had a catalogue does not count: it was refused, or its plan was another shop's.
    """
    runs = select(RUNS.c.shop).where(RUNS.c.catalogue.is_not(None), RUNS.c.catalogue != "").distinct()
    with engine.connect() as connection:
        planned = set(connection.execute(runs).scalars())
        loaded = {str(past).partition("/")[0] for past in connection.execute(select(LOADED.c.shop)).scalars()}
    known = planned | loaded
    return [] if shop in known else sorted(known)
