"""Everything the doctor found, as a document for programs and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outpace_server.doctor.interpreter import Interpreter, probe_interpreter
from outpace_server.doctor.sandbox import sandbox_abilities
from outpace_server.doctor.tools import compilers, compute_sanitizer, nvidia_devices, workspace
from outpace_server.version import VERSION

NEVER_RUN = {
    "B200 / GB200 (sm_100)": "sm_100",
    "RTX 50 (sm_120)": "sm_120",
    "A100 (sm_80)": "sm_80",
    "RTX 30, A10, A40 (sm_86)": "sm_86",
    "L4, L40, RTX 40 (sm_89)": "sm_89",
    "AMD GPUs (ROCm)": "hip",
    "Intel GPUs": "xpu",
    "macOS arm64": "Darwin",
    "Windows": "Windows",
    "Linux aarch64 (Grace)": "aarch64",
}
"""Where outpace was never measured. Take a line out only with a result file that shows the contrary."""
LOW_DISK = 2 << 30
"""Compile caches of one inductor run reach hundreds of MB."""


def examine(python: str | None, folder: Path) -> dict[str, Any]:
    """`problems`: one line each with what to do; `can_measure`: whether anything can be measured at all."""
    interpreter = probe_interpreter(python)
    facts = interpreter.facts
    devices = nvidia_devices() or facts.get("devices", [])
    document: dict[str, Any] = {
        "outpace": VERSION,
        "can_measure": not interpreter.problem,
        "interpreter": {"path": interpreter.path, "origin": interpreter.origin, **facts, "devices": None},
        "devices": devices,
        "compilers": compilers(),
        "sandbox": sandbox_abilities(),
        "timers": {
            "clock_resolution_s": facts.get("clock_resolution_s"),
            "cupti_python": facts.get("cupti_python", False),
            "torch_profiler": facts.get("kineto", False),
        },
        "compute_sanitizer": compute_sanitizer(),
        "workspace": workspace(folder),
        "never_run_on": list(NEVER_RUN),
    }
    del document["interpreter"]["devices"]
    document["here_never_run"] = _never_run_here(facts, devices)
    document["problems"] = list(_problems(interpreter, document))
    return document


def _never_run_here(facts: dict[str, Any], devices: list[dict[str, Any]]) -> list[str]:
    """Lines of the table that this machine is one of."""
    marks = {
        str(facts.get("system")),
        str(facts.get("architecture")),
        *(str(gpu["capability"]) for gpu in devices),
    }
    if facts.get("hip"):
        marks.add("hip")
    return [name for name, mark in NEVER_RUN.items() if mark in marks]


def _problems(interpreter: Interpreter, document: dict[str, Any]) -> Iterator[str]:
    if interpreter.problem:
        yield f"{interpreter.path}: {interpreter.problem}"
    elif document["devices"] and not interpreter.facts.get("devices"):
        yield "this torch cannot use the GPU: only the CPU can be measured; install a CUDA build of torch"
    found = document["compilers"]
    if not (found["g++"] or found["clang++"]):
        yield "no C++ compiler: torch.compile cannot be tried on the CPU; install g++"
    if document["sandbox"]["missing"]:
        missing = ", ".join(document["sandbox"]["missing"])
        yield f"no sandbox ({missing}): only --unsandboxed runs; allow unprivileged user namespaces"
    space = document["workspace"]
    if space["problem"]:
        yield f"{space['folder']}: {space['problem']}"
    elif space["free_bytes"] is not None and space["free_bytes"] < LOW_DISK:
        yield f"{space['folder']}: {space['free_bytes'] / 2**30:.1f} GiB free; compile caches need 2 GiB"
    for name in document["here_never_run"]:
        yield f"outpace was never run on {name} before: distrust the first numbers, and report them"


def lines(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(heading, text) for people, in the order in which one asks."""
    python, timers = document["interpreter"], document["timers"]
    yield "outpace", document["outpace"]
    yield "python", f"{python.get('python', 'unknown')} at {python['path']} ({python['origin']})"
    built = (
        f" for CUDA {python['cuda']}" if python.get("cuda") else (" for ROCm" if python.get("hip") else " for the CPU")
    )
    yield "torch", f"{python['torch']}{built}" if python.get("torch") else "missing"
    yield "triton", python.get("triton") or "missing"
    for gpu in document["devices"]:
        memory = f", {gpu['memory_bytes'] / 2**30:.0f} GiB" if gpu["memory_bytes"] else ""
        driver = f", driver {gpu['driver']}" if gpu["driver"] else ""
        yield "gpu", f"{gpu['name']} ({gpu['capability']}{memory}{driver})"
    if not document["devices"]:
        yield "gpu", "none: only the CPU can be measured"
    for name, version in document["compilers"].items():
        yield name, version or "missing"
    sandbox = document["sandbox"]
    yield "sandbox", f"{', '.join(sandbox['protections']) or 'none'} ({sandbox['how']})"
    resolution = timers["clock_resolution_s"]
    clock = f"clock resolution {resolution * 1e9:.0f} ns, " if resolution else ""
    cupti = "present" if timers["cupti_python"] else "missing"
    profiler = "present" if timers["torch_profiler"] else "missing"
    yield "timers", f"{clock}cupti-python {cupti}, torch profiler {profiler}"
    yield "sanitizer", document["compute_sanitizer"] or "compute-sanitizer missing"
    free = document["workspace"]["free_bytes"]
    yield (
        "workspace",
        document["workspace"]["folder"] + (f", {free / 2**30:.1f} GiB free" if free is not None else ""),
    )
    yield "never run on", ", ".join(document["never_run_on"])
