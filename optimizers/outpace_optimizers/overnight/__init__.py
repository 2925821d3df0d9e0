"""Hours of `optimize`, unattended: all targets of a folder, one budget, everything written down as it happens."""
