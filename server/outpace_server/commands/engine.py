"""The three things that commands ask of the optimizer, as a parameter: tests put their own in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outpace_optimizers.records import Listener, OptimizeRequest, Report, Trial


@dataclass(frozen=True, slots=True)
class Engine:
    optimize: Callable[[OptimizeRequest, Listener], Report]
    audit_files: Callable[[Path, Path, OptimizeRequest, Listener], Trial]
    replay: Callable[[str, Path, Listener], Trial]


def installed_engine() -> Engine:
    """Imported on first use: `--help`, `--version` and `doctor` start without it."""
    from outpace_optimizers import loop

    return Engine(loop.optimize, loop.audit_files, loop.replay)
