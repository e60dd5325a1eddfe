"""What the state and the stores both need of SQL databases: URLs, scrubbing, columns, migrations (ADR 15)."""
