"""The stand-in base of our own, in place of a Torgsoft base: its tables, how it is built, CSV as its input."""
