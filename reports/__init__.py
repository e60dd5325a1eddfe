"""What a run tells a person: outputs, report, tree."""
