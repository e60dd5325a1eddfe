"""Reads Torgsoft: the Firebird base (only ever read), the stand-in base and real sync files."""
