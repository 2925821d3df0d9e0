"""Rules that propose another training: edits that only seeds can prove."""
