"""Runs the user's command with the profiler inside, and keeps what it recorded."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outpace_audit.errors import OutpaceError
from outpace_audit.profiling.plan import ALREADY, CLAIM, IDLE, RUN, TRACE, Plan
from outpace_audit.profiling.starting import PLAN
from outpace_optimizers.profiles.store import Place, keep_recording, new_place
from outpace_optimizers.running import End, Inside, run_command, with_inside
from outpace_optimizers.workspace import Workspace

QUIET = {"KINETO_LOG_LEVEL": "99"}
"""Kineto reports its own doings on stderr, between what the script prints."""
GRACE_S = 10.0
"""For a script that ends by itself once it is told that the window is over."""


NO_STEP = {
    "optimizer": "no torch.optim optimizer stepped",
    "call": "no nn.Module was called",
    "auto": "no torch.optim optimizer stepped, no gradient was taken, and no nn.Module was called",
}


class NothingRecorded(OutpaceError):  # noqa: N818  # the message carries the error
    """The run showed no steps; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Recording:
    """`status` of the command as shells have it."""

    place: Place
    run: dict[str, Any]
    status: int
    end: End


def record(command: Sequence[str], workspace: Workspace, plan: Plan, limit_s: float | None) -> Recording:
    """Raises TargetError where there is no such command, NothingRecorded where it came to no trace."""
    workspace.prepare()
    with with_inside("outpace_audit.profiling.starting", workspace) as inside:

        def done() -> float | None:
            run = _run_of(inside)
            if not plan.stop or run is None or run["trouble"]:
                return None
            return GRACE_S if run["ends"] else 0.0

        environ = {**QUIET, **inside.environ, PLAN: plan.write()}
        status, end = run_command(command, environ, limit_s, "outpace profile", done)
        run = _run_of(inside)
        if run is None or not run["recorded"] or not run["complete"]:
            raise NothingRecorded(_why_nothing(inside, run, plan, status, end))
        run["command"] = shlex.join(command)
        place = new_place(workspace.state, str(run["main"] or command[0]))
        keep_recording(place, inside.raw / TRACE, run)
    return Recording(place, run, status, end)


def _run_of(inside: Inside) -> dict[str, Any] | None:
    try:
        return json.loads((inside.raw / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _why_nothing(inside: Inside, run: dict[str, Any] | None, plan: Plan, status: int, end: End) -> str:
    ended = {"time": "it was interrupted (--time)", "interrupted": "it was interrupted"}.get(
        end, f"it ended with status {status}" if status else "it ended"
    )
    broke = end == "ended" and status != 0
    if run is not None and run["trouble"]:
        already = "; the script profiles itself: read its trace instead" * (ALREADY in run["trouble"])
        return f"nothing was recorded: torch.profiler failed in the script: {run['trouble']}{already}"
    if run is not None and run["steps"] >= plan.needed:
        return (
            f"nothing was recorded: {ended} while its trace was being written: steps of so many calls take long; "
            "record fewer with --steps, or give more --time"
        )
    if run is not None:
        longer = "make it run through without `outpace profile` first" if broke else "let it run longer"
        return (
            f"nothing was recorded: {ended} after {run['steps']} steps ({run['by']} {run['of']}), of {plan.needed} "
            f"needed; {longer}, or need fewer with --warmup, --timed and --steps"
        )
    if not inside.started:
        return (
            "nothing was recorded: the command started no Python 3.10 or newer, or started one without our PYTHONPATH "
            "(options -I, -E and -S, or another PYTHONPATH; set yours before `outpace profile`)"
        )
    if broke and not (inside.raw / CLAIM).exists():
        return (
            f"nothing was recorded: the command {ended.removeprefix('it ')} before its first step; make it run without "
            "`outpace profile` first (what it said is above)"
        )
    if not any(inside.raw.glob(f"*{IDLE}")):
        return f"nothing was recorded: the command imported no torch, and {ended}"
    if (inside.raw / CLAIM).exists():
        return (
            f"nothing was recorded: the script made steps, and {ended} before the window did: it was killed, crashed, "
            "or left by os._exit; let it run longer, or need fewer steps with --warmup, --timed and --steps"
        )
    return f"nothing was recorded: {NO_STEP[plan.by]} before {ended}; that is what ends a step (--by)"


def trace_name(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".json").removesuffix(".pt.trace")
