"""A recorded profile of a project, without a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from outpace_audit.records import Machine
from outpace_optimizers.profiles.code_names import digest_of, forget_files
from outpace_optimizers.profiles.names import RUN
from outpace_optimizers.profiles.records import FORMAT, Portion, Profile, Target
from outpace_optimizers.profiles.store import Place, keep_profile, new_place
from outpace_optimizers.workspace import Workspace, write_atomically


def plant_profile(
    root: Path,
    machine: Machine | None,
    parts: Mapping[tuple[str, str], float],
    *,
    trains: bool = False,
    **differing: Any,
) -> Place:
    """Of a step of one second. `parts`: seconds of functions, by file and name; they are as they are now. Where the
    script `trains`, half of that is the backward pass."""
    workspace = Workspace(root)
    workspace.prepare()
    forget_files()
    real = root.resolve()
    targets = tuple(
        Target(
            "function",
            name,
            taken,
            taken / 2 if trains else 0.0,
            taken,
            1.0,
            str(real / file),
            1,
            digest_of(str(real / file), name),
        )
        for (file, name), taken in parts.items()
    )
    main = real / next(file for file, _ in parts)
    files = {file: hashlib.sha256((real / file).read_bytes()).hexdigest() for file, _ in parts}
    run = {"main": str(main), "files": files, "machine": asdict(machine) if machine else None, "command": "python x"}
    place = new_place(workspace.state, str(main))
    fields: dict[str, Any] = {
        "format": FORMAT, "trace": str(root / "trace.pt.trace.json"), "steps": 3, "step_s": 1.0,
        "profiled_step_s": 1.0, "plain_step_s": None, "step_by": "", "attributed_s": 1.0, "unattributed": (),
        "targets": targets, "kernels": (), "breakdown": (), "waits": (), "copies": (),
        "zeroing": Portion("zero_grad", 0.0), "optimizer": (), "loader": "", "device": None, "run": run,
    }  # fmt: skip
    write_atomically(place.file(RUN), json.dumps(run))
    keep_profile(place, Profile(**(fields | differing)))
    return place
