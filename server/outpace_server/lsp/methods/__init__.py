"""One file per method of the protocol."""
