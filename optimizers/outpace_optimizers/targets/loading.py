"""The target that a path names: one of a Python file, or a benchmark's problem."""

from __future__ import annotations

from pathlib import Path

from outpace_audit.errors import TargetError
from outpace_optimizers.records import Device, Target
from outpace_optimizers.targets.python_file import load_python_file
from outpace_optimizers.targets.sol_execbench import FEW, is_problem_folder, load_problem_folder


def load_target(
    path: Path, name: str | None, device: Device, workload_limit: int | None = FEW, *, by_hash: bool = False
) -> Target:
    """The target of a Python file (`name` or the obvious one) or of a SOL-ExecBench problem folder.

    `device` decides how large a benchmark's workloads may be; `workload_limit` None takes all of them,
    `by_hash` chooses without regard to their sizes.
    """
    if not path.exists():
        raise TargetError(f"{path}: no such file or folder")
    if path.is_dir():
        if is_problem_folder(path):
            return load_problem_folder(path, name, device, workload_limit, by_hash=by_hash).target
        raise TargetError(
            f"{path}: a folder without definition.json; name a Python file or a SOL-ExecBench problem folder, or "
            f"measure all below it with `outpace watch {path}`"
        )
    return load_python_file(path, name)


__all__ = ["FEW", "is_problem_folder", "load_problem_folder", "load_python_file", "load_target"]
