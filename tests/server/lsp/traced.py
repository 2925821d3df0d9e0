"""A project with a small trace made by hand, as torch.profiler writes it: one step of 1 ms."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

SOURCE = """import torch


class Net:
    def __init__(self):
        self.size = 1

    def forward(self, x):
        return work(x)


def work(x):
    return x


def main():
    optimizer = torch.optim.Adam([])
    Net().forward(1)
"""
CLASS, FORWARD, WORK, MAIN, OPTIMIZER = 3, 7, 11, 15, 16
"""Lines, from 0."""


def _event(category: str, name: str, start: float, end: float) -> dict[str, Any]:
    return {"ph": "X", "cat": category, "name": name, "pid": 1, "tid": 1, "ts": start, "dur": end - start}


EVENTS = [
    _event("user_annotation", "ProfilerStep#3", 0, 1000),
    _event("python_function", f"script.py({MAIN + 1}): main", -50, 1100),
    _event("python_function", f"script.py({FORWARD + 1}): forward", 100, 500),
    _event("python_function", f"script.py({WORK + 1}): work", 150, 350),
    _event("cpu_op", "aten::mm", 160, 340),
    _event("user_annotation", "Optimizer.step#Adam.step", 600, 800),
    _event("cpu_op", "aten::mul_", 610, 700),
    _event("cpu_op", "aten::add_", 700, 790),
]
FILLING = _event("cpu_op", "aten::mul", 170, 171)


def plant_script(folder: Path) -> Path:
    (folder / "pyproject.toml").touch()
    path = folder / "script.py"
    path.write_text(SOURCE)
    return path


def plant_trace(folder: Path, name: str = "log/run/host.pt.trace.json.gz", *, filling: int = 0) -> Path:
    """Written under another name first, as a copy is; with as many more events as `filling` says."""
    data = json.dumps({"schemaVersion": 1, "traceEvents": EVENTS + [FILLING] * filling}).encode()
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(gzip.compress(data, 1) if name.endswith(".gz") else data)
    return partial.replace(path)
