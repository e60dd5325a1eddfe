"""What an integrator asks before the first night: a new shop, and whether all that a run needs is there."""
