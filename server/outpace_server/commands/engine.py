"""What commands ask of the engine, as a parameter: tests put their own in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from outpace_optimizers.records import Again, Listener, OptimizeRequest, Report, Trial


@dataclass(frozen=True, slots=True)
class Engine:
    optimize: Callable[[OptimizeRequest, Listener], Report]
    audit_files: Callable[[Path, Path, OptimizeRequest, Listener], Trial]
    audit_solution: Callable[[Path, Path, OptimizeRequest, Listener], Trial]
    """Of a SOL-ExecBench problem's folder and an entry's solution.json."""
    replay: Callable[[str, Path, Again, Listener], Trial]
    """Of a verdict's id or its evidence file, in a project's folder."""
    recheck: Callable[[str, Path, Again, Listener], Trial]
    """The same, of the text as it is now."""
    behind: Callable[[OptimizeRequest, Listener], Report]
    """Like `optimize`, but behind all that somebody waits for."""


def installed_engine() -> Engine:
    """The engine of the workspace that each request is about. Imported on first use: `--help` starts without it."""
    from outpace_audit.codec import decode
    from outpace_optimizers.engine.client import run_job
    from outpace_optimizers.engine.protocol import Job, Priority
    from outpace_optimizers.records import Report, Trial
    from outpace_optimizers.workspace import Workspace

    def optimize(priority: Priority, request: OptimizeRequest, listener: Listener) -> Report:
        return decode(Report, run_job(Workspace.of(Path(request.path)), Job("optimize", request), listener, priority))

    def audit_files(baseline: Path, candidate: Path, request: OptimizeRequest, listener: Listener) -> Trial:
        job = Job("audit", request, candidate=str(candidate))
        return decode(Trial, run_job(Workspace.of(baseline), job, listener))

    def audit_solution(folder: Path, solution: Path, request: OptimizeRequest, listener: Listener) -> Trial:
        job = Job("solution", request, candidate=str(solution))
        return decode(Trial, run_job(Workspace.of(folder), job, listener))

    def repeat(kind: Literal["replay", "recheck"], verdict: str, root: Path, again: Again, listener: Listener) -> Trial:
        job = Job(kind, verdict=verdict, root=str(root), again=again)
        return decode(Trial, run_job(Workspace(root), job, listener))

    return Engine(
        partial(optimize, "interactive"), audit_files, audit_solution, partial(repeat, "replay"),
        partial(repeat, "recheck"), partial(optimize, "background"),
    )  # fmt: skip
