"""What this machine can do, found out without importing torch here: every probe is a process of its own."""
