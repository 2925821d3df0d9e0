"""In a run: what the script imports is imported before it begins, and what it compiles runs as it stands.

Goes in as entering.py has it: the standard library and the script's torch.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import Any

MODULES = "OUTPACE_MODULES"
"""Names with blanks between; `a.b:c` is what `from a.b import c` takes, which modules may load only then."""


def begin() -> None:
    """The project's own modules are not found here: no folder of it is on the path yet."""
    for name in os.environ[MODULES].split():
        with contextlib.suppress(Exception, SystemExit):
            _import(*name.partition(":")[::2])
    if (torch := sys.modules.get("torch")) is not None:
        _compile_nothing(torch)


def _import(module: str, taken: str) -> None:
    if not hasattr(importlib.import_module(module), taken or "__name__"):
        importlib.import_module(f"{module}.{taken}")


def _compile_nothing(torch: Any) -> None:
    """And has torch load what it loads when something is to be compiled for the first time."""
    if hasattr(torch.compiler, "set_stance"):
        torch.compiler.set_stance("force_eager")
    else:  # before 2.6
        importlib.import_module("torch._dynamo").config.disable = True
    torch.compile(_compile_nothing)
