"""Reads a Torgsoft base: client, connection, catalog, schema map, extract. The base is only ever read."""
