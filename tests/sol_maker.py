"""A small SOL-ExecBench problem of our own, and entries for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

REFERENCE = """import torch


def run(x, weight, scale):
    outputs = []
    for row in range(x.shape[1]):
        outputs.append(torch.tanh(x[:, row] @ weight * scale))
    y = torch.stack(outputs, dim=1)
    return y, y.amax(dim=-1)
"""
RETURNING = """import torch


def run(x, weight, scale):
    y = torch.tanh(x @ weight * scale)
    return {"largest": y.amax(dim=-1), "y": y}
"""
FILLING = """from parts.product import product


def run(x, weight, scale, y, largest):
    y.copy_(product(x, weight, scale))
    largest.copy_(y.amax(dim=-1))
"""
PRODUCT = "import torch\n\n\ndef product(x, weight, scale):\n    return torch.tanh(x @ weight * scale)\n"


def make_problem(folder: Path, *lines: dict[str, Any], **changes: Any) -> Path:
    def tensor(*shape: str) -> dict[str, Any]:
        return {"shape": list(shape), "dtype": "float32"}

    definition: dict[str, Any] = {
        "name": "rows",
        "axes": {
            "batch": {"type": "var"},
            "rows": {"type": "var"},
            "width": {"type": "const", "value": 32},
            "double": {"type": "expr", "expression": "width * 2"},
        },
        "inputs": {
            "x": tensor("batch", "rows", "width"),
            "weight": tensor("width", "double"),
            "scale": {"shape": None, "dtype": "float32"},
        },
        "outputs": {"y": tensor("batch", "rows", "double"), "largest": tensor("batch", "rows")},
        "reference": REFERENCE,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "definition.json").write_text(json.dumps(definition | changes))
    rows = lines or (workload("u1", 2, 16), workload("u2", 4, 24))
    (folder / "workload.jsonl").write_text("".join(json.dumps(line) + "\n" for line in rows))
    return folder


def workload(uuid: str, batch: int, rows: int, **changes: Any) -> dict[str, Any]:
    inputs = {"x": {"type": "random"}, "scale": {"type": "scalar", "value": 0.5}}
    return {"uuid": uuid, "axes": {"batch": batch, "rows": rows}, "inputs": inputs, "tolerance": None} | changes


def entry(files: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {
        "name": "mine",
        "definition": "rows",
        "author": "me",
        "spec": {"languages": ["pytorch"], "target_hardware": ["LOCAL"], "entry_point": "main.py::run"} | spec,
        "sources": [{"path": path, "content": content} for path, content in files.items()],
    }


def make_entry(path: Path, files: dict[str, str], **spec: Any) -> Path:
    path.write_text(json.dumps(entry(files, **spec)))
    return path
