"""What writes to an online store: one module per kind of target."""
