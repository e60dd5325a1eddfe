"""What torgsync remembers: the state database, and the history of earlier runs."""
