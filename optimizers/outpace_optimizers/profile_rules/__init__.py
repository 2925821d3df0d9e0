"""Rules that read a profile: each says what slows a step down, with what the trace shows of it. None edits anything."""
