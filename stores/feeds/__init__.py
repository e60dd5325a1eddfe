"""Writers of feed files."""
