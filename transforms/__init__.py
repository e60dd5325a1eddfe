"""Pure functions, frame in, frame out: no I/O, no clock, no random, no Prefect."""
