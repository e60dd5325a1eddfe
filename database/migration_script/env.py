"""Alembic's entry point for every database of ours: state and SQL stores, each with its own folder of versions."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    target_metadata=None,
    transactional_ddl=True,
)
context.run_migrations()
