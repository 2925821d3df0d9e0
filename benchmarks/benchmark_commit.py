"""Of which program a result is."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str:
    """The tree's, with `-dirty` where files differ from it; nothing outside a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
