"""Where outpace keeps what it knows of a project: the `.outpace` folder, and the verdicts in it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from outpace_audit.codec import code_from_json, idea_from_json, verdict_from_json, workload_from_json
from outpace_audit.errors import EnvironmentMissing, TargetError
from outpace_audit.records import Idea, Verdict
from outpace_optimizers.records import Target

ROOT_MARKS = (".outpace", ".git", "pyproject.toml", "setup.py")


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """Everything a replay needs."""

    target: Target
    idea: Idea
    verdict: Verdict
    inference: bool
    policy: str
    confirmations_before: int
    whole_file: bool


class Workspace:
    """The project that a file belongs to. `OUTPACE_STATE` moves the state folder elsewhere."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = Path(os.environ["OUTPACE_STATE"]) if os.environ.get("OUTPACE_STATE") else root / ".outpace"

    @classmethod
    def of(cls, path: Path) -> Workspace:
        start = path.resolve()
        start = start if start.is_dir() else start.parent
        root = next(
            (folder for folder in (start, *start.parents) if any((folder / m).exists() for m in ROOT_MARKS)),
            start,
        )
        return cls(root)

    def prepare(self) -> None:
        """Makes the state folder, ignored by git from inside. Raises EnvironmentMissing where it cannot be written."""
        try:
            (self.state / "verdicts").mkdir(parents=True, exist_ok=True)
            _write_atomically(self.state / ".gitignore", "*\n")
        except OSError as error:
            raise EnvironmentMissing(
                f"{self.state} cannot be written ({error.strerror}): set OUTPACE_STATE to a folder that can"
            ) from error

    def store(self, trial: StoredTrial) -> Path:
        path = self.state / "verdicts" / f"{trial.verdict.id}.json"
        _write_atomically(path, json.dumps(asdict(trial), indent=1))
        return path

    def find(self, reference: str) -> StoredTrial:
        """A stored trial by its id, or by the path of its file."""
        path = Path(reference)
        if not path.is_file():
            path = self.state / "verdicts" / f"{reference}.json"
        if not path.is_file():
            raise TargetError(
                f"no verdict {reference!r} in {self.state / 'verdicts'}: name an id printed by optimize, or a file"
            )
        try:
            return _stored(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            raise TargetError(
                f"{path}: not a verdict of this version of outpace ({error}); run optimize again"
            ) from error


def _stored(message: dict[str, Any]) -> StoredTrial:
    target = message["target"]
    workloads = tuple(workload_from_json(workload) for workload in target["workloads"])
    fields: dict[str, Any] = {
        **message,
        "target": Target(code_from_json(target["code"]), workloads, tuple(target["notes"])),
        "idea": idea_from_json(message["idea"]),
        "verdict": verdict_from_json(message["verdict"]),
    }
    return StoredTrial(**fields)


def _write_atomically(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
