"""The trial of an evidence file, made ready to be measured here: another machine, another copy of the project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from outpace_audit.errors import EvidenceError
from outpace_audit.records import Verdict
from outpace_optimizers.evidence import Evidence, Project
from outpace_optimizers.source import base_hash
from outpace_optimizers.stored_trial import StoredTrial


@dataclass(frozen=True, slots=True)
class Placed:
    """`notes` say what is not as it was."""

    trial: StoredTrial
    notes: tuple[str, ...]


def place(evidence: Evidence, root: Path, where: str) -> Placed:
    """The trial with its files moved to where they would stand in `root`.

    Only the sources under test travel with evidence: what they import of their project has to be there, or
    EvidenceError says what is missing. What would run outside the sandbox is never taken from a file: the interpreter,
    checks of third parties, the leave to do without a sandbox.
    """
    project, trial = evidence.project, evidence.trial
    code = replace(trial.target.code, path=_moved(trial.target.code.path, project, root))
    patch = replace(trial.idea.patch, path=_moved(trial.idea.patch.path, project, root))
    notes: list[str] = []
    for name, expected in project.files.items():
        path = root / name
        if str(path) in (code.path, patch.path):
            continue
        if not path.is_file():
            raise EvidenceError(
                f"{where}: {Path(code.path).name} imports {name} of the project that it was measured in, which {root} "
                "lacks: name a copy of that project with --workspace"
            )
        if base_hash(path.read_bytes().decode("utf-8", "surrogateescape")) != expected:
            notes.append(f"{name} differs from the one that was measured")
    if trial.checks:
        notes.append(
            f"recorded with checks of third parties, which are not loaded from a file: {', '.join(trial.checks)}"
        )
    target, idea = replace(trial.target, code=code), replace(trial.idea, patch=patch)
    safe = replace(trial, target=target, idea=idea, python="", unsandboxed=False, checks=())
    return Placed(safe, tuple(notes))


def _moved(path: str, project: Project, root: Path) -> str:
    old = Path(path)
    inside = old.relative_to(project.root) if old.is_relative_to(project.root) else Path(old.name)
    return str(root / inside)


def recorded(verdict: Verdict) -> str:
    """What the record says, beside what is measured now."""
    said = "accepted" if verdict.accepted else f"rejected ({verdict.reason})"
    if verdict.speedup is not None and verdict.interval is not None:
        low, high = verdict.interval
        said += f", {verdict.speedup:.2f}× [{low:.2f}, {high:.2f}]"
    return f"recorded before: {said} on {verdict.machine.name}, torch {verdict.machine.torch}"
