"""The torgsync command. It only calls the functions that the flows call too."""
