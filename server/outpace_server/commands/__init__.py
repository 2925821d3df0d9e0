"""One module per command: `add_parser` declares its options, `run` works and returns the exit status."""
