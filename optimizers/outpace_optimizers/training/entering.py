"""The `sitecustomize` of a run into which code of ours goes: begins what lies beside it, in each Python that starts."""

from __future__ import annotations

import sys
from pathlib import Path

INSIDE = "outpace_inside"
"""The name that this code has there."""


def run_next_site() -> None:
    """Lets the `sitecustomize` that this stands before have its say."""
    own = Path(__file__).resolve()
    for place in sys.path:
        path = Path(place or ".") / "sitecustomize.py"
        if path.is_file() and path.resolve() != own:
            exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), {"__name__": "sitecustomize"})
            return


if __name__ == "sitecustomize":
    __import__(INSIDE).begin()
    run_next_site()
