"""Earlier runs: found, shown, gone on with, gone back to, judged again."""
