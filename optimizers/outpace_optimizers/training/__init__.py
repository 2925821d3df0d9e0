"""Training runs: what the user calls one, how it is run in a tree of its own, and whether an edit makes it better."""
