"""Prefect only: flows, tasks, forms, states, deployments, the local server. Each flow wraps a function of engine."""
