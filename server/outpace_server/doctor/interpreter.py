"""The user's interpreter and the torch in it."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outpace_server.doctor.probing import run_probe

TIMEOUT_S = 90.0
"""Importing torch from a cold network disk takes tens of seconds."""
OLDEST_PYTHON, OLDEST_TORCH = (3, 10), (2, 6)

PROBE = r"""
import importlib.util as find, json, platform, sys, time
answer = {
    "python": platform.python_version(), "version": list(sys.version_info[:2]),
    "system": platform.system(), "architecture": platform.machine(),
    "clock_resolution_s": time.get_clock_info("perf_counter").resolution,
    "torch": None, "torch_problem": None, "triton": None, "cuda": None, "hip": None, "devices": [],
}
def has(name):
    try: return find.find_spec(name) is not None
    except Exception: return False
answer["cupti_python"] = has("cupti")
if not has("torch"):
    answer["torch_problem"] = "torch is not installed"
else:
    try:
        import torch
        answer["torch"], answer["cuda"] = str(torch.__version__), torch.version.cuda
        answer["hip"] = getattr(torch.version, "hip", None)
        answer["threads"] = torch.get_num_threads()
        try: answer["kineto"] = bool(torch.profiler.kineto_available())
        except Exception: answer["kineto"] = False
        if torch.cuda.is_available():
            for index in range(torch.cuda.device_count()):
                p = torch.cuda.get_device_properties(index)
                answer["devices"].append({"name": p.name, "capability": f"sm_{p.major}{p.minor}",
                    "memory_bytes": p.total_memory, "uuid": str(getattr(p, "uuid", "")), "driver": None})
    except BaseException as error:
        answer["torch_problem"] = f"torch is broken: {type(error).__name__}: {str(error).splitlines()[:1]}"
    try:
        import triton
        answer["triton"] = str(triton.__version__)
    except BaseException: pass
print()
print("outpace-probe:" + json.dumps(answer))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """`facts` are what the probe printed; `problem` one line with what to do, empty where it can measure."""

    path: str
    origin: str
    facts: dict[str, Any]
    problem: str


def choose_interpreter(python: str | None) -> tuple[str, str]:
    """(path, where it came from): --python, the active virtual environment, else our own interpreter."""
    if python is not None:
        return shutil.which(python) or python, "--python"
    active = os.environ.get("VIRTUAL_ENV")
    if active:
        folder, name = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
        path = Path(active) / folder / name
        if path.exists():
            return str(path), "$VIRTUAL_ENV"
    return sys.executable, "the interpreter that runs outpace"


def probe_interpreter(python: str | None) -> Interpreter:
    path, origin = choose_interpreter(python)
    result = run_probe(path, PROBE, TIMEOUT_S)
    facts = result.answer or {}
    problem = f"does not run: {result.problem}; choose another with --python PATH" if result.answer is None else ""
    return Interpreter(path, origin, facts, problem or _judge(path, facts))


def _judge(path: str, facts: dict[str, Any]) -> str:
    if tuple(facts["version"]) < OLDEST_PYTHON:
        return f"Python {facts['python']} is too old: outpace measures in Python 3.10 or newer"
    if facts["torch_problem"]:
        return f"{facts['torch_problem']}; run `{path} -m pip install torch`, or choose --python PATH"
    if _numbers(facts["torch"]) < OLDEST_TORCH:
        return f"torch {facts['torch']} is too old: outpace measures with 2.6 or newer"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("+")[0].split(".")[:2]
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in parts)
