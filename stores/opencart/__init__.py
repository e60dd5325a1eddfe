"""OpenCart 3.0, 4.0 and 4.1 and ocStore, through their database (docs/opencart.md)."""
