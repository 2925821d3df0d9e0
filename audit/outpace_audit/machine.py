"""Describes the machine from inside an arm that has loaded no user code, so that the judge never touches CUDA."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import torch

PEAK_BYTES_PER_S = {
    "NVIDIA A100-SXM4-40GB": 1.555e12,
    "NVIDIA A100-SXM4-80GB": 2.039e12,
    "NVIDIA A100 80GB PCIe": 1.935e12,
    "NVIDIA H100 80GB HBM3": 3.35e12,
    "NVIDIA H100 PCIe": 2.0e12,
    "NVIDIA H200": 4.8e12,
    "NVIDIA B200": 8.0e12,
    "NVIDIA GB200": 8.0e12,
    "NVIDIA L4": 0.3e12,
    "NVIDIA L40S": 0.864e12,
    "NVIDIA GeForce RTX 4090": 1.008e12,
    "NVIDIA GeForce RTX 3090": 0.936e12,
}
"""Datasheet peaks. A GPU that is not here has no floor; none is guessed."""


def describe(device: str) -> dict[str, Any]:
    """Fields of records.Machine."""
    facts = {
        "device": device,
        "name": cpu_name(),
        "uuid": "",
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "triton": triton_version(),
        "cuda": torch.version.cuda,
        "driver": None,
        "ceilings": {},
    }
    return facts | (_gpu() if device == "cuda" else {"ceilings": _cpu_ceilings()})


def _gpu() -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(0)
    ceilings = {
        "cache_bytes": float(properties.L2_cache_size),
        "memory_bytes": float(properties.total_memory),
    }
    peak = PEAK_BYTES_PER_S.get(properties.name)
    if peak:
        ceilings["peak_bytes_per_s"] = peak
    driver = Path("/proc/driver/nvidia/version")
    text = driver.read_text().splitlines()[0] if driver.exists() else ""
    return {
        "name": properties.name,
        "uuid": str(properties.uuid),
        "ceilings": ceilings,
        "driver": next((word for word in text.split() if word.count(".") == 2), None),
    }


def _cpu_ceilings() -> dict[str, float]:
    """No core loads more than two 64-byte lines a cycle, and none clocks above 6.5 GHz: loose, but never wrong."""
    return {"peak_bytes_per_s": 2 * 64 * 6.5e9 * len(os.sched_getaffinity(0)), "cache_bytes": 0.0}


def cpu_name() -> str:
    """Model name and, where the kernel hides it, the architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def triton_version() -> str | None:
    try:
        from importlib.metadata import version

        return version("triton")
    except ImportError:
        return None
