"""What a trace does not say about the run: the machine, the files, the precision that was asked for."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outpace_audit.capture.definitions import Project

if TYPE_CHECKING:
    import torch


def facts_of_the_run(root: Path) -> dict[str, Any]:
    """JSON values only. Memory in bytes."""
    import torch

    from outpace_audit.machine import describe

    cuda = torch.cuda.is_initialized()  # to ask for devices could spoil a later fork
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    here = _working_folder()
    facts: dict[str, Any] = {
        "argv": list(sys.argv),
        "main": os.path.realpath(main) if main else None,
        "python": sys.executable,
        "cwd": here,
        "sys_path": [path or here for path in sys.path],
        "files": file_hashes(root),
        "machine": describe("cuda" if cuda else "cpu"),
        "threads": torch.get_num_threads(),
        "world_size": world_size(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn_tf32": torch.backends.cudnn.allow_tf32,
        "peak_memory": torch.cuda.max_memory_allocated() if cuda else None,
        "total_memory": torch.cuda.get_device_properties(0).total_memory if cuda else None,
    }
    return facts


def _working_folder() -> str:
    """Empty where it is gone: a script may remove the folder that it works in."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def file_hashes(root: Path) -> dict[str, str]:
    """SHA-256 by name relative to `root`, of the project's files that are loaded."""
    project = Project(root)
    found: dict[str, str] = {}
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        path = project.own(name) if isinstance(name, str) and name.endswith(".py") else None
        if path is not None:
            with contextlib.suppress(OSError):
                relative = Path(path).relative_to(project.root).as_posix()
                found[relative] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return found


def optimizer_facts(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Class, switches of how it steps, and how many tensors it holds."""
    switches = {name: optimizer.defaults.get(name) for name in ("foreach", "fused", "capturable")}
    tensors = sum(len(group["params"]) for group in optimizer.param_groups)
    return {"class": type(optimizer).__name__, "home": type(optimizer).__module__, "tensors": tensors, **switches}


def world_size() -> int:
    import torch

    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return int(os.environ.get("WORLD_SIZE", "1") or 1)


def is_rank_zero() -> bool:
    import torch

    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank() == 0
    return os.environ.get("RANK", "0") == "0"
