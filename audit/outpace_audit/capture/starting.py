"""Starts the tracer inside a process that `outpace capture` has begun, before the user's script has its turn."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER = "OUTPACE_CAPTURE_FOLDER"
ROOT = "OUTPACE_CAPTURE_ROOT"
SITE = """\
from outpace_audit.capture.starting import begin

begin(__file__)
"""
"""What `sitecustomize.py` says: Python imports it at every start, before the script and whatever its form."""
OLDEST = (3, 10)
STARTED = ".started"
"""Ending of the empty file by which a process says that the tracer is in it."""


def begin(own_site: str) -> None:
    """Also lets the `sitecustomize` that ours stands before have its say."""
    folder, root = os.environ.get(FOLDER), os.environ.get(ROOT)
    if folder and root and sys.version_info >= OLDEST and os.environ.get("RANK", "0") == "0":
        from outpace_audit.capture.tracer import Tracer

        Path(folder, f"{os.getpid()}{STARTED}").touch()
        Tracer(Path(folder), Path(root)).install()
    _run_next_site(Path(own_site).resolve())


def _run_next_site(own: Path) -> None:
    for place in sys.path:
        path = Path(place or ".") / "sitecustomize.py"
        if path.is_file() and path.resolve() != own:
            exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), {"__name__": "sitecustomize"})
            return
