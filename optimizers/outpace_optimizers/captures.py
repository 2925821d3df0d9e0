"""What captured runs have shown of a project: one file for each target, the newest run's, under `.outpace/captures`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from outpace_audit.records import content_id
from outpace_optimizers.workspace import write_atomically

FOLDER = "captures"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class CapturedTarget:
    """One function or module and how it was called. `seconds` are the host's, from call to return, over all calls.

    `trouble`: why it cannot be called again; `workloads` as the tracer writes them (outpace_audit.capture.recording).
    """

    path: str
    name: str
    kind: str
    parameters: tuple[str, ...]
    calls: int
    seconds: float
    trouble: str | None
    constructor: list[Any] | None
    dtype: str | None
    script: bool
    globals: Mapping[str, Any]
    workloads: tuple[Mapping[str, Any], ...]
    further: int
    command: str
    """What was run."""


def keep(state: Path, targets: Iterable[CapturedTarget]) -> None:
    """Each replaces what an earlier run has shown of the same target."""
    folder = state / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for target in targets:
        text = json.dumps({"format": FORMAT, **asdict(target)})
        write_atomically(folder / f"{content_id(target.path)}-{content_id(target.name)}.json", text)


def captured_in(state: Path, path: Path) -> list[CapturedTarget]:
    """Targets of one file, the one that took most time first. What cannot be read is as if it were not there."""
    files = sorted((state / FOLDER).glob(f"{content_id(str(path.resolve()))}-*.json"))
    found = [target for file in files if (target := _read(file)) is not None]
    return sorted(found, key=lambda target: -target.seconds)


def files_to_optimize(state: Path) -> list[Path]:
    """Those with a captured target that can be called again, the one that took most time first; gone ones left out."""
    read = (_read(file) for file in (state / FOLDER).glob("*.json"))
    found = [target for target in read if target is not None and target.trouble is None]
    paths = [Path(target.path) for target in sorted(found, key=lambda target: -target.seconds)]
    return [path for path in dict.fromkeys(paths) if path.exists()]


def _read(file: Path) -> CapturedTarget | None:
    try:
        message: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if message.pop("format") != FORMAT:
            return None
        message |= {name: tuple(message[name]) for name in ("parameters", "workloads")}
        return CapturedTarget(**message)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
