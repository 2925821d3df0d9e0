"""Which files are measured without being named: those that say how they are called, and those that a run has called."""

from __future__ import annotations

from pathlib import Path

from outpace_optimizers.captures import captured_in
from outpace_optimizers.workspace import Workspace

MARK = "def get_inputs"


def is_marked(path: Path) -> bool:
    """False for a file that has gone since."""
    try:
        declared = MARK in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return declared or any(target.trouble is None for target in captured_in(Workspace.of(path).state, path))
