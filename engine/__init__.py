"""One night of a shop, and everything that a person can ask for, as plain Python. Never imports Prefect."""
