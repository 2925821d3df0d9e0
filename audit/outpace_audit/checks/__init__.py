"""The checks, one module each; `registry.py` has the built-in ones in order."""
