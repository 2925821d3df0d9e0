"""What a run looks like: plain lines, a live terminal, or one JSON document."""
