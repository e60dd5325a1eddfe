"""The torgsync command. Thin: the same functions as the flows."""
