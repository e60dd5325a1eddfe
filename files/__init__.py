"""Files that appear whole or not at all. Knows nothing of torgsync: every room may import it."""
