"""How long a test waits before it gives up."""

PATIENCE = 600.0
"""Seconds that a test waits for what must come: a process, a server, an answer. Only what never comes takes so long, so
no test fails because a machine is slow. pytest's own time limit for a whole test stands above it."""
