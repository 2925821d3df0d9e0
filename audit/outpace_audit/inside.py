"""How code of ours gets into the user's own script: through `sitecustomize`, which Python imports at every start."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER = "OUTPACE_RUN_FOLDER"
ROOT = "OUTPACE_RUN_ROOT"
OLDEST = (3, 10)
STARTED = ".started"
"""Ending of the empty file by which a process says that we are in it."""


def site_text(module: str) -> str:
    """What `sitecustomize.py` says: Python imports it before the script, whatever the script's form."""
    return f"from {module} import begin\n\nbegin(__file__)\n"


def places(*, all_ranks: bool = False) -> tuple[Path, Path] | None:
    """Where to write and the user's project, if this process is to be looked into: of several ranks, rank 0 or all."""
    folder, root = os.environ.get(FOLDER), os.environ.get(ROOT)
    other_rank = not all_ranks and os.environ.get("RANK", "0") != "0"
    if not folder or not root or sys.version_info < OLDEST or other_rank:
        return None
    Path(folder, f"{os.getpid()}{STARTED}").touch()
    return Path(folder), Path(root)


def run_next_site(own_site: str) -> None:
    """Lets the `sitecustomize` that ours stands before have its say."""
    own = Path(own_site).resolve()
    for place in sys.path:
        path = Path(place or ".") / "sitecustomize.py"
        if path.is_file() and path.resolve() != own:
            exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), {"__name__": "sitecustomize"})
            return
