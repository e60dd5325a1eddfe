"""Earlier runs: find, show, explain, resume, roll back, replay."""
