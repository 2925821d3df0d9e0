"""Running a probe: a short process whose failure is an answer too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

MARK = "outpace-probe:"
"""Begins the line that a probe answers with; whatever else is printed (warnings, banners) is passed over."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """`answer` is the object that the probe printed; `problem` one line about why there is none."""

    answer: dict[str, Any] | None
    problem: str = ""


def run_tool(command: Sequence[str], timeout_s: float = 10.0) -> str | None:
    """Standard output of a tool, or None where it is missing, fails or hangs."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL, check=False,
            errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def run_probe(python: str, code: str, timeout_s: float, paths: Sequence[str] = ()) -> ProbeResult:
    """Run `code` in `python`, away from the user's files so that no `torch.py` of theirs is imported."""
    extra = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if paths:
        extra["PYTHONPATH"] = os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        done = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL,
            check=False, cwd=Path(sys.executable).anchor, env={**os.environ, **extra}, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ProbeResult(None, f"gave no answer within {timeout_s:.0f} s")
    except OSError as error:
        return ProbeResult(None, error.strerror or str(error))
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(MARK):
            return ProbeResult(cast("dict[str, Any]", json.loads(line[len(MARK) :])))
    return ProbeResult(None, _last_line(done.stderr) or f"ended with status {done.returncode} and no answer")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
