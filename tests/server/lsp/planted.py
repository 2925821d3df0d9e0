"""A workspace whose ledger knows verdicts on a file, so that an editor has something to show without a measurement."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from outpace_audit.records import Check, Code, Idea, Machine, Patch, Span, Timing, Verdict, Workload
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.records import Target
from outpace_optimizers.source import base_hash
from outpace_optimizers.stored_trial import StoredTrial, key_of
from outpace_optimizers.workspace import Workspace

SOURCE = """import torch


def work(x):
    y = x + 1
    return y * 2


def unrelated(x):
    return x


def get_inputs():
    return [torch.ones(3)]
"""
FASTER = SOURCE.replace("    y = x + 1\n    return y * 2\n", "    return torch.add(x, 1) * 2\n")
MACHINE = Machine("cpu", "Test CPU", "", "Test CPU", 2, "3.11.7", "2.13.0", None, None, None)
WORKLOAD = Workload("get_inputs", "get_inputs", "declared", entry="get_inputs")
TIMING = Timing("get_inputs", 1.42, (1.38, 1.46), 0.98, 7, 3.1e-3, 2.2e-3, "as-called")
PASSED = Check("outputs-against-truth", "L2", True, "error 1.0 times the original's")
FAILED = Check("outputs-against-truth", "L2", False, "error 3e-2", threshold="4e-6")


def plant(
    folder: Path,
    *verdicts: tuple[str, str, dict[str, Any]],
    source: str = SOURCE,
    name: str = "model.py",
    ids: str = "v",
    mark: bytes = b"",
) -> Path:
    """The file, after a byte-order `mark`, and for each (rule, new text, what differs from an accepted verdict) a trial
    in the ledger."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(mark + source.encode())
    workspace = Workspace(folder)
    workspace.prepare()
    target = Target(Code(str(path), source, "work", "function"), (WORKLOAD,))
    with Ledger(workspace.state) as ledger:
        for number, (rule, text, differing) in enumerate(verdicts):
            idea = Idea(rule, f"{rule} in work", "fewer passes", "tolerant", _patch(path, source, text))
            stored = StoredTrial(
                target, idea, _verdict(f"{ids}{number}", differing), False, "tolerant", 0, False, "python", False
            )
            key = key_of(target, idea, stored.request(), MACHINE, folder)
            ledger.finish(key, stored.verdict.id, asdict(stored))
    return path


def rejected() -> dict[str, Any]:
    reason = "outputs-against-truth: error 3e-2"
    return {"accepted": False, "reason": reason, "speedup": None, "interval": None, "timings": (), "checks": (FAILED,)}


def _patch(path: Path, source: str, text: str) -> Patch:
    return Patch(str(path), base_hash(source), text, (Span("work"),))


def _verdict(id: str, differing: dict[str, Any]) -> Verdict:
    fields: dict[str, Any] = {
        "id": id, "accepted": True, "reason": "faster", "numerics": "tolerant", "level": "L4", "speedup": 1.42,
        "interval": (1.38, 1.46), "timings": (TIMING,), "checks": (PASSED,), "machine": MACHINE, "protections": (),
        "trains": False, "truth": "fp64",
    }  # fmt: skip
    return Verdict(**(fields | differing))
