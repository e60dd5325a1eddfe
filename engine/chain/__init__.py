"""The nightly sync of many shops at once."""
