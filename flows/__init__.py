"""The main path and its Prefect flow."""
