"""Where a script's step goes: recording it, reading traces, giving time to code, ranking what it would pay to mend."""
