"""Who is told of a run, and how the message gets there."""
