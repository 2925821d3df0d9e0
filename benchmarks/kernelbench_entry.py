"""One entry, judged by KernelBench in this process: its texts on stdin, the answer as the last line of stdout.

The checkout's `src` has to be on PYTHONPATH. Its clients of language models are not asked for anything here, and empty
modules stand in for those that are not installed. The candidate is a module of its own (the loader for Triton).
"""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import Any
from unittest.mock import MagicMock

TRIALS, TIMED = 5, 100
"""Of its own script for single entries (scripts/run_and_check.py)."""

for name in ("openai", "litellm", "dotenv", "tqdm"):
    if importlib.util.find_spec(name) is None:
        sys.modules[name] = MagicMock()

import torch  # noqa: E402
from kernelbench.eval import eval_kernel_against_ref  # noqa: E402  # pyright: ignore[reportMissingImports]
from kernelbench.kernel_static_checker import (  # noqa: E402  # pyright: ignore[reportMissingImports]
    STRICT_CHECKS,
    validate_kernel_static,
)


def answer(entry: dict[str, str]) -> dict[str, Any]:
    _, flags, _ = validate_kernel_static(entry["candidate"], backend="", forbidden=list(STRICT_CHECKS), warnings=[])
    found = eval_kernel_against_ref(
        entry["reference"],
        entry["candidate"],
        num_correct_trials=TRIALS,
        num_perf_trials=TIMED,
        measure_performance=True,
        backend="triton",
        precision=getattr(torch, entry["precision"]),
        device=torch.device("cuda:0"),
    )
    if found is None:
        return {"correct": False, "flags": flags, "gain": None, "metadata": "no result"}
    flags += ["excessive speedup"] if found.metadata.get("excessive_speedup") else []
    gain = found.ref_runtime / found.runtime if found.runtime > 0 and found.ref_runtime > 0 else None
    return {"correct": found.correctness, "flags": flags, "gain": gain, "metadata": str(found.metadata)[-1500:]}


if __name__ == "__main__":
    told = json.loads(sys.stdin.read())
    print("\n" + json.dumps(answer(told)))
