"""The hacks of tests/hacks, and a judge that has learned the baseline beside each."""

from __future__ import annotations

import ast
from pathlib import Path

from outpace_audit.checks import registry
from outpace_audit.judge import Judge
from outpace_audit.launcher import arm_launcher
from outpace_audit.records import Code, Workload

HACKS = Path(__file__).parents[1] / "hacks"


def code_of(name: str) -> Code:
    """The last definition of the baseline's file before `get_inputs` is the target."""
    path = HACKS / f"{name}.py"
    body = ast.parse((path.parent / "baseline.py").read_text()).body
    defined = {node.name: node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    entry = "get_init_inputs" if "get_init_inputs" in defined else None
    target = [node for name, node in defined.items() if name not in ("get_inputs", entry)][-1]
    kind = "module" if isinstance(target, ast.ClassDef) else "function"
    return Code(str(path), path.read_text(), target.name, kind, init_entry=entry)


def probes_but(check: str) -> frozenset[str]:
    """What may be off where only this check is to reject: the plain calls are judged all the same."""
    return frozenset(one.name for one in registry.PROBED) - {check}


class Judges:
    """One judge, with the baseline of one folder at a time."""

    def __init__(self, state: Path) -> None:
        self._judge = Judge("cpu", arm_launcher(state, project=HACKS), state)
        self._folder: Path | None = None

    def of(self, name: str) -> Judge:
        folder = (HACKS / name).parent
        if folder != self._folder:
            self._folder = None
            baseline = code_of(str((folder / "baseline").relative_to(HACKS)))
            self._judge.set_target(baseline, [Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")])
            self._folder = folder
        return self._judge

    def close(self) -> None:
        self._judge.__exit__(None, None, None)
