"""The stand-in base, in place of a Torgsoft base: its tables, its builder, and CSV files as input."""
