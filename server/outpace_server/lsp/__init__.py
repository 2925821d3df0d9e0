"""The language server: answers from memory, and lets the engine do the work. Nothing here imports torch or LibCST."""
