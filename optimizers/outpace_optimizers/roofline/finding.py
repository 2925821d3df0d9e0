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
from outpace_optimizers.roofline.ceilings import ceilings_of
from outpace_optimizers.roofline.limits import standings
from outpace_optimizers.roofline.records import FORMAT, Roofline
from outpace_optimizers.roofline.remarks import remarks
from outpace_optimizers.roofline.store import digests_of
from outpace_optimizers.targets.loading import FEW, load_target
from outpace_optimizers.workspace import Workspace


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
    notes = [*target.notes, *measured.notes, *([said] if said else []), *remarks(measured, found)]
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
