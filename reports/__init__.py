"""What a run shows to a person: output files, sentences, pages and pictures."""
