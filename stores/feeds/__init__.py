"""Writers of feeds: YML, Google, the sync file, CSV and JSON."""
