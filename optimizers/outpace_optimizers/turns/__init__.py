"""Whose turn it is: what proposers have cost and brought so far decides. docs/loop.md says how."""
