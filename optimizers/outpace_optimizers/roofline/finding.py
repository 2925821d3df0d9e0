"""Measures the roofline of one target: ceilings, work, time; says what must be known to read them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outpace_audit.records import Machine
from outpace_audit.roofline.records import Ceilings, Measured
from outpace_optimizers.judge_client import JudgeClient, Judges
from outpace_optimizers.records import Device, OptimizeRequest, Target
from outpace_optimizers.roofline.ceilings import TOO_BUSY, ceilings_of
from outpace_optimizers.roofline.limits import Standing, standings
from outpace_optimizers.roofline.records import FORMAT, Roofline
from outpace_optimizers.roofline.store import digests_of
from outpace_optimizers.targets import FEW, load_target
from outpace_optimizers.workspace import Workspace

APART = 0.1
"""Two processes of the same code that differ by more than this say that the time is not to be trusted."""
BEYOND = 0.95
"""Of its limit: a call that takes less than this is faster than it can be, by more than noise."""


def roofline_of(path: Path, request: OptimizeRequest, tell: Callable[[str], None]) -> Roofline:
    """Of the target of a file or problem folder. `request.fresh` measures the ceilings again, too."""
    target = load_target(path, request.target, request.device or "cpu", FEW)
    workspace, judges = Workspace.of(path), Judges()
    workspace.prepare()

    def hear(kind: str, payload: Any) -> None:
        if kind == "stage":
            tell(str(payload))

    try:
        with judges.judge(request, workspace) as client:
            machine = client.opened()
            device: Device = machine.device
            if device != (request.device or "cpu"):
                target = load_target(path, request.target, device, FEW)
            ceilings, said = ceilings_of(machine, lambda: client.ceilings(hear), fresh=request.fresh)
            measured = _measured(client, target, ceilings, request, hear)
    finally:
        judges.close()
    return _roofline(target, machine, ceilings, measured, said)


def _measured(
    client: JudgeClient, target: Target, ceilings: Ceilings, request: OptimizeRequest, hear: Callable[[str, Any], None]
) -> Measured:
    inference = request.inference or target.inference
    return client.roofline(target.code, target.workloads, ceilings, hear, inference=inference)


def _roofline(target: Target, machine: Machine, ceilings: Ceilings, measured: Measured, said: str) -> Roofline:
    found = standings(measured, ceilings)
    notes = [*target.notes, *measured.notes, *([said] if said else []), *_remarks(measured, found)]
    return Roofline(
        format=FORMAT,
        target=target.name,
        kind=target.code.kind,
        path=target.code.path,
        digests=digests_of(target.code.source, target.name, target.code.kind),
        machine=machine,
        ceilings=ceilings,
        measured=measured,
        calls=target.calls,
        notes=tuple(dict.fromkeys(notes)),
        measured_at=time.time(),
    )


def _remarks(measured: Measured, found: tuple[Standing, ...]) -> list[str]:
    lines: list[str] = []
    if measured.foreign_share is not None and measured.foreign_share > TOO_BUSY:
        lines.append(
            f"other programs used {measured.foreign_share:.0%} of the processors while calls were timed: they are "
            "faster on a quiet machine"
        )
    for one in found:
        lines += [f"{one.workload}: {text}" for text in _remarks_on(one)]
    if measured.compiled:
        lines.append("it uses torch.compile: operators are counted as written, so that no launches can be counted")
    return lines


def _remarks_on(one: Standing) -> list[str]:
    lines: list[str] = []
    if one.time.between > APART:
        lines.append(f"two processes of the same code differ by {one.time.between:.0%}: measure again")
    if one.limits.cached_share > 0.5:
        lines.append(
            f"{one.limits.cached_share:.0%} of what its calls go round in fits the last-level cache: the bandwidth of "
            "the cache limits it, not that of the memory"
        )
    if one.speedup < BEYOND:
        lines.append(
            f"faster than the limit ({1 / one.speedup:.2f} times): the ceilings were measured too low, caches further "
            "in serve it, or it needs less work than was counted; nothing can be said of its distance"
        )
    if one.limits.unlimited:
        lines.append(f"no ceiling was measured for {', '.join(one.limits.unlimited)}: its FLOPs limit nothing here")
    if one.work.uncounted:
        lines.append(f"FLOPs of {', '.join(one.work.uncounted)} are not counted: the limit may be too low")
    return lines
