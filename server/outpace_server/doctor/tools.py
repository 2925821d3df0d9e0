"""Devices, compilers, timers and disk, as tools on this machine report them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from outpace_server.doctor.probing import run_tool
from outpace_server.trouble import explain_os_error

NVIDIA_FIELDS = ("name", "uuid", "driver_version", "memory.total", "compute_cap")


def nvidia_devices() -> list[dict[str, Any]]:
    """GPUs by nvidia-smi; empty where there is none."""
    tool = shutil.which("nvidia-smi")
    query = f"--query-gpu={','.join(NVIDIA_FIELDS)}"
    output = run_tool([tool, query, "--format=csv,noheader,nounits"]) if tool else None
    devices: list[dict[str, Any]] = []
    for line in (output or "").splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == len(NVIDIA_FIELDS):
            name, uuid, driver, memory, capability = parts
            devices.append({
                "name": name,
                "capability": f"sm_{capability.replace('.', '')}",
                "memory_bytes": int(float(memory) * (1 << 20)) if memory.replace(".", "").isdigit() else None,
                "uuid": uuid,
                "driver": driver,
            })  # fmt: skip
    return devices


def cuda_tool(name: str) -> str | None:
    """A program of the CUDA toolkit: on the path, under CUDA_HOME, or in the usual place."""
    folders = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    places = [str(Path(folder) / "bin") for folder in folders if folder]
    return shutil.which(name) or next((found for place in places if (found := shutil.which(name, path=place))), None)


def compilers() -> dict[str, str | None]:
    """Each compiler's version; torch.compile on the CPU needs a C++ compiler, CUDA sources nvcc."""
    found = {name: shutil.which(name) for name in ("g++", "clang++", "gcc")} | {"nvcc": cuda_tool("nvcc")}
    return {name: _version(path) if path else None for name, path in found.items()}


def _version(path: str) -> str:
    lines = [line.strip() for line in (run_tool([path, "--version"]) or "").splitlines() if line.strip()]
    release = next((line for line in lines if "release" in line), None)
    return release or (lines[0] if lines else f"{path} does not run")


def compute_sanitizer() -> str | None:
    path = cuda_tool("compute-sanitizer")
    return _version(path) if path else None


def workspace(folder: Path) -> dict[str, Any]:
    """Free space of the folder that `.outpace` goes to, and whether it can be written."""
    problem = ""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"outpace")
    except OSError as error:
        problem = explain_os_error(OSError(error.errno, error.strerror))
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        free = None
    return {"folder": str(folder), "free_bytes": free, "problem": problem or None}
