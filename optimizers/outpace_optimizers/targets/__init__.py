"""Targets: what there is to make faster, and how to call it. Nothing here runs or imports the user's code."""
