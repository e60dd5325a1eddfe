"""The state database: section numbers, runs, quarantine."""
