"""Alerts: which run sends one, to whom, and how."""
